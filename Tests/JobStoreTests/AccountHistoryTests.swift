import PromptQueue
import Testing

@testable import JobStore

/// Whatever happens to two accounts in one ledger, in whatever order, each one's books are its own.
@Suite struct AccountHistoryTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `two accounts at once: no window over its limit, no start that takes the other's, no evidence that is wrong`(
        seed: UInt64
    ) async throws {
        var history = try await AccountHistory(seed: seed)
        for _ in 0..<200 { try await history.step() }
        try await history.end()
    }
}

/// A provider with two accounts, promptd's two engines as far as the ledger can tell, and somebody who moves queues.
private struct AccountHistory {
    /// What really is the case.
    private struct Request {
        var account: Int
        var sentAt: Int64
        /// When its slot is free at the latest, as the provider counts.
        var arrivedBy: Int64
        var isOpen = true
        var isLost = false
        var hasTask = false
        var charged: Int64 = 0
    }

    private static let names = [AccountName.standard, AccountName(stored: "acme")]
    private static let rate = RateLimit(count: 5, window: .seconds(10))
    private let fixture: LedgerFixture
    private let ledgers: [any JobLedger]
    private var generator: SeededGenerator
    private var second: Int64 = 0
    private var balances: [Int64] = [100_000_000, 100_000_000]
    private var requests: [AttemptID: Request] = [:]

    init(seed: UInt64) async throws {
        fixture = try LedgerFixture()
        generator = SeededGenerator(seed: seed)
        let limits = Self.names.map {
            AccountLimits(name: $0, rate: Self.rate, runningLimit: 8, rules: AccountRules())
        }
        let identity = DaemonIdentity(processID: 1, version: "v", accounts: limits)
        try await fixture.ledger.begin(identity, now: fixture.now)
        ledgers = Self.names.map { [ledger = fixture.ledger] in ledger.ledger(of: $0) }
        try fixture.run("INSERT INTO queues (name, account) VALUES ('a', NULL), ('b', 'acme'), ('c', NULL)")
        for account in 0...1 { try await read(account) }
    }

    private var now: Instant { fixture.now + .seconds(second) }

    mutating func step() async throws {
        second += Int64.random(in: 0...4, using: &generator)
        let account = Int.random(in: 0...1, using: &generator)
        switch Int.random(in: 0..<12, using: &generator) {
        case 0...1:
            let queue = ["a", "b", "c"].randomElement(using: &generator) ?? "a"
            try fixture.insert("(prompt, queue) VALUES ('x', '\(queue)')", "(prompt, queue) VALUES ('x', '\(queue)')")
        case 2...4: try await claim(account)
        case 5...8: try await settleOne()
        case 9:
            let queue = ["a", "b", "c"].randomElement(using: &generator) ?? "a"
            let named = Bool.random(using: &generator) ? "'acme'" : "NULL"
            try fixture.run("UPDATE queues SET account = \(named) WHERE name = '\(queue)'")
        case 10:
            second += 130
            try await read(account)
        default: try await restart(account)
        }
    }

    private mutating func claim(_ account: Int) async throws {
        let busy = requests.values.count {
            $0.account == account && ($0.isOpen && !$0.isLost && !$0.hasTask || $0.arrivedBy > second - 10)
        }
        let running = requests.values.count { $0.account == account && $0.isOpen && !$0.isLost }
        let request = ClaimRequest(limit: 4, rate: Self.rate, runningLimit: 8, now: now)
        let claimed = try await ledgers[account].claim(request) { job in
            .ready(
                PreparedInput(
                    input: ["prompt": .string(job.prompt ?? "")],
                    estimate: Estimate(credits: Credits(millicredits: 14_000), basis: .listed("test"))
                )
            )
        }
        #expect(claimed.jobs.count <= max(0, 5 - busy), "slots of the account's own window")
        #expect(claimed.jobs.count <= max(0, 8 - running), "places of the account's own")
        for job in claimed.jobs {
            #expect(requests[job.attempt] == nil)
            requests[job.attempt] = Request(account: account, sentAt: second, arrivedBy: second)
        }
    }

    private mutating func settleOne() async throws {
        let open = requests.filter { $0.value.isOpen && !$0.value.isLost }.keys.sorted()
        guard let attempt = open.randomElement(using: &generator), var request = requests[attempt] else { return }
        let ledger = ledgers[request.account]
        if request.hasTask {
            let result = try await ledger.record(
                .taskSucceeded(attempt, [.object(json: "{}")], charged: Credits(millicredits: 14_000), fetch: false),
                now: now
            )
            #expect(result.job?.state == .succeeded)
            request.isOpen = false
        } else {
            request.arrivedBy = second
            switch Int.random(in: 0..<6, using: &generator) {
            case 0...2:
                _ = try await ledger.record(
                    .accepted(attempt, task: TaskID("t-\(attempt)"), httpStatus: 200),
                    now: now
                )
                request.hasTask = true
                charge(&request)
            case 3:
                let then = FailureDisposition.retry(at: now, counted: false)
                _ = try await ledger.record(.rejected(attempt, Failure(.keyRefused, "no"), then: then), now: now)
                request.isOpen = false
            default: try await lose(attempt, &request)
            }
        }
        requests[attempt] = request
    }

    /// Its answer is lost; it was charged or not.
    private mutating func lose(_ attempt: AttemptID, _ request: inout Request) async throws {
        _ = try await ledgers[request.account].record(.unknown(attempt, Failure(.answerLost, "cut")), now: now)
        request.isLost = true
        request.arrivedBy = second + LateArrival.longest.milliseconds / 1_000
        if Bool.random(using: &generator) { charge(&request) }
    }

    private mutating func charge(_ request: inout Request) {
        request.charged = 14_000
        balances[request.account] -= 14_000
    }

    /// Reads a balance while the account is quiet, and lets it settle what it proves.
    private mutating func read(_ account: Int) async throws {
        let isQuiet = !requests.values.contains {
            $0.account == account && $0.isOpen && !$0.isLost && !$0.hasTask
        }
        let reading = BalanceReading(
            balance: Credits(millicredits: balances[account]),
            askedAt: now,
            isQuiet: isQuiet
        )
        let result = try await ledgers[account].record(.balance(reading, settles: true), now: now)
        for settled in result.settled {
            let request = try #require(requests[settled.attempt])
            #expect(request.account == account, "evidence about a request of the other account")
            #expect(request.charged == 0, "what was charged is sent again, and paid for twice")
            requests[settled.attempt]?.isOpen = false
        }
        if let standing = result.account {
            let open = requests.values.contains { $0.account == account && $0.isLost }
            if !open { #expect(standing.unexplained == .zero, "what the other account spends is unexplained here") }
        }
    }

    /// Its engine's process ends and begins again.
    private mutating func restart(_ account: Int) async throws {
        let recovery = try await ledgers[account].recover(now: now, rate: Self.rate)
        let own = requests.filter { $0.value.account == account && $0.value.isOpen }
        let sending = own.filter { !$0.value.isLost && !$0.value.hasTask }
        #expect(recovery.lost.count == sending.count)
        for attempt in sending.keys.sorted() {
            requests[attempt]?.isLost = true
            requests[attempt]?.arrivedBy = second + LateArrival.longest.milliseconds / 1_000
            guard Bool.random(using: &generator), var request = requests[attempt] else { continue }
            charge(&request)
            requests[attempt] = request
        }
        #expect(Set(recovery.unknown.map(\.attempt)) == Set(own.filter { $0.value.isLost }.keys).union(sending.keys))
        #expect(Set(recovery.tasks.map(\.attempt)) == Set(own.filter { $0.value.hasTask && !$0.value.isLost }.keys))
    }

    func end() async throws {
        for (index, name) in Self.names.enumerated() {
            let known = requests.values.filter { $0.account == index && $0.hasTask && !$0.isOpen && !$0.isLost }
            let booked = known.reduce(0) { $0 + $1.charged }
            #expect(
                try fixture.rows("SELECT charged_millicredits FROM accounts WHERE name = '\(name)'") == ["\(booked)"]
            )
        }
        let file = try QueueFile(path: fixture.path)
        #expect(try file.sumFaults().isEmpty)
        try file.close()
        #expect(
            try fixture.rows(
                "SELECT count(*) FROM attempts WHERE finished_at IS NULL GROUP BY job_id HAVING count(*) > 1"
            )
            .isEmpty
        )
    }
}
