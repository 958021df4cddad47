import Foundation

/// A pgbouncer before a server, on a socket in the server's directory.
package final class Pgbouncer: Sendable {
    package enum Mode: String, Sendable { case transaction, session }

    private let program: Program
    /// What libpq needs to reach a database through it.
    package let conninfo: String

    /// - Parameter program: where pgbouncer is.
    package init(_ program: String, before server: PostgresServer, mode: Mode) async throws {
        let user = ServerUser.needed()
        let folder = server.directory + "/pgbouncer-\(mode)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let settings = """
            [databases]
            * = host=\(server.directory) port=5432 user=postgres
            [pgbouncer]
            listen_addr =
            listen_port = 6432
            unix_socket_dir = \(folder)
            auth_type = any
            pool_mode = \(mode)
            ignore_startup_parameters = extra_float_digits
            logfile = \(folder)/log
            pidfile = \(folder)/pid
            """
        try settings.write(toFile: folder + "/pgbouncer.ini", atomically: false, encoding: .utf8)
        user?.own(folder)
        let command = [program, folder + "/pgbouncer.ini"]
        self.program = try Program(
            Guarded.program(user?.running(command) ?? command, signal: "TERM"),
            log: folder + "/output"
        )
        conninfo = "host=\(folder) port=6432 dbname=postgres user=postgres"
        while !FileManager.default.fileExists(atPath: folder + "/.s.PGSQL.6432") {
            guard !self.program.hasEnded else {
                let said = (try? String(contentsOfFile: folder + "/output", encoding: .utf8)) ?? ""
                throw Program.Failed(description: "pgbouncer did not start: \(said.suffix(2_000))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    deinit {
        program.closeInput()
        program.wait()
    }
}
