import Concurrency
import JobStore
import Logging
import PromptConfiguration
import PromptQueue
import Synchronization
import Testing

@testable import PromptDaemon

/// When the provider is asked what models it has, and what becomes of the answer.
@Suite struct CatalogueKeeperTests {
    /// Each sleep passes at once; after so many of them the service is to end.
    private final class Time: TimeSource {
        private let state: Mutex<(uptime: Duration, sleeps: Int)>
        private let limit: Int

        init(sleeps limit: Int) {
            self.limit = limit
            state = Mutex((.zero, 0))
        }

        var now: Moment {
            state.withLock { Moment(instant: Catalogue.builtInDate + .seconds(86_400) + $0.uptime, uptime: $0.uptime) }
        }

        func sleep(until uptime: Duration) async throws {
            let isOver = state.withLock { state in
                state.uptime = max(state.uptime, uptime)
                state.sleeps += 1
                return state.sleeps > limit
            }
            if isOver { throw CancellationError() }
        }
    }

    private final class Source: ModelSource {
        let asked = Mutex(0)
        let answer: Mutex<Result<[String], FailureError>>

        init(_ answer: Result<[String], FailureError>) { self.answer = Mutex(answer) }

        func models(now: Instant) async -> Result<[ProviderModel], FailureError> {
            asked.withLock { $0 += 1 }
            return answer.withLock { $0 }.map { $0.map { ProviderModel(name: $0, pricing: "1 credit", readAt: now) } }
        }

        func inputSchema(of model: String) async -> Result<JSONObject?, FailureError> { .success(nil) }
        func pricing(of model: String) async -> Result<String?, FailureError> { .success(nil) }
    }

    private func run(
        _ source: Source,
        _ run: EngineRun,
        every interval: RefreshInterval = .every(.seconds(7 * 86_400)),
        sleeps: Int
    ) async throws {
        let keeper = CatalogueKeeper(
            ledger: run.ledger,
            source: source,
            interval: { interval },
            time: Time(sleeps: sleeps),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await keeper.run()
    }

    private var names: [String] {
        Catalogue.builtIn.models.values.filter(\.isDocumented).map(\.name) + ["flux-3/text-to-image"]
    }

    @Test func `the first look keeps what is new, and the next is a week later`() async throws {
        let run = try EngineRun()
        let source = Source(.success(names))
        // A look is ten minutes; each model takes a pause.
        try await self.run(source, run, sleeps: names.count + 900)
        #expect(source.asked.withLock { $0 } == 1)
        #expect(run.ledger.catalogue.model(named: "flux-3/text-to-image") != nil)
        try await self.run(source, run, sleeps: 2 * names.count + 1_100)
        #expect(source.asked.withLock { $0 } == 2)
    }

    @Test func `never is never`() async throws {
        let run = try EngineRun()
        let source = Source(.success(names))
        try await self.run(source, run, every: .never, sleeps: 2_000)
        #expect(source.asked.withLock { $0 } == 0)
    }

    @Test func `a provider that does not answer is asked again after hours, and nothing is lost`() async throws {
        let run = try EngineRun()
        let source = Source(.failure(FailureError(Failure(.providerUnavailable, "HTTP 502"))))
        // 6 hours are 36 looks.
        try await self.run(source, run, sleeps: 36 * 3)
        #expect(source.asked.withLock { $0 } == 3)
        #expect(try await run.ledger.catalogueReadAt() == nil)
    }
}
