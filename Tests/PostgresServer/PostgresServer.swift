import Foundation
import Glibc
import Postgres
import Synchronization

/// A PostgreSQL server of the tests' own: in a directory of its own, on a socket in it, without a TCP port. It ends with the tests,
/// and its directory with it.
package final class PostgresServer: Sendable {
    package struct Options: Sendable {
        /// Whether it waits for the disk.
        package var syncs = false
        /// Parameters of postgresql.conf.
        package var parameters: [String: String] = [:]

        package init() {}
    }

    private struct Running {
        var program: Program
        var postmaster: pid_t
    }

    private static let making = Mutex<Task<PostgresServer, any Error>?>(nil)
    private static let starting = Mutex<Task<PostgresServer, any Error>?>(nil)

    /// With its data, its log and its socket.
    package let directory: String
    private let programs: PostgresPrograms
    private let user: ServerUser?
    private let options: Options
    private let removal: Program
    private let running = Mutex<Running?>(nil)

    private init(_ programs: PostgresPrograms, _ options: Options) throws {
        self.programs = programs
        self.options = options
        user = ServerUser.needed()
        var template = Array((NSTemporaryDirectory() + "pg-XXXXXX").utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Program.Failed(description: "no directory could be made") }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        user?.own(directory)
        removal = try Program(Guarded.removal(of: directory), log: "/dev/null")
    }

    deinit {
        stop(.immediately)
        removal.closeInput()
        // What nobody waits for keeps Swift Testing from noticing the end of its own processes.
        removal.wait()
    }

    /// The process's one server, started when it is first asked for. It does not wait for the disk.
    package static func shared() async throws -> PostgresServer {
        let task = starting.withLock { task in
            if let task { return task }
            let new = Task { try await start() }
            task = new
            return new
        }
        return try await task.value
    }

    /// A server of its own, for tests that stop or change it.
    ///
    /// - Throws: `PostgresPrograms.Missing`, which says what to install; what a program said that failed.
    package static func start(_ options: Options = Options()) async throws -> PostgresServer {
        let server = try PostgresServer(PostgresPrograms.find(), options)
        let made = making.withLock { task in
            if let task { return task }
            let new = Task { try await make() }
            task = new
            return new
        }
        try await server.execute(["/bin/cp", "-a", made.value.data, server.data])
        try await server.start()
        return server
    }

    /// What all others are copied from, because to make one takes seconds.
    private static func make() async throws -> PostgresServer {
        let server = try PostgresServer(PostgresPrograms.find(), Options())
        try await server.run([
            "initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "--no-instructions",
        ])
        let access =
            "local all locked scram-sha-256\n"
            + (try String(contentsOfFile: server.data + "/pg_hba.conf", encoding: .utf8))
        try access.write(toFile: server.data + "/pg_hba.conf", atomically: false, encoding: .utf8)
        return server
    }

    package var data: String { directory + "/data" }
    package var log: String { directory + "/log" }

    /// What libpq needs to reach a database of it.
    package func conninfo(database: String = "postgres", user: String = "postgres") -> String {
        "host=\(directory) port=5432 dbname=\(database) user=\(user)"
    }

    /// Makes an empty database, and says how to reach it.
    package func database() async throws -> String {
        let name = "t_" + UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(16)
        var settings = PostgresSettings.patient(conninfo(), applicationName: "tests")
        settings.limits.statement = nil
        let connection = try await PostgresConnection.open(settings)
        _ = try await connection.query(SQL(pasted: "CREATE DATABASE \(name)"))
        await connection.close()
        return conninfo(database: String(name))
    }

    // MARK: Starting and stopping

    package enum Stop: Sendable {
        /// Sessions are ended, and what was written is kept in order.
        case inOrder
        /// As by a crash, at the next start it recovers.
        case immediately
        /// All its processes are killed at once, with whatever they had not yet written.
        case killed
    }

    /// Returns when it takes connections.
    package func start() async throws {
        var parameters = [
            "listen_addresses": "", "unix_socket_directories": directory, "port": "5432", "max_connections": "250",
            "fsync": options.syncs ? "on" : "off", "full_page_writes": options.syncs ? "on" : "off",
            "shared_buffers": "64MB",
            "max_wal_size": "512MB", "log_min_messages": "warning", "wal_level": "replica", "hot_standby": "on",
        ]
        parameters.merge(options.parameters) { $1 }
        var command = [programs.directory + "/postgres", "-D", data]
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) { command += ["-c", "\(name)=\(value)"] }
        let program = try Program(Guarded.program(user?.running(command) ?? command, signal: "QUIT"), log: log)
        while true {
            let lines = ((try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)) ?? "")
                .split(separator: "\n", omittingEmptySubsequences: false)
            if lines.count > 7, let postmaster = pid_t(lines[0]), kill(postmaster, 0) == 0,
                ["ready", "standby"].contains(lines[7].trimmingCharacters(in: .whitespaces)), postmaster != program.pid
            {
                running.withLock { $0 = Running(program: program, postmaster: postmaster) }
                return
            }
            guard kill(program.pid, 0) == 0, !program.hasEnded else {
                throw Program.Failed(description: "the server did not start: \(said)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private var said: String { String(((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").suffix(1_000)) }

    /// Returns when it has ended.
    package func stop(_ how: Stop) {
        guard
            let stopped = running.withLock({ running in
                defer { running = nil }
                return running
            })
        else { return }
        switch how {
        case .inOrder: kill(stopped.postmaster, SIGINT)
        case .immediately: kill(stopped.postmaster, SIGQUIT)
        case .killed:
            // Stopped, it starts none while they are counted.
            kill(stopped.postmaster, SIGSTOP)
            let children = Self.processes { $0.parent == stopped.postmaster }
            for process in [stopped.postmaster] + children { kill(process, SIGKILL) }
            // They hold its shared memory until they are gone; nobody else tells when that is.
            while !Self.processes({ children.contains($0.id) && $0.state != "Z" }).isEmpty { usleep(1_000) }
        }
        stopped.program.wait()
    }

    private struct Entry {
        var id: pid_t
        var state: Substring
        var parent: pid_t
    }

    private static func processes(_ isMeant: (Entry) -> Bool) -> [pid_t] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap(pid_t.init).filter { process in
            guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                let end = status.lastIndex(of: ")")
            else { return false }
            // After the name in parentheses: state, parent.
            let words = status[end...].split(separator: " ").dropFirst()
            guard words.count > 1, let state = words.first, let parent = words.dropFirst().first.flatMap({ pid_t($0) })
            else { return false }
            return isMeant(Entry(id: process, state: state, parent: parent))
        }
    }

    // MARK: Standby

    /// A standby of this server, which follows it from now on.
    ///
    /// - Parameter name: by which `synchronous_standby_names` knows it.
    package func standby(_ name: String) async throws -> PostgresServer {
        let standby = try PostgresServer(programs, options)
        try await standby.run([
            "pg_basebackup", "-h", directory, "-p", "5432", "-U", "postgres", "-D", standby.data, "-X", "stream", "-c",
            "fast",
            "-R", "--no-sync",
        ])
        let source = "primary_conninfo = 'host=\(directory) port=5432 user=postgres application_name=\(name)'\n"
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: standby.data + "/postgresql.auto.conf"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(source.utf8))
        try file.close()
        try await standby.start()
        return standby
    }

    /// Makes a standby the primary.
    package func promote() async throws {
        try await run(["pg_ctl", "-D", data, "-w", "promote"])
    }

    /// Runs one of the server's programs, as its user.
    package func run(_ command: [String]) async throws {
        try await execute([programs.directory + "/" + command[0]] + command.dropFirst())
    }

    private func execute(_ command: [String]) async throws {
        let whole = user?.running(command) ?? command
        let log = log
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                continuation.resume(with: Result { try Program.run(whole, log: log) })
            }
        }
    }
}
