import FoundationEssentials
import Postgres
import PromptQueue

/// What one claim reads and writes, inside its transaction. Which jobs are taken is `ClaimPlan`'s to say.
struct ClaimReader {
    /// How many queues are read at once, and how many jobs of each of their lanes.
    private static let queuesAtOnce: Int64 = 32
    private static let prioritiesAtOnce: Int64 = 8

    let transaction: PostgresTransaction
    let account: AccountName
    private let request: ClaimRequest
    /// The ledger's instant of the claim, and how it is told from this machine's.
    private(set) var now = Instant(milliseconds: 0)
    private var clock = ServerClock(server: 0, local: Instant(milliseconds: 0))

    init(_ transaction: PostgresTransaction, _ account: AccountName, _ request: ClaimRequest) {
        self.transaction = transaction
        self.account = account
        self.request = request
    }

    // MARK: - The beginning

    /// Keeps other claims out, and reads what every claim asks first.
    ///
    /// - Returns: nil if nothing may be claimed: an older copy of the store is held.
    /// - Throws: `PostgresError` if this epoch has ended, too.
    mutating func begin(
        _ epoch: Epoch,
        turns: Int64
    ) async throws -> (basis: ClaimSnapshot.Basis, catalogueVersion: Int64)? {
        let rows = try await transaction.pipeline { pipeline in
            pipeline.add(
                """
                SELECT at, is_held, given, places, slots, next_slot_at, next_run_at, default_price, catalogue_version
                FROM open_claim($1, $2, $3, $4, $5, $6)
                """,
                [
                    .int(epoch.rawValue), .text(account.rawValue), .int(Int64(request.rate.count)),
                    .int(request.rate.window.milliseconds), .int(Int64(request.runningLimit)), .int(turns),
                ]
            )
            pipeline.add("SELECT model, input, millicredits, per, source, note FROM prices")
        }
        let row = try rows[0].only()
        guard try !(row[1] as Bool) else { return nil }
        let given: Int64 = try row[2]
        let milliseconds: Int64 = try row[0]
        now = Instant(milliseconds: milliseconds)
        clock = ServerClock(server: milliseconds, local: request.now)
        var prices = PriceBook(defaultPrice: Credits(millicredits: try row[7]))
        prices.add(try rows[1].compactMap(PriceOverride.init(row:)))
        let basis = ClaimSnapshot.Basis(
            freePlaces: try row[3],
            freeSlots: try row[4],
            nextSlotAt: try (row[5] as Int64?).map(clock.local),
            mayHaveUnserved: given == turns,
            nextRunAt: try (row[6] as Int64?).map(clock.local),
            budgets: try await budgets(),
            reserve: try await reserve(),
            prices: prices,
            now: now
        )
        return (basis, try row[8])
    }

    /// From the running sums, of the periods of the ledger's clock.
    private func budgets() async throws -> [BudgetHeadroom] {
        func start(of period: BudgetPeriod) -> PostgresValue {
            .int(period.interval(at: now).start.milliseconds)
        }
        let rows = try await transaction.query(
            """
            SELECT b.name, b.queue, b.period, b.limit_millicredits, b.is_narrow, CASE WHEN b.is_narrow THEN (
                    SELECT sum(s.reserved_millicredits + s.charged_millicredits) FROM budget_spending AS s
                    WHERE s.budget = b.name AND s.period = b.sums AND s.starts_at >= b.start)
                ELSE (SELECT sum(s.reserved_millicredits + s.charged_millicredits) FROM spending AS s
                    WHERE s.period = b.sums AND s.starts_at >= b.start AND (b.queue IS NULL OR s.queue = b.queue)) END
            FROM (SELECT *, model IS NOT NULL OR batch IS NOT NULL OR label IS NOT NULL OR account IS NOT NULL AS is_narrow,
                    CASE period WHEN 'hour' THEN 'hour' WHEN 'total' THEN 'total' ELSE 'day' END AS sums,
                    CASE period WHEN 'hour' THEN $1::bigint WHEN 'day' THEN $2::bigint WHEN 'week' THEN $3::bigint
                        WHEN 'month' THEN $4::bigint ELSE 0 END AS start
                FROM budgets) AS b
            """,
            [start(of: .hour), start(of: .day), start(of: .week), start(of: .month)]
        )
        return try rows.map { row in
            let queue: String? = try row[1]
            let used: Int64? = try row[5]
            var budget = BudgetHeadroom(
                name: try row[0],
                queue: queue.map { ExactText($0) },
                isNarrow: try row[4],
                period: BudgetPeriod(rawValue: try row[2]) ?? .total,
                limit: Credits(millicredits: try row[3]),
                used: Credits(millicredits: used ?? 0),
                now: now
            )
            budget.resetsAt = budget.resetsAt.map(clock.local)
            return budget
        }
    }

    private func reserve() async throws -> Reserve? {
        guard request.creditReserve > .zero else { return nil }
        let row = try await transaction.query(
            "SELECT balance_millicredits, balance_asked_at, balance_attempt_id FROM account WHERE name = $1",
            [.text(account.rawValue)]
        ).first
        guard let row, let balance = try row[0] as Int64?, let asked = try row[1] as Int64?,
            Reserve.isCurrent(askedAt: Instant(milliseconds: asked), now: now)
        else { return Reserve(keeping: request.creditReserve, balance: nil, committed: .zero) }
        let last: Int64? = try row[2]
        let committed: Int64 = try await transaction.query(
            """
            SELECT coalesce(sum(money), 0) FROM (
                SELECT reserved_millicredits + coalesce(charged_millicredits, 0) AS money FROM attempts
                WHERE id > $1 AND account = $4
                UNION ALL
                SELECT reserved_millicredits FROM attempts WHERE state = 'sending' AND id <= $1 AND account = $4
                UNION ALL
                SELECT reserved_millicredits + coalesce(charged_millicredits, 0) FROM attempts
                WHERE answered_at >= $2 AND id <= $1 AND account = $4
                UNION ALL
                SELECT reserved_millicredits + coalesce(charged_millicredits, 0) FROM attempts
                WHERE state = 'unknown' AND answered_at > $3 AND answered_at < $2 AND id <= $1 AND account = $4) AS m
            """,
            [
                .int(last ?? 0), .int(asked), .int(asked - BalanceReading.settlingTime.milliseconds),
                .text(account.rawValue),
            ]
        ).only()[0]
        return Reserve(
            keeping: request.creditReserve,
            balance: Credits(millicredits: balance),
            committed: Credits(millicredits: committed)
        )
    }

    // MARK: - Answers

    mutating func answer(_ question: ClaimSnapshot.Question, _ snapshot: inout ClaimSnapshot) async throws {
        switch question {
        case .priorities(let below):
            let found: [Int64] = try await transaction.query(
                "SELECT claim_priorities($1, $2, $3)",
                [.text(account.rawValue), .int(below ?? .max), .int(Self.prioritiesAtOnce)]
            ).map { try $0[0] }
            snapshot.note(priorities: found, isAll: found.count < Int(Self.prioritiesAtOnce))
        case .queues(let name, let priority):
            try await answerQueues(after: name, priority, &snapshot)
        case .queue(let name):
            let rows = try await transaction.query(
                "SELECT name, paused, max_running, running, to_json(models)::text FROM claim_queue($1)",
                [.text(name.text)]
            )
            snapshot.note(try rows.first.map(Self.queue) ?? .init(name: name, places: .paused, models: []))
        case .jobs(let lane, let limit, let position, let budgets):
            let most = max(limit, 8)
            let found = try await candidates([(lane, position)], most: most, without: budgets)[0]
            snapshot.note(
                jobs: found.jobs,
                of: lane,
                after: position,
                withoutBudgets: budgets,
                isAll: found.isAll,
                dueAt: found.dueAt
            )
        case .narrowBudgets(let jobs):
            let rows = try await transaction.query(
                "SELECT job_id, budget FROM budget_jobs WHERE job_id = ANY ($1) AND (account IS NULL OR account = $2)",
                [.ints(jobs.map(\.rawValue)), .text(account.rawValue)]
            )
            var narrow = Dictionary(uniqueKeysWithValues: jobs.map { ($0, Set<ExactText>()) })
            for row in rows { narrow[JobID(try row[0]), default: []].insert(ExactText(try row[1])) }
            snapshot.note(narrowBudgets: narrow)
        case .charges(let model):
            let charges: [Credits] = try await transaction.query(
                """
                SELECT charged_millicredits FROM attempts
                WHERE state = 'accepted' AND error_code IS NULL AND charged_millicredits IS NOT NULL AND model = $1
                    AND charge_reported IS DISTINCT FROM 0 ORDER BY id DESC LIMIT $2
                """,
                [.text(model), .int(Int64(ObservedPrice.sampleSize))]
            ).map { Credits(millicredits: try $0[0]) }
            snapshot.note(observed: ObservedPrice(charges: charges), model: model)
        }
    }

    /// The next queues, and the first jobs of each of their lanes, because those are asked for next.
    private func answerQueues(after name: ExactText?, _ priority: Int64, _ snapshot: inout ClaimSnapshot) async throws {
        let rows = try await transaction.query(
            "SELECT name, paused, max_running, running, to_json(models)::text FROM claim_queues($1, $2, $3, $4)",
            [.text(account.rawValue), .text(name?.text ?? ""), .int(priority), .int(Self.queuesAtOnce)]
        )
        let queues = try rows.map(Self.queue)
        snapshot.note(queues: queues, after: name, priority: priority, isAll: queues.count < Int(Self.queuesAtOnce))
        let lanes = queues.filter(\.isOpen).flatMap { queue in
            queue.models.filter { !request.closedModels.contains($0) }
                .map { ClaimLane(queue: queue.name, model: $0, priority: priority) }
        }
        guard !lanes.isEmpty else { return }
        let most = min(request.limit, max(1, 2 * request.limit / lanes.count)) + 1
        let found = try await candidates(lanes.map { ($0, nil) }, most: most, without: [])
        for (lane, page) in zip(lanes, found) {
            snapshot.note(jobs: page.jobs, of: lane, after: nil, isAll: page.isAll, dueAt: page.dueAt)
        }
    }

    private static func queue(_ row: PostgresRow) throws -> ClaimSnapshot.Queue {
        let places: QueuePlaces
        if try row[1] as Int64 != 0 {
            places = .paused
        } else if let maximum = try row[2] as Int? {
            places = .limited(maximum - (try row[3]))
        } else {
            places = .unlimited
        }
        let models = try JSONValue(parsing: try row[4] as String).arrayValue ?? []
        return .init(name: ExactText(try row[0]), places: places, models: models.compactMap(\.stringValue))
    }
}

extension ClaimSnapshot.Queue {
    fileprivate var isOpen: Bool {
        switch places {
        case .paused: false
        case .unlimited: true
        case .limited(let count): count > 0
        }
    }
}

extension PriceOverride {
    /// Nil for what fits no input.
    init?(row: PostgresRow) throws {
        guard let conditions = JSONValue.object(in: try row[1]) else { return nil }
        self.init(
            model: try row[0],
            conditions: conditions,
            credits: Credits(millicredits: try row[2]),
            measure: Measure(text: try row[3]),
            source: Source(rawValue: try row[4]) ?? .operator,
            note: try row[5]
        )
    }
}
