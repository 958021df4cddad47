import Foundation
import Testing

/// A scratch folder with everything that one test starts in it.
final class Stage {
    /// Deleted at the end.
    let folder: String
    private var programs: [RunningProgram] = []

    var database: String { "\(folder)/promptd.sqlite" }
    var media: String { "\(folder)/media" }
    var configuration: String { "\(folder)/promptd.yaml" }
    var ledger: Ledger { Ledger(path: database, stage: self) }

    private init() throws {
        folder = NSTemporaryDirectory() + "promptd-test-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try write("", to: configuration)
    }

    /// Runs `body`, then ends whatever it has started.
    static func with(_ body: (Stage) async throws -> Void) async throws {
        let stage = try Stage()
        do {
            try await body(stage)
            await stage.clear()
        } catch {
            Issue.record("what the programs said last:\n\(stage.programs.map(\.tail).joined(separator: "\n"))")
            await stage.clear()
            throw error
        }
    }

    private func clear() async {
        for program in programs {
            program.send(SIGKILL)
            do { _ = try await program.end() } catch { Issue.record(error) }
            let text = program.output + program.errors
            if !text.isEmpty { Attachment.record(text, named: "\(program.name).log") }
        }
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            Issue.record(error)
        }
    }

    func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    // MARK: - Programs

    /// `environment` with what every program needs; nobody's dot files are read.
    private func surroundings(_ environment: [String: String]) -> [String: String] {
        Programs.environment.merging(["HOME": folder]) { $1 }.merging(environment) { $1 }
    }

    /// Starts a program that stays.
    func start(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> RunningProgram {
        let running = try RunningProgram(
            program,
            arguments,
            environment: surroundings(environment),
            logs: folder,
            label: "\(programs.count)-\(URL(filePath: program).lastPathComponent)"
        )
        programs.append(running)
        return running
    }

    /// What a program that ends by itself had to say.
    struct Said {
        let end: RunningProgram.End
        let output: String
        let errors: String
    }

    /// Runs a program to its end.
    func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String? = nil
    ) async throws -> Said {
        let label = "run-\(UUID().uuidString.prefix(8))"
        let inputPath = "\(folder)/\(label).in"
        if let input { try write(input, to: inputPath) }
        let running = try RunningProgram(
            program,
            arguments,
            environment: surroundings(environment),
            inputPath: input == nil ? "/dev/null" : inputPath,
            logs: folder,
            label: label
        )
        let end = try await running.end()
        let said = Said(end: end, output: running.output, errors: running.errors)
        for suffix in ["in", "out", "err"] {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(label).\(suffix)")
        }
        return said
    }

    /// Starts a sandbox on a free port.
    func sandbox(_ arguments: String...) async throws -> Sandbox {
        try await sandbox(arguments)
    }

    func sandbox(_ arguments: [String]) async throws -> Sandbox {
        let program = try start("kie-sandbox", ["--listen", "127.0.0.1:0"] + arguments)
        let line = try await program.line(with: "listening on http://")
        let url = try #require(line.split(separator: " ").last)
        return Sandbox(url: String(url), program: program)
    }

    /// The environment of a daemon that works with `sandbox`.
    func environment(_ sandbox: Sandbox?, _ settings: [String: String] = [:]) -> [String: String] {
        [
            "PROMPTD_DATABASE": database, "PROMPTD_MEDIA": media, "PROMPTD_WEB_LISTEN": "off",
            "PROMPTD_PROVIDER_BASE_URL": sandbox?.url ?? "http://127.0.0.1:1", "PROMPTD_LOG_LEVEL": "debug",
            "PROMPTD_LOG_FORMAT": "text", "KIE_API_KEY": "sandbox-key",
        ]
        .merging(settings) { $1 }
        .filter { !$0.value.isEmpty }
    }

    /// Starts a daemon and returns when it is running.
    ///
    /// - Parameter settings: over the usual ones; an empty value unsets one.
    func daemon(_ sandbox: Sandbox?, _ settings: [String: String] = [:]) async throws -> RunningProgram {
        let program = try start("promptd", ["--config", configuration], environment: environment(sandbox, settings))
        try await program.line(with: "is running")
        return program
    }

    /// Opens idle connections to each port, and returns when they are there. Half of them say nothing, half begin a request
    /// and never end it. They go with the program.
    func idlers(_ count: Int, on ports: UInt16...) async throws -> RunningProgram {
        let script = """
            for n in $(seq \(count)); do
                for port in \(ports.map(String.init).joined(separator: " ")); do
                    exec {socket}<>/dev/tcp/127.0.0.1/$port
                    (( n % 2 )) || printf 'POST /x HTTP/1.1\\r\\nHost: x\\r\\n' >&$socket
                done
            done
            echo they are there
            sleep 600
            """
        let program = try start("/usr/bin/env", ["bash", "-c", script])
        try await program.line(with: "they are there")
        return program
    }

    /// Ends a daemon in an orderly way.
    func stop(_ daemon: RunningProgram) async throws {
        daemon.send(SIGTERM)
        let end = try await daemon.end()
        #expect(end == .exit(0), "\(end) \(daemon.tail)")
    }

    /// Starts a daemon that is expected to refuse.
    func refusal(_ settings: [String: String] = [:], arguments: [String] = []) async throws -> Said {
        try await run(
            "promptd",
            ["--config", configuration] + arguments,
            environment: environment(nil, settings)
        )
    }
}
