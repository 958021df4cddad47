import GRDB
import PromptQueue
import Testing

@testable import JobStore

/// What is reserved, and on what it rests.
@Suite struct PriceTests {
    private let listed = Estimate(credits: Credits(millicredits: 14_000), basis: .listed("test"))

    /// Claims all jobs; their inputs are taken as they are, and priced if the model is `listed`.
    private func claim(_ fixture: LedgerFixture, limit: Int = 20, at instant: Instant? = nil) async throws -> Claim {
        try await fixture.ledger.claim(fixture.request(limit, at: instant)) { [listed] job in
            let input = (try? JSONValue(parsing: job.input))?.objectValue ?? [:]
            return .ready(PreparedInput(input: input, estimate: job.model == "listed" ? listed : nil))
        }
    }

    /// Settles tasks of a model with these charges; nil where the provider reports none.
    private func settle(_ fixture: LedgerFixture, _ model: String, _ charges: [Int64?]) async throws {
        for (index, charge) in charges.enumerated() {
            try fixture.insert("(prompt, model) VALUES ('x', '\(model)')")
            // Each in a window of its own.
            let now = fixture.now + .seconds(60) * (index + 1)
            let job = try #require(try await claim(fixture, limit: 1, at: now).jobs.first)
            try await fixture.record(
                .accepted(job.attempt, task: TaskID("\(model)-\(job.job)"), httpStatus: 200),
                at: now
            )
            try await fixture.record(
                .taskSucceeded(
                    job.attempt,
                    [.file(url: "u")],
                    charged: charge.map { Credits(millicredits: $0) },
                    fetch: false
                ),
                at: now
            )
        }
    }

    private func reserved(_ fixture: LedgerFixture) throws -> [String] {
        try fixture.rows(
            """
            SELECT a.reserved_millicredits, a.estimated_millicredits, a.estimate_basis, j.estimated_millicredits,
                j.estimate_basis FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id WHERE a.finished_at IS NULL
            ORDER BY a.id
            """
        )
    }

    @Test func `the claim reserves by override, by list and by default, and says which`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(
            """
            INSERT INTO prices (model, input, millicredits, per) VALUES
                ('listed', '{"resolution": "2K"}', 24000, NULL), ('film', '{}', 3000, 'duration')
            """
        )
        try fixture.insert(
            "(model) VALUES ('listed')",
            "(model, input) VALUES ('listed', '{\"resolution\":\"2k\"}')",
            "(model, input) VALUES ('film', '{\"duration\":\"5\"}')",
            "(model) VALUES ('film')"
        )
        _ = try await claim(fixture)
        #expect(
            try reserved(fixture) == [
                "14000|14000|listed|14000|listed", "24000|24000|override|24000|override",
                "15000|15000|override|15000|override", "20000|20000|default|20000|default",
            ]
        )
        #expect(try fixture.rows("SELECT estimate_basis FROM job_status WHERE id = 2") == ["override"])
    }

    @Test func `a model without a price is estimated by the median of what the ledger has seen`() async throws {
        let fixture = try LedgerFixture()
        try await settle(fixture, "new", [5_000, 9_000])
        try fixture.insert("(model) VALUES ('new')")
        _ = try await claim(fixture)
        #expect(try reserved(fixture) == ["20000|20000|default|20000|default"])
        try await settle(fixture, "other", [1_000, 1_000, 1_000])
        try await settle(fixture, "new", [8_000])
        try fixture.insert("(model) VALUES ('new')")
        _ = try await claim(fixture)
        #expect(try reserved(fixture).last == "8000|8000|observed|8000|observed")
    }

    @Test func `failed tasks and charges that nobody reported are not observations`() async throws {
        let fixture = try LedgerFixture()
        try await settle(fixture, "new", [1_000, 1_000, nil, nil])
        try fixture.insert("(prompt, model) VALUES ('x', 'new')")
        let job = try #require(try await claim(fixture).jobs.first)
        try await fixture.record(.accepted(job.attempt, task: TaskID("f"), httpStatus: 200))
        try await fixture.record(
            .taskFailed(job.attempt, Failure(.taskFailed, "x"), charged: Credits(millicredits: 1_000), then: .fail)
        )
        try fixture.insert("(model) VALUES ('new')")
        _ = try await claim(fixture)
        #expect(try reserved(fixture) == ["20000|20000|default|20000|default"])
        #expect(
            try fixture.rows("SELECT charged_millicredits, charge_reported FROM attempts ORDER BY id").prefix(4)
                == ["1000|1", "1000|1", "20000|0", "20000|0"]
        )
    }

    @Test func `what was estimated is kept when the charge is booked`() async throws {
        let fixture = try LedgerFixture()
        try await settle(fixture, "listed", [18_000])
        #expect(
            try fixture.rows(
                "SELECT reserved_millicredits, estimated_millicredits, estimate_basis, charged_millicredits FROM attempts"
            ) == ["0|14000|listed|18000"]
        )
        #expect(
            fixture.refusal("UPDATE attempts SET estimated_millicredits = 1")
                == "attempts: the ledger cannot be rewritten"
        )
    }

    @Test func `the configuration's prices are replaced, the operator's stay`() async throws {
        let fixture = try LedgerFixture()
        let rows = "SELECT model, input, millicredits, per, source FROM prices ORDER BY model, source"
        try fixture.run("INSERT INTO prices (model, millicredits, note) VALUES ('a', 1000, 'agreed')")
        let price = { (model: String, credits: Int64) in
            PriceOverride(model: model, credits: Credits(millicredits: credits), source: .configuration)
        }
        try await fixture.ledger.setPrices([price("a", 2_000), price("b", 3_000)], defaultPrice: .zero)
        #expect(
            try fixture.rows(rows) == ["a|{}|2000||configuration", "a|{}|1000||operator", "b|{}|3000||configuration"]
        )
        try await fixture.ledger.setPrices([price("b", 4_000)], defaultPrice: Credits(millicredits: 7_000))
        #expect(try fixture.rows(rows) == ["a|{}|1000||operator", "b|{}|4000||configuration"])
        try fixture.insert("(model) VALUES ('a')", "(model) VALUES ('b')", "(model) VALUES ('c')")
        _ = try await claim(fixture)
        #expect(
            try reserved(fixture).map { $0.prefix { $0 != "|" } } == ["1000", "4000", "7000"]
        )
    }

    @Test(arguments: [
        ("(model, millicredits) VALUES ('', 1)", "prices.model: must not be empty"),
        ("(model, millicredits) VALUES ('a', -1)", "prices.millicredits: 0 to 1000000000"),
        ("(model, millicredits, input) VALUES ('a', 1, '[]')", "prices.input: must be a JSON object"),
        ("(model, millicredits, per) VALUES ('a', 1, 'two words')", "prices.per: NULL (a task), a field"),
        ("(model, millicredits, per) VALUES ('a', 1, '')", "prices.per: NULL (a task), a field"),
        ("(model, millicredits, source) VALUES ('a', 1, 'me')", "prices.source: operator"),
        ("(model, millicredits) VALUES ('a', 1), ('a', 2)", "UNIQUE constraint failed"),
    ])
    func `a malformed price is refused with what is wrong`(values: String, message: String) throws {
        let refusal = try LedgerFixture().refusal("INSERT INTO prices " + values)
        #expect(refusal?.contains(message) == true, "\(refusal ?? "not refused")")
    }

    @Test func `a producer may give an estimate with its basis, and no basis alone`() throws {
        let fixture = try LedgerFixture()
        try fixture.insert("(prompt, estimated_millicredits, estimate_basis) VALUES ('x', 5, 'listed')")
        for values in [
            "(prompt, estimate_basis) VALUES ('x', 'listed')",
            "(prompt, estimated_millicredits, estimate_basis) VALUES ('x', 5, 'guess')",
        ] {
            #expect(fixture.refusal("INSERT INTO jobs " + values)?.contains("jobs.estimate_basis: listed") == true)
        }
    }

    @Test func `a price that only SQLite can read holds up no claim`() async throws {
        let fixture = try LedgerFixture()
        try fixture.run(#"INSERT INTO prices (model, millicredits, input) VALUES ('listed', 1, '{"a":"\ud800"}')"#)
        try fixture.insert("(model) VALUES ('listed')")
        _ = try await claim(fixture)
        #expect(try reserved(fixture) == ["14000|14000|listed|14000|listed"])
    }

    @Test func `charges are found by an index, however many there are`() throws {
        let fixture = try LedgerFixture()
        let details = try fixture.ledger.pool.read { db in
            var details: [String] = []
            db.trace { event in
                guard case .statement(let statement) = event, !statement.sql.hasPrefix("EXPLAIN") else { return }
                details.append(statement.sql)
            }
            _ = try PriceRows.charges(of: "a", db)
            _ = try PriceRows.chargedModels(db)
            db.trace()
            return try details.flatMap { sql -> [String] in
                let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
                statement.setUncheckedArguments(StatementArguments(Array(repeating: DatabaseValue.null, count: 5)))
                return try Row.fetchAll(statement).map { $0["detail"] as String }
            }
        }
        let attempts = details.filter { $0.contains("attempts") }
        #expect(attempts.count == 3)
        #expect(
            attempts.allSatisfy { $0.hasPrefix("SEARCH attempts") && $0.contains("attempts_charged") },
            "\(details)"
        )
        #expect(!details.contains { $0.contains("TEMP B-TREE") }, "\(details)")
    }
}
