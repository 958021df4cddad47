import Foundation
import Synchronization

/// A program that a test has started.
///
/// What it prints goes to files: nobody has to read for it to go on, and all of it can be shown when a test fails.
final class RunningProgram: Sendable {
    let name: String
    let pid: Int32
    private let outputPath: String
    private let errorPath: String
    private let known = Mutex<End?>(nil)

    /// How a program ended.
    enum End: Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    /// - Parameters:
    ///   - program: a name in the folder of the programs under test, or a path.
    ///   - inputPath: the file for its standard input.
    ///   - logs: the folder for its output.
    init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String],
        inputPath: String = "/dev/null",
        logs: String,
        label: String
    ) throws {
        name = label
        outputPath = "\(logs)/\(label).out"
        errorPath = "\(logs)/\(label).err"
        pid = try Spawn(
            path: Programs.path(of: program),
            arguments: arguments,
            environment: environment,
            input: inputPath,
            output: outputPath,
            errors: errorPath
        ).run()
    }

    var output: String { Self.read(outputPath) }
    var errors: String { Self.read(errorPath) }

    private static func read(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    /// How it ended; nil while it runs.
    var ended: End? {
        known.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return nil }
            // wait(2): the low seven bits are the signal, the byte above them the exit status.
            let signal = status & 0x7F
            known = signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal)
            return known
        }
    }

    var isRunning: Bool { ended == nil }

    func send(_ signal: Int32) {
        // The pid is ours as long as nobody has waited for it.
        if isRunning { kill(pid, signal) }
    }

    /// Returns when the program has ended.
    func end(within limit: Duration = .seconds(45)) async throws -> End {
        try await eventually("\(name) ends", within: limit, every: .milliseconds(3), explain: { tail }) { ended }
    }

    /// Returns the first line that holds `text`, on either output.
    @discardableResult
    func line(with text: String) async throws -> String {
        try await eventually("\(name) prints \"\(text)\"", every: .milliseconds(10), explain: { tail }) {
            let isRunning = isRunning
            for line in (output + errors).split(separator: "\n") where line.contains(text) { return String(line) }
            guard isRunning else {
                throw NeverHappened(description: "\(name) ended without printing \"\(text)\"\n\(tail)")
            }
            return nil
        }
    }

    /// The last of what it printed, for the report of a failure.
    var tail: String {
        (output + errors).split(separator: "\n").suffix(40).map { "  \(name): \($0)" }.joined(separator: "\n")
    }
}
