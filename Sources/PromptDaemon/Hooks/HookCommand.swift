import Concurrency
import Glibc
import PromptQueue
import Subprocess
import Synchronization
import SystemPackage

/// Runs a hook's program: without a shell, with an environment of its own, for a bounded time, and with an end to all that it has
/// started.
struct HookCommand: Sendable {
    /// What a program has said at most, for the log.
    static let keptBytes = 2_000
    /// Between SIGTERM and SIGKILL.
    private static let grace: Duration = .seconds(3)

    let words: [String]
    let environment: [String: String]
    let timeout: Duration

    /// What became of it, and what it has said.
    struct End: Sendable, Equatable {
        var outcome: HookOutcome
        var output: String
    }

    /// - Parameter input: what it reads; it need not.
    func run(_ input: [UInt8]) async throws -> End {
        var options = PlatformOptions()
        // A group of its own, so that what it starts ends with it.
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: Self.grace)]
        var variables: [Environment.Key: String] = [:]
        for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
        let group = Group()
        defer { group.end() }
        do {
            let status = try await withDeadline(timeout, clock: .continuous) { [options, variables] in
                let result = try await Subprocess.run(
                    .path(FilePath(words.first ?? "")),
                    arguments: Arguments(Array(words.dropFirst())),
                    environment: .custom(variables),
                    workingDirectory: "/",
                    platformOptions: options,
                    input: .inputWriter,
                    output: .sequence,
                    error: .combinedWithOutput
                ) { execution in
                    group.begin(execution.processIdentifier.value)
                    async let output: Void = Self.read(execution.standardOutput, into: group)
                    do {
                        _ = try await execution.standardInputWriter.write(input)
                        try await execution.standardInputWriter.finish()
                    } catch let error as SubprocessError where error.code == .failedToWriteToSubprocess {
                        // It has ended, or closed its input, without reading all: that is its own affair.
                    }
                    try await output
                }
                return result.terminationStatus
            }
            let outcome: HookOutcome = status.isSuccess ? .delivered : .failed("the program \(status.words)")
            return End(outcome: outcome, output: group.output)
        } catch is DeadlineExceeded {
            return End(
                outcome: .failed("the program took longer than \(timeout.text) and was ended"),
                output: group.output
            )
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            return End(outcome: .failed("the program cannot be run: \(error)"), output: group.output)
        }
    }

    private static func read(_ sequence: SubprocessOutputSequence, into group: Group) async throws {
        for try await chunk in sequence {
            group.said(unsafe chunk.withUnsafeBytes { unsafe Array($0.prefix(keptBytes)) })
        }
    }

    /// The processes of one run.
    private final class Group: Sendable {
        private let state = Mutex((leader: pid_t(0), output: [UInt8]()))

        func begin(_ leader: pid_t) { state.withLock { $0.leader = leader } }

        func said(_ bytes: [UInt8]) {
            state.withLock { state in
                state.output += bytes.prefix(max(0, HookCommand.keptBytes - state.output.count))
            }
        }

        var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }

        /// Whoever is left of them.
        func end() {
            let leader = state.withLock { $0.leader }
            if leader > 1 { kill(-leader, SIGKILL) }
        }
    }
}

extension TerminationStatus {
    fileprivate var words: String {
        switch self {
        case .exited(let code): "ended with exit status \(code)"
        case .signaled(let signal): "was ended by signal \(signal)"
        }
    }
}
