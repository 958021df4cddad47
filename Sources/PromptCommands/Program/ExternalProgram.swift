import Concurrency
import Glibc
import PromptQueue
import Subprocess
import SystemPackage

/// Another program, run without a shell, for a bounded time, with its complaints kept.
struct ExternalProgram: Sendable {
    /// Why one did not do what was asked of it.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let keptBytes = 16_384

    let path: String

    /// The first of that name in `PATH`; a name with a slash is a path itself.
    init?(_ name: String, environment: [String: String]) {
        guard !name.contains("/") else {
            guard Self.isExecutable(name) else { return nil }
            path = name
            return
        }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let found = folders.map { folder -> String in "\(folder)/\(name)" }.first(where: Self.isExecutable)
        guard let found else { return nil }
        path = found
    }

    private static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    /// Runs it to its end, with nothing on its standard input. Whatever it writes is dropped, but for the reason of a failure.
    ///
    /// - Throws: `Failure`, with the last that it said.
    func run(_ arguments: [String], within limit: Duration) async throws {
        let name = FilePathParts.split(path).name
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(1))]
        let result: ExecutionResult<Void, DiscardedOutput, StringOutput<UTF8>>
        do {
            result = try await withDeadline(limit, clock: .continuous) { [options] in
                try await Subprocess.run(
                    .path(FilePath(path)),
                    arguments: Arguments(arguments),
                    platformOptions: options,
                    output: .discarded,
                    error: .string(limit: Self.keptBytes)
                )
            }
        } catch is DeadlineExceeded {
            throw Failure(description: "\(name): took longer than \(limit.inWords) and was ended")
        } catch let error as SubprocessError {
            throw Failure(description: "\(name): cannot be run: \(error)")
        }
        guard !result.terminationStatus.isSuccess else { return }
        let said = result.standardError.split(separator: "\n").last.map { ": \(oneLine(String($0)))" } ?? ""
        throw Failure(description: "\(name): \(result.terminationStatus)\(said)")
    }
}
