import Foundation
import JobStore
import PromptQueue

/// A queue in SQLite in which much has happened.
struct Population {
    let path: String
    /// About now: what stands in the views goes by the clock.
    let now = Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1_000))
    private let file: QueueFile
    private let ledger: SQLiteLedger
    private static let price = Credits(millicredits: 14_000)
    /// So long that nothing leaves it while a test runs.
    private static let rate = RateLimit(count: 1_000, window: .seconds(86_400))
    static let second = AccountName(stored: "second")
    static let hooks = [HookRule(name: "a", events: Set(HookEvent.choices))]

    /// Makes it, and closes it.
    ///
    /// - Returns: the path of its file.
    static func make() async throws -> String {
        let directory = NSTemporaryDirectory() + "promptd-parity-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let population = try Population(directory + "/queue.sqlite")
        try await population.fill()
        try population.ledger.close()
        try population.file.close()
        return population.path
    }

    private init(_ path: String) throws {
        self.path = path
        file = try QueueFile(path: path, create: true)
        ledger = try SQLiteLedger(path: path)
    }

    private func fill() async throws {
        let limits = [AccountName.standard, Self.second].map {
            AccountLimits(name: $0, rate: Self.rate, runningLimit: 100, rules: AccountRules())
        }
        try await ledger.begin(DaemonIdentity(processID: 7, version: "v", accounts: limits), now: now)
        try settings()
        _ = try await ledger.noteHooks(Self.hooks, now: now)
        try await balances([9_000_000, 8_990_000])
        _ = try file.add((1...60).map(job), now: now)
        try await outcomes(of: .standard)
        try await outcomes(of: Self.second)
        try await money()
        try await chains()
        try await asides()
        _ = try file.apply(.cancel, to: [JobID(58), JobID(60)])
        _ = try file.apply(.retry(nil), to: [JobID(60)])
        try await hooks()
        try await prune()
        try file.setPaused(true, queue: "art")
    }

    private func settings() throws {
        try file.setMaxRunning(3, queue: "ä")
        try file.setAccount(Self.second, queue: "Zeta")
        let limit = Credits(millicredits: 900_000)
        try file.setBudget("all", scope: BudgetScope(), period: .total, limit: limit)
        try file.setBudget("art", scope: BudgetScope(queue: "art"), period: .month, limit: limit)
        let label = BudgetScope.Label(name: "kind", value: "hero")
        try file.setBudget(
            "heroes",
            scope: BudgetScope(label: label),
            period: .day,
            limit: Credits(millicredits: 30_000)
        )
        try file.setPrice(
            PriceOverride(
                model: "other/model",
                conditions: ["n": 2],
                credits: Credits(millicredits: 1_500),
                measure: .task,
                source: .operator
            )
        )
        try file.keep([
            ProviderModel(name: "other/model", isListed: true, title: "Other", taskTypes: ["a"], readAt: now)
        ])
        var schedule = ScheduleRecord(
            name: "hourly",
            cron: "0 * * * *",
            timeZone: "UTC",
            job: NewJob(prompt: "a fox", model: "other/model", input: "{\"n\":2}", queue: "art"),
            createdAt: now
        )
        schedule.nextRunAt = now + .seconds(60)
        try file.add(schedule, replaces: false)
    }

    private func job(_ number: Int) -> NewJob {
        let prompts: [String?] = [
            "A red Fôx number \(number)", "eine blaue Zebra, \(number)%", "狐と\(number)", nil,
            String(repeating: "long fox ", count: 80),
        ]
        var job = NewJob(
            prompt: prompts[number % 5],
            model: number % 3 == 0 ? "other/model" : "flux-2/flex-text-to-image",
            input: number % 4 == 0 ? "{\"n\": \(number % 3), \"b\":\"ü\"}" : "{}",
            queue: ["default", "art", "Zeta", "ä"][number % 4]
        )
        job.batch = [nil, "b1", "B2", "ü b", "one \(number / 20)"][number % 5]
        job.labels =
            [nil, "{\"kind\":\"hero\",\"n\":2}", "{\"kind\":\"x y\",\"deep\":{\"a\":1},\"paid\":true}"][number % 3]
        job.priority = Int64(number % 3)
        job.uniqueKey = number % 7 == 0 ? "key \(number)" : nil
        job.runAt = number > 55 ? now + .seconds(3_600) : nil
        return job
    }

    private func claim(_ limit: Int, of account: AccountName) async throws -> [ClaimedJob] {
        let request = ClaimRequest(limit: limit, rate: Self.rate, runningLimit: 100, now: now)
        return try await ledger.ledger(of: account).claim(request) { job in
            guard job.id.rawValue % 11 != 0 else {
                let problem = InputProblem(field: "prompt", kind: .tooShort, message: "too short")
                return .refused(Refusal(code: .invalidInput, problems: [problem]))
            }
            let estimate = Estimate(credits: Self.price, basis: .listed("test"))
            return .ready(PreparedInput(input: ["prompt": .string(job.prompt ?? "")], estimate: estimate))
        }
        .jobs
    }

    private func record(_ change: LedgerChange, _ seconds: Int64 = 0, of account: AccountName = .standard) async throws
    {
        _ = try await ledger.ledger(of: account).record(change, now: now + .milliseconds(seconds * 10))
    }

    private func outcomes(of account: AccountName) async throws {
        for (number, job) in try await claim(18, of: account).enumerated() {
            let (attempt, task) = (job.attempt, TaskID("task-\(job.attempt)"))
            func note(_ change: LedgerChange) async throws { try await record(change, Int64(number), of: account) }
            switch number % 9 {
            case 0: continue
            case 1: try await note(.unknown(attempt, Failure(.answerLost, "cut", httpStatus: 502)))
            case 2: try await note(.rejected(attempt, Failure(.contentRefused, "no", apiCode: 422), then: .fail))
            case 3:
                let later = now + .seconds(7_200)
                try await note(
                    .rejected(attempt, Failure(.providerFault, "later"), then: .retry(at: later, counted: true))
                )
            default:
                try await note(.accepted(attempt, task: task, httpStatus: 200))
                try await end(job, number % 9, note)
            }
        }
    }

    private func end(_ job: ClaimedJob, _ kind: Int, _ note: (LedgerChange) async throws -> Void) async throws {
        let outputs = [TaskOutput.file(url: "https://x/\(job.job)", role: "first"), .file(url: "https://y/\(job.job)")]
        switch kind {
        case 4: try await note(.progressed(job.attempt, providerState: "generating"))
        case 5:
            let failure = Failure(.taskFailed, "it failed \u{1F98A}")
            try await note(.taskFailed(job.attempt, failure, charged: Self.price, then: .fail, took: .seconds(9)))
        case 6:
            let object = [TaskOutput.object(json: "{\"a\":1}")]
            try await note(.taskSucceeded(job.attempt, object, charged: nil, fetch: true, took: .seconds(4)))
        case 7:
            try await note(.taskSucceeded(job.attempt, outputs, charged: Self.price, fetch: true, took: .seconds(5)))
            try await note(.resultDelayed(ResultID(job: job.job, ordinal: 0), message: "404"))
        default:
            let charged = Credits(millicredits: 9_000)
            try await note(.taskSucceeded(job.attempt, outputs, charged: charged, fetch: true, took: .seconds(6)))
            for ordinal in 0...1 {
                let saved = SavedFile(
                    path: "2026/\(job.job)-\(ordinal) ä.png",
                    contentType: "image/png",
                    bytes: 12,
                    sha256: String(repeating: "ab", count: 32)
                )
                try await note(.resultSaved(ResultID(job: job.job, ordinal: ordinal), saved))
            }
        }
    }

    private func balances(_ balances: [Int64]) async throws {
        for (number, balance) in balances.enumerated() {
            let reading = BalanceReading(
                balance: Credits(millicredits: balance),
                askedAt: now + .milliseconds(Int64(number)),
                isQuiet: true
            )
            try await record(.balance(reading, settles: false))
        }
    }

    private func money() async throws {
        try await balances([8_900_000])
        try await record(
            .gates([
                GateNote(name: "rate", closedAt: now, reopensAt: now + .seconds(600), message: "slower"),
                GateNote(name: "model:other/model", queue: "", closedAt: now, reopensAt: nil, message: "off"),
            ])
        )
        try await record(.trouble("something happened"))
    }

    private func chains() async throws {
        let first = try file.add([NewJob(prompt: "one", model: "other/model", input: "{}", queue: "ä")], now: now)[0]
        let takes = "{\"image_url\":\"job:\(first)/0\",\"other\":\"key:key 7\",\"file\":\"file:///srv/fox.png\"}"
        let second = try file.add([NewJob(prompt: "two", model: "other/model", input: takes, queue: "ä")], now: now)[0]
        let last = "{\"image_url\":\"job:\(second)\"}"
        _ = try file.add([NewJob(prompt: "three", model: "other/model", input: last, queue: "ä")], now: now)
    }

    private func asides() async throws {
        let job = try file.add(
            [NewJob(prompt: "crash", model: "other/model", input: "{}", queue: "default")],
            now: now
        )[0]
        for _ in 1...2 {
            _ = try await ledger.noteDeaths([.claim(job)], .crash(signal: 11), version: "v", now: now)
        }
    }

    private func hooks() async throws {
        _ = try await ledger.noteHooks(Self.hooks, now: now)
        for delivery in try await ledger.dueDeliveries(to: "a", now: now, limit: 3) {
            try await ledger.deliveryEnded(delivery.id, .refused("410"), next: nil, now: now)
        }
        _ = try file.testHook("a", now: now)
    }

    private func prune() async throws {
        var filter = JobFilter()
        // What was paid for and has a key stays, without its prompt.
        for number in stride(from: 21, to: 60, by: 7) {
            filter.uniqueKey = "key \(number)"
            _ = try await ledger.prune(PruneRequest(filter, limit: 1, removesFiles: true), now: now)
        }
    }
}
