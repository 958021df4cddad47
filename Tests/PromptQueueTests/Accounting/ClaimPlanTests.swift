import Testing

@testable import PromptQueue

/// A ledger of arrays: what a claim asks, and what it was told to do.
private struct Ledger: ClaimSource {
    struct Job {
        var id: Int64
        var queue = "a"
        var model = "m"
        var priority: Int64 = 0
        var turn: Int64 = 0
        var price: Int64 = 1_000
        var isBroken = false
        /// The narrow budget that it counts towards.
        var client: String?
    }

    var waiting: [Job]
    var places = 100
    var slots = 100
    var queues: [String: QueuePlaces] = [:]
    var limits: [BudgetHeadroom] = []
    var keeps: Reserve?
    var isFull = false
    /// How many rows were read.
    var reads = 0
    private(set) var taken: [Int64] = []
    private(set) var refused: [Int64] = []
    private(set) var turns: [String: Int64] = [:]

    init(_ jobs: [Job]) { waiting = jobs }

    func freePlaces() -> Int { places }
    func freeSlots() -> (count: Int, nextAt: Instant?) { (slots, nil) }
    func giveTurns() -> Bool { false }
    func nextRunAt() -> Instant? { nil }
    func budgets() -> [BudgetHeadroom] { limits }
    func reserve() -> Reserve? { keeps }

    func highestPriority(below priority: Int64?) -> Int64? {
        waiting.map(\.priority).filter { $0 < priority ?? .max }.max()
    }

    func nextQueue(after name: ExactText?, at priority: Int64) -> ExactText? {
        waiting.filter { $0.priority == priority }.map { ExactText($0.queue) }.filter { next in
            name.map { next > $0 } ?? true
        }
        .min()
    }

    func places(of queue: ExactText) -> QueuePlaces { queues[queue.text] ?? .unlimited }
    func models(of queue: ExactText) -> [String] {
        Set(waiting.filter { $0.queue == queue.text }.map(\.model)).sorted()
    }

    func narrowBudgets(of job: JobID) -> Set<ExactText> {
        Set(waiting.filter { $0.id == job.rawValue }.compactMap(\.client).map { ExactText($0) })
    }

    mutating func jobs(
        of lane: ClaimLane,
        limit: Int,
        after position: ClaimPosition?,
        withoutBudgets budgets: Set<ExactText>
    ) -> [ClaimCandidate] {
        let jobs = waiting.filter {
            $0.queue == lane.queue.text && $0.model == lane.model && $0.priority == lane.priority
        }
        .filter { job in job.client.map { !budgets.contains(ExactText($0)) } ?? true }
        .sorted { ($0.turn, $0.id) < ($1.turn, $1.id) }
        .filter { job in position.map { ($0.turn, $0.id.rawValue) < (job.turn, job.id) } ?? true }
        .prefix(limit)
        reads += jobs.count
        return jobs.map { job in
            ClaimCandidate(
                id: JobID(job.id),
                job: job.isBroken ? nil : Self.queued(job),
                priority: job.priority,
                turn: job.turn,
                attemptCount: 0,
                maxAttempts: 3
            )
        }
    }

    static func queued(_ job: Job) -> QueuedJob {
        QueuedJob(id: JobID(job.id), queue: job.queue, model: job.model, prompt: "\(job.id)", input: "{}")
    }

    func estimate(of prepared: PreparedInput, model: String) -> Estimate {
        prepared.estimate ?? Estimate(credits: .zero, basis: .listed("x"))
    }

    mutating func refuse(_ job: JobID, _ refusal: Refusal) -> RefusedJob {
        waiting.removeAll { $0.id == job.rawValue }
        refused.append(job.rawValue)
        return RefusedJob(job: job, code: refusal.code, message: refusal.description)
    }

    mutating func take(
        _ candidate: ClaimCandidate,
        _ job: QueuedJob,
        _ input: PreparedInput,
        _ estimate: Estimate
    ) -> ClaimedJob {
        waiting.removeAll { $0.id == candidate.id.rawValue }
        taken.append(candidate.id.rawValue)
        return ClaimedJob(
            attempt: AttemptID(candidate.id.rawValue),
            token: AttemptToken("t"),
            job: candidate.id,
            queue: job.queue,
            model: job.model,
            input: [:],
            reserved: estimate.credits,
            attemptCount: 1,
            maxAttempts: 3
        )
    }

    mutating func noteTurn(_ turn: Int64, of queue: ExactText, at priority: Int64) { turns[queue.text] = turn }

    // MARK: - Over a network

    var basis: ClaimSnapshot.Basis {
        ClaimSnapshot.Basis(
            freePlaces: places,
            freeSlots: slots,
            nextSlotAt: nil,
            mayHaveUnserved: false,
            nextRunAt: nil,
            budgets: limits,
            reserve: keeps,
            prices: PriceBook(),
            now: Instant(milliseconds: 1)
        )
    }

    /// - Parameter page: how many rows an answer has at most.
    func answer(_ question: ClaimSnapshot.Question, _ snapshot: inout ClaimSnapshot, page: Int) {
        switch question {
        case .priorities(let below):
            let all = Set(waiting.map(\.priority)).filter { $0 < below ?? .max }.sorted(by: >)
            snapshot.note(priorities: Array(all.prefix(page)), isAll: all.count <= page)
        case .queues(let name, let priority):
            var found: [ClaimSnapshot.Queue] = []
            var cursor = name
            while found.count <= page, let next = nextQueue(after: cursor, at: priority) {
                found.append(.init(name: next, places: places(of: next), models: models(of: next)))
                cursor = next
            }
            snapshot.note(
                queues: Array(found.prefix(page)),
                after: name,
                priority: priority,
                isAll: found.count <= page
            )
        case .queue(let name):
            snapshot.note(.init(name: name, places: places(of: name), models: models(of: name)))
        case .jobs(let lane, _, let position, let budgets):
            var reader = self
            let found = reader.jobs(of: lane, limit: page + 1, after: position, withoutBudgets: budgets)
            snapshot.note(
                jobs: Array(found.prefix(page)),
                of: lane,
                after: position,
                withoutBudgets: budgets,
                isAll: found.count <= page,
                dueAt: [:]
            )
        case .narrowBudgets(let jobs):
            snapshot.note(narrowBudgets: Dictionary(uniqueKeysWithValues: jobs.map { ($0, narrowBudgets(of: $0)) }))
        case .charges(let model):
            snapshot.note(observed: nil, model: model)
        }
    }
}

/// The order of a claim and what fits, without a database.
@Suite struct ClaimPlanTests {
    private func claim(
        _ ledger: inout Ledger,
        _ limit: Int,
        rotation: QueueRotation = QueueRotation(),
        closed: Set<String> = [],
        probed: Set<String> = []
    ) async throws -> (Claim, ClaimPlan) {
        var prepared: [JobID: PreparedJob] = [:]
        for job in ledger.waiting {
            let estimate = Estimate(credits: Credits(millicredits: job.price), basis: .listed("x"))
            prepared[JobID(job.id)] = PreparedJob(
                job: Ledger.queued(job),
                preparation: .ready(PreparedInput(input: [:], estimate: estimate))
            )
        }
        let request = ClaimRequest(
            limit: limit,
            rate: RateLimit(count: 20, window: .seconds(10)),
            runningLimit: 100,
            closedModels: closed,
            probedModels: probed,
            now: Instant(milliseconds: 1)
        )
        var plan = ClaimPlan(request, rotation: rotation, prepared: prepared, lookahead: limit)
        var overNetwork = plan
        let before = ledger
        let claim = try plan.run(&ledger)
        // A store that answers later claims the same, however much it answers at once.
        for page in [1, 3, 1_000] {
            overNetwork = ClaimPlan(request, rotation: rotation, prepared: prepared, lookahead: limit)
            let (same, writes) = try await overNetwork.run(over: before.basis) { question, snapshot in
                before.answer(question, &snapshot, page: page)
            }
            #expect(same.jobs.map(\.job) == claim.jobs.map(\.job))
            #expect(writes.taken.map(\.job.job) == claim.jobs.map(\.job))
            #expect(writes.refused.map(\.job) == claim.refused.map(\.job))
            #expect(same.budgetSkips == claim.budgetSkips)
            #expect(same.hasMore == claim.hasMore)
            #expect(overNetwork.missing.map(\.id) == plan.missing.map(\.id))
            for (queue, _, turn) in writes.served { #expect(ledger.turns[queue] == turn) }
        }
        return (claim, plan)
    }

    @Test func `a higher priority goes first, queues take turns, and within a queue the turn decides`() async throws {
        var ledger = Ledger([
            .init(id: 1, queue: "a", turn: 5), .init(id: 2, queue: "a", turn: 4), .init(id: 3, queue: "b"),
            .init(id: 4, queue: "b", turn: 1), .init(id: 5, queue: "c", priority: 9),
        ])
        let (claim, _) = try await claim(&ledger, 10)
        #expect(ledger.taken == [5, 2, 3, 1, 4])
        #expect(!claim.hasMore)
        #expect(ledger.turns == ["a": 5, "b": 1, "c": 0])
    }

    @Test func `the next claim begins behind the queue that was served last`() async throws {
        var ledger = Ledger((1...6).map { .init(id: $0, queue: ["a", "b", "c"][Int($0) % 3]) })
        var rotation = QueueRotation()
        for _ in 1...6 { rotation = try await claim(&ledger, 1, rotation: rotation).1.rotation }
        #expect(ledger.taken == [3, 1, 2, 6, 4, 5])
    }

    @Test func `what a budget does not fit is skipped, and cheaper ones go on`() async throws {
        var ledger = Ledger([
            .init(id: 1, price: 9_000), .init(id: 2, price: 1_000), .init(id: 3, queue: "b", price: 9_000),
        ])
        ledger.limits = [
            BudgetHeadroom(
                name: "daily",
                period: .day,
                limit: Credits(millicredits: 10_000),
                used: Credits(millicredits: 5_000),
                now: Instant(milliseconds: 1)
            )
        ]
        let (claim, _) = try await claim(&ledger, 10)
        #expect(ledger.taken == [2])
        #expect(claim.waitsForBudget)
        #expect(claim.budgetHolds == [BudgetHold(budget: "daily", queue: "b")], "of a something was taken")
        #expect(claim.budgetSkips.count == 2)
    }

    private static func narrow(_ name: String, limit: Int64, used: Int64 = 0) -> BudgetHeadroom {
        BudgetHeadroom(
            name: name,
            isNarrow: true,
            period: .month,
            limit: Credits(millicredits: limit),
            used: Credits(millicredits: used),
            now: Instant(milliseconds: 1)
        )
    }

    @Test func `a narrow budget takes its own jobs only, and tells when little of it is left`() async throws {
        var ledger = Ledger((1...6).map { .init(id: $0, client: $0 % 2 == 0 ? "acme" : nil) })
        ledger.limits = [Self.narrow("acme", limit: 2_000), Self.narrow("other", limit: 0)]
        let (claim, _) = try await claim(&ledger, 10)
        #expect(ledger.taken.sorted() == [1, 2, 3, 4, 5])
        #expect(claim.budgetSkips.keys.map(\.budget) == ["acme"])
        #expect(claim.nearlyUsedBudgets.map(\.name) == ["acme"])
        #expect(claim.nearlyUsedBudgets.first?.left == .zero)
    }

    @Test func `thousands of jobs that a narrow budget holds do not stand in the way of those behind them`()
        async throws
    {
        var ledger = Ledger(
            (1...3_000).map { .init(id: $0, client: "acme") } + [.init(id: 3_001), .init(id: 3_002, client: "b")]
        )
        ledger.limits = [Self.narrow("acme", limit: 500), Self.narrow("b", limit: 5_000)]
        let (claim, _) = try await claim(&ledger, 10)
        #expect(ledger.taken == [3_001, 3_002])
        #expect(claim.budgetHolds == [], "something of the queue was taken")
        #expect(ledger.reads < 1_000)
    }

    @Test func `the reserve holds everything behind the first that does not fit`() async throws {
        var ledger = Ledger([.init(id: 1, price: 3_000), .init(id: 2, price: 9_000), .init(id: 3, price: 1_000)])
        ledger.keeps = Reserve(
            keeping: Credits(millicredits: 100_000),
            balance: Credits(millicredits: 110_000),
            committed: Credits(millicredits: 2_000)
        )
        let (claim, _) = try await claim(&ledger, 10)
        #expect(ledger.taken == [1])
        let (left, price) = (Credits(millicredits: 5_000), Credits(millicredits: 9_000))
        #expect(claim.reserveHold == .short(left: left, price: price))
    }

    @Test func `places, pauses, closed models and probes bound what is taken`() async throws {
        var ledger = Ledger(
            (1...3).map { .init(id: $0, queue: "full") } + (4...6).map { .init(id: $0, queue: "off") }
                + (7...9).map { .init(id: $0, queue: "c", model: "closed") }
                + (10...12).map { .init(id: $0, queue: "d", model: "probed") }
        )
        ledger.queues = ["full": .limited(2), "off": .paused]
        let (claim, _) = try await claim(&ledger, 10, closed: ["closed"], probed: ["probed"])
        #expect(ledger.taken.sorted() == [1, 2, 10])
        #expect(claim.waitsForPlace)
    }

    @Test func `nothing is taken without a slot or a place, and it is said that there is more`() async throws {
        for isSlot in [true, false] {
            var ledger = Ledger([.init(id: 1)])
            if isSlot { ledger.slots = 0 } else { ledger.places = 0 }
            let (claim, _) = try await claim(&ledger, 10)
            #expect(ledger.taken.isEmpty)
            #expect(claim.hasMore)
        }
    }

    @Test func `a text that is no UTF-8 is refused, and the next is taken`() async throws {
        var ledger = Ledger([.init(id: 1, isBroken: true), .init(id: 2)])
        _ = try await claim(&ledger, 1)
        #expect(ledger.refused == [1])
        #expect(ledger.taken == [2])
    }

    @Test func `the cost does not grow with the backlog`() async throws {
        var reads: [Int] = []
        for count in [100, 100_000] as [Int64] {
            var ledger = Ledger((1...count).map { .init(id: $0, turn: $0) })
            let request = ClaimRequest(
                limit: 1,
                rate: RateLimit(count: 20, window: .seconds(10)),
                runningLimit: 100,
                now: Instant(milliseconds: 1)
            )
            var plan = ClaimPlan(request, rotation: QueueRotation(), prepared: [:], lookahead: 1)
            _ = try plan.run(&ledger)
            reads.append(ledger.reads)
        }
        #expect(reads == [1, 1])
    }
}
