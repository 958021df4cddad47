import Foundation
import LedgerConformance
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Testing

/// What a daemon asks of its store beside claims and outcomes.
@Suite struct ReadingTests {
    private let now = Instant(milliseconds: Int64(Date.now.timeIntervalSince1970 * 1_000))
    private static let price = Credits(millicredits: 14_000)

    private func open(_ place: PostgresPlace) async throws -> PostgresLedger {
        try await .patient(place.conninfo)
    }

    private func claimOne(_ ledger: PostgresLedger) async throws -> ClaimedJob {
        let request = ClaimRequest(
            limit: 1,
            rate: RateLimit(count: 20, window: .seconds(10)),
            runningLimit: 9,
            now: now
        )
        let claim = try await ledger.claim(request) { job in
            .ready(
                PreparedInput(
                    input: ["prompt": .string(job.prompt ?? "")],
                    estimate: Estimate(credits: Self.price, basis: .listed("test"))
                )
            )
        }
        return try #require(claim.jobs.first)
    }

    @Test func `a callback's token leads to its request, and the task that it names is kept a few times`() async throws
    {
        let place = try await PostgresPlace.make()
        let job = try await place.add("a fox")
        let ledger = try await open(place)
        let claimed = try await claimOne(ledger)
        for number in 1...12 { try await ledger.noteHint(claimed.attempt, task: TaskID("task-\(number)")) }
        let target = try #require(try await ledger.hintTarget(token: claimed.token))
        #expect(target.job == job)
        #expect(target.state == .sending && target.isOpen && target.prompt == "a fox")
        #expect(target.hinted == TaskID("task-\(HintTarget.maximumChanges)"))
        #expect(try await ledger.hintTarget(token: AttemptToken("nobody's")) == nil)
        // A refusal that a callback contradicts proves nothing.
        let refused = Failure(.providerFault, "100% %s no \u{1} such thing", httpStatus: 500)
        let result = try await ledger.record(.rejected(claimed.attempt, refused, then: .fail), now: now)
        #expect(result.job?.state == .unconfirmed)
        try await ledger.close()
    }

    @Test func `prices and models are the store's, and what was charged is observed`() async throws {
        let place = try await PostgresPlace.make()
        let ledger = try await open(place)
        let override = PriceOverride(
            model: "m",
            conditions: ["n": 2],
            credits: Credits(millicredits: 1_500),
            measure: .task,
            source: .configuration
        )
        for _ in 1...2 { try await ledger.setPrices([override], defaultPrice: Credits(millicredits: 7_000)) }
        let rows = try await place.connection.query("SELECT count(*) FROM promptd.prices")
        #expect(try rows.only()[0] as Int64 == 1)
        let model = ProviderModel(name: "new/model", isListed: true, title: "New", taskTypes: ["a"], readAt: now)
        try await ledger.keep([model])
        #expect(try await ledger.providerModels().map(\.name) == ["new/model"])
        #expect(try await ledger.catalogueReadAt() == now)
        #expect(try await ledger.charges().isEmpty)
        _ = try await place.add("a fox")
        let job = try await claimOne(ledger)
        _ = try await ledger.record(.accepted(job.attempt, task: TaskID("t"), httpStatus: 200), now: now)
        let charged = Credits(millicredits: 9_000)
        _ = try await ledger.record(
            .taskSucceeded(job.attempt, [.file(url: "https://x/1", role: "first")], charged: charged, fetch: true),
            now: now
        )
        #expect(try await ledger.charges()[job.model]?.map(\.charged) == [charged])
        let provenance = try #require(try await ledger.provenance(of: job.job))
        #expect(provenance.sent == #"{"prompt":"a fox"}"# && provenance.charged == charged)
        #expect(provenance.results.map(\.role) == ["first"])
        try await ledger.close()
    }

    @Test func `the figures are those of the views`() async throws {
        let place = try await PostgresPlace.make()
        for number in 1...3 { _ = try await place.add("\(number)") }
        let ledger = try await open(place)
        let rate = RateLimit(count: 20, window: .seconds(10))
        try await ledger.begin(DaemonIdentity(processID: 1, version: "v", rate: rate, runningLimit: 9), now: now)
        let job = try await claimOne(ledger)
        _ = try await ledger.record(.unknown(job.attempt, Failure(.answerLost, "cut")), now: now)
        try await ledger.beat(now: now)
        let figures = try await ledger.figures()
        #expect(figures.jobs.filter { $0.jobs > 0 }.map { "\($0.state) \($0.jobs)" } == ["queued 2", "unconfirmed 1"])
        #expect(figures.queues.map(\.due) == [2])
        #expect(figures.reserved == Self.price && figures.reservedForUnknown == Self.price)
        #expect(figures.rateUsed == 1 && figures.rateLimit == 20)
        #expect(figures.heartbeat != nil && figures.databaseBytes > 0)
        #expect(figures.accounts.map(\.name) == [.standard])
        #expect(await ledger.isWritable())
        try await ledger.close()
    }

    @Test func `a balance is compared with what is booked, and may show that a lost request cost nothing`() async throws
    {
        let place = try await PostgresPlace.make()
        for number in 1...2 { _ = try await place.add("\(number)") }
        let ledger = try await open(place)
        func read(_ credits: Int64) async throws -> CommitResult {
            let reading = BalanceReading(balance: Credits(millicredits: credits), askedAt: now, isQuiet: true)
            return try await ledger.record(.balance(reading, settles: true), now: now)
        }
        _ = try await read(1_000_000)
        let lost = try await claimOne(ledger)
        _ = try await ledger.record(.unknown(lost.attempt, Failure(.answerLost, "cut")), now: now)
        // A minute later, as far as the ledger can tell.
        _ = try await place.connection.query(
            """
            CREATE OR REPLACE FUNCTION promptd.now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
                RETURN (date_part('epoch', clock_timestamp()) * 1000)::bigint + 120000
            """
        )
        let result = try await read(1_000_000)
        #expect(result.settled.map(\.attempt) == [lost.attempt])
        #expect(try await place.state(of: lost.job) == .queued)
        #expect(try await place.reserved(lost.job) == .zero)
        try await ledger.close()
    }

    @Test func `what promptd dies of again and again is left alone`() async throws {
        let place = try await PostgresPlace.make()
        let job = try await place.add("a fox")
        let ledger = try await open(place)
        let step = RiskyStep.claim(job)
        let crash = SuddenEnd.crash(signal: 11)
        #expect(try await ledger.noteDeaths([step], crash, version: "1", now: now).isEmpty)
        #expect(try await ledger.suspects() == [step])
        let aside = try await ledger.noteDeaths([step], crash, version: "1", now: now)
        #expect(aside.map(\.job) == [job])
        #expect(try await place.state(of: job) == .failed)
        #expect(try await ledger.noteDeaths([], crash, version: "2", now: now).isEmpty)
        #expect(try await ledger.suspects().isEmpty, "another version tries again")
        try await ledger.close()
    }
}
