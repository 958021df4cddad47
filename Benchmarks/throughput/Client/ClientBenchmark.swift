import KieAPI
import PromptQueue
import Synchronization

/// The two calls of a job, by promptd's own client and nothing else: no queue, no ledger, no schedule.
///
/// What promptd could carry at most. Prints how many seconds the jobs took.
///
///     client-benchmark BASE-URL JOBS CONCURRENCY
@main
struct ClientBenchmark {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let jobs = Int(arguments[2]), let concurrency = Int(arguments[3]) else {
            print("usage: client-benchmark BASE-URL JOBS CONCURRENCY")
            throw Problem.usage
        }
        let client = KieClient(KieSettings(baseURL: arguments[1]), key: Secret("a-key"))
        let start = ContinuousClock.now
        try await carry(jobs, concurrency: concurrency, client)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try await client.shutdown()
        print(seconds)
    }

    @concurrent private static func carry(_ jobs: Int, concurrency: Int, _ client: KieClient) async throws {
        let begun = Counter()
        try await withThrowingDiscardingTaskGroup { group in
            for _ in 0..<concurrency {
                group.addTask {
                    while true {
                        let number = begun.next()
                        guard number <= jobs else { return }
                        try await carry(number, client)
                    }
                }
            }
        }
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)

        func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    private static func carry(_ number: Int, _ client: KieClient) async throws {
        let input: JSONObject = [
            "prompt": .string("a red fox in the snow, number \(number)"), "aspect_ratio": "1:1", "resolution": "1K",
        ]
        let made = await client.createTask(model: "flux-2/flex-text-to-image", input: input, callbackURL: nil)
        guard case .accepted(let task, _) = made else { throw Problem.unexpected("\(made)") }
        let answer = await client.recordInfo(task)
        guard case .succeeded = answer.outcome else { throw Problem.unexpected("\(answer.outcome)") }
    }

    private enum Problem: Error {
        case usage
        case unexpected(String)
    }
}
