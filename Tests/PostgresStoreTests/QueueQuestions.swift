import PromptQueue

/// What can be asked of a queue, with answers as text.
struct QueueQuestion: Sendable {
    let name: String
    let ask: @Sendable (any PageReader) throws -> String

    private init(_ name: String, _ ask: @escaping @Sendable (any PageReader) throws -> Any) {
        self.name = name
        self.ask = { Written.text(try ask($0)) }
    }

    static func all(_ jobs: [JobID]) -> [QueueQuestion] {
        whole + groups(jobs) + single(jobs) + filters.flatMap { lists($0.name, $0.filter) }
    }

    private static var whole: [QueueQuestion] {
        [
            QueueQuestion("status") { try $0.status() },
            QueueQuestion("status of a small sample") { try $0.status(sample: 3) },
            QueueQuestion("queues") { try $0.queues() },
            QueueQuestion("batches") { try $0.batches(limit: 100) },
            QueueQuestion("some batches") { try $0.batches(limit: 2) },
            QueueQuestion("no batches") { try $0.batches(limit: 0) },
            QueueQuestion("budgets") { try $0.budgets() },
            QueueQuestion("account") { try $0.account(.standard) as Any },
            QueueQuestion("no account") { try $0.account(AccountName(stored: "nobody")) as Any },
            QueueQuestion("accounts") { try $0.accounts() },
            QueueQuestion("catalogue") { try $0.catalogue() },
            QueueQuestion("models") { try $0.providerModels() },
            QueueQuestion("prices") { try $0.priceBook() },
            QueueQuestion("charges") { try $0.charges() },
            QueueQuestion("durations") { try $0.durations() },
            QueueQuestion("schedules") { try $0.schedules() },
            QueueQuestion("event range") { try $0.eventRange() },
            QueueQuestion("latest batches") { try $0.latestBatches(limit: 100) },
            QueueQuestion("latest two batches") { try $0.latestBatches(limit: 2) },
            QueueQuestion("batch pages") { try $0.batchPage(after: nil, limit: 100) },
            QueueQuestion("batch page") { try $0.batchPage(after: "b1", limit: 2) },
            QueueQuestion("dead deliveries") { try $0.hookDeliveries([.dead], limit: 100) },
            QueueQuestion("two deliveries") { try $0.hookDeliveries(Set(HookDelivery.State.allCases), limit: 2) },
        ]
            + SpendingPeriod.allCases.map { period in
                QueueQuestion("spending by \(period)") { try $0.spending(per: period, since: Instant(milliseconds: 0)) }
            }
            + events
    }

    private static var events: [QueueQuestion] {
        var queries: [(String, EventQuery)] = [
            ("last", EventQuery(limit: 7)), ("first", EventQuery(after: EventSequence(0), limit: 9)),
            ("after", EventQuery(after: EventSequence(20), limit: 1_000)),
        ]
        for (name, change) in [
            ("job", { $0.job = JobID(5) }), ("queue", { $0.queue = "ä" }), ("batch", { $0.batch = "b1" }),
            ("states", { $0.states = [.failed, .succeeded] }), ("none", { $0.queue = "a\0b" }),
        ] as [(String, (inout EventQuery) -> Void)] {
            var query = EventQuery(limit: 100)
            change(&query)
            queries.append((name, query))
        }
        return queries.map { name, query in QueueQuestion("events: \(name)") { try $0.events(query) } }
    }

    private static func groups(_ jobs: [JobID]) -> [QueueQuestion] {
        let groups: [(String, JobGroup)] = [
            ("all", .ids(jobs)), ("none", .ids([])), ("some", .ids([JobID(3), JobID(3), JobID(999_999)])),
            ("b1", .batch("b1")), ("B2", .batch("B2")), ("ü b", .batch("ü b")), ("nobody's", .batch("x")),
            ("NUL", .batch("b\01")),
        ]
        return groups.flatMap { name, group in
            [
                QueueQuestion("tally of \(name)") { try $0.tally(of: group) },
                QueueQuestion("charged to \(name)") { try $0.charged(to: group) },
                QueueQuestion("failures of \(name)") { try $0.failures(of: group) },
                QueueQuestion("outstanding of \(name)") { try $0.outstanding(of: group) },
                QueueQuestion("holds of \(name)") { try $0.holds(of: group) },
            ]
        }
            + ["b1", "B2", "ü b", "x", "", "b\01"].flatMap { name in
                [
                    QueueQuestion("has batch \(name)") { try $0.hasBatch(name) },
                    QueueQuestion("batch \(name)") { try $0.batch(name) as Any },
                ]
            }
            + [
                QueueQuestion("missing") {
                    try $0.missing(jobs.reversed() + [JobID(999_999), JobID(0), JobID(999_999)])
                }
            ]
    }

    private static func single(_ jobs: [JobID]) -> [QueueQuestion] {
        let references =
            ["job:8/1", "job:999999", "key:key 7", "key:key 14/0", "key:nobody's"] + jobs.map { "job:\($0)/0" }
        return (jobs + [JobID(999_999)]).flatMap { job in
            [
                QueueQuestion("details of \(job)") { try $0.details(of: job) as Any },
                QueueQuestion("results of \(job)") { reader in
                    try (0...2).map { try reader.result(ResultID(job: job, ordinal: $0)) as Any }
                },
            ]
        }
            + InputReference.all(in: .array(references.map { .string($0) })).map { reference in
                QueueQuestion("source of \(reference)") { try $0.source(of: reference) as Any }
            }
    }

    private static func lists(_ name: String, _ filter: JobFilter) -> [QueueQuestion] {
        let orders = JobOrder.Key.allCases.flatMap { [JobOrder($0), JobOrder($0, isAscending: true)] }
        return orders.map { order in
            QueueQuestion("\(name), by \(order.key), ascending: \(order.isAscending)") { reader in
                try [1_000, 4].map { limit in
                    var jobs: [JobRecord] = []
                    try reader.forEachJob(matching: filter, order: order, limit: limit) { jobs.append($0) }
                    return jobs
                }
            }
        }
            + [
                QueueQuestion("\(name), ids") { reader in
                    try [1_000, 3, 0].map { try reader.ids(matching: filter, limit: $0) }
                },
                QueueQuestion("\(name), jobs") { reader in
                    try [nil, JobID(20)].map { try reader.jobs(matching: filter, after: $0, limit: 5) }
                },
                QueueQuestion("\(name), pages to the oldest") { try pages($0, filter, from: .newest) },
                QueueQuestion("\(name), pages to the newest") { try pages($0, filter, from: .after(JobID(0))) },
                QueueQuestion("\(name), a page after few looks") { reader in
                    try reader.page(PageRequest(filter, at: .before(JobID(40)), limit: 4, looks: 7))
                },
            ]
    }

    private static func pages(
        _ reader: any PageReader,
        _ filter: JobFilter,
        from start: PageRequest.Position
    ) throws -> [JobSlice] {
        var slices: [JobSlice] = []
        var position: PageRequest.Position? = start
        while let at = position, slices.count < 100 {
            let slice = try reader.page(PageRequest(filter, at: at, limit: 6, looks: 25))
            slices.append(slice)
            if case .after = at {
                position = slice.newer.map { .after($0) }
            } else {
                position = slice.older.map { .before($0) }
            }
        }
        return slices
    }

    private static var filters: [(name: String, filter: JobFilter)] {
        let changes: [(String, (inout JobFilter) -> Void)] = [
            ("everything", { _ in }), ("queued", { $0.states = [.queued] }),
            ("failed or running", { $0.states = [.failed, .running] }),
            ("unconfirmed", { $0.states = [.unconfirmed] }), ("queue", { $0.queue = "ä" }),
            ("batch", { $0.batch = "b1" }),
            ("batch and state", { ($0.batch, $0.states) = ("b1", [.queued, .succeeded]) }),
            ("queue and state", { ($0.queue, $0.states) = ("art", [.failed]) }),
            ("model", { $0.model = "other/model" }),
            ("label", { $0.labels = ["kind": "hero"] }), ("number", { $0.labels = ["kind": "hero", "n": "2"] }),
            ("true", { $0.labels = ["paid": "true"] }), ("true as 1", { $0.labels = ["paid": "1"] }),
            ("error", { $0.errorCode = "content_refused" }), ("uncharged", { $0.isUncharged = true }),
            ("key", { $0.uniqueKey = "key 14" }), ("word", { $0.words = ["fox"] }),
            ("words", { $0.words = ["FÔX", "re"] }),
            ("sign", { $0.words = ["狐"] }), ("words in a batch", { ($0.words, $0.batch) = (["zebra"], "b1") }),
            ("words and order", { ($0.words, $0.states) = (["long"], [.queued, .failed]) }),
            ("no word", { $0.words = ["%"] }),
            ("since", { $0.createdSince = Instant(milliseconds: 1) }),
            ("finished", { $0.finishedBefore = Instant(milliseconds: .max) }),
            ("impossible", { $0.queue = "a\0b" }), ("nobody's", { $0.batch = "nobody" }),
            ("impossible label", { $0.labels = ["kind": "a\0b"] }),
        ]
        return changes.map { name, change in
            var filter = JobFilter()
            change(&filter)
            return (name, filter)
        }
    }
}
