import Foundation
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Synchronization
import Testing

/// A server on which fixtures have databases of their own, each a copy of one with promptd's schema.
final class CommandServer: Sendable {
    /// Where fixtures are made; nil: in files.
    @TaskLocal static var current: CommandServer?

    private static let starting = Mutex<Task<CommandServer, any Error>?>(nil)
    private static let template = "commands"

    private let server: PostgresServer
    private let connection: BlockingConnection
    /// On which nobody waits: a database is dropped only when every session of the server has heard of it, and one that is sent rows by COPY
    /// hears nothing until the next comes. Whoever sends them may be waiting for the thread that waits.
    private let dropping: PostgresConnection

    static func shared() async throws -> CommandServer {
        let task = starting.withLock { task in
            if let task { return task }
            let new = Task { try await CommandServer() }
            task = new
            return new
        }
        return try await task.value
    }

    private init() async throws {
        server = try await PostgresServer.shared()
        var settings = PostgresSettings.patient(server.conninfo(), applicationName: "tests")
        settings.limits.statement = nil
        settings.limits.lock = nil
        settings.limits.silence = nil
        connection = try BlockingConnection(settings)
        dropping = try await PostgresConnection.open(settings)
        _ = try connection.query(SQL(pasted: "CREATE DATABASE \(Self.template)"))
        let made = try BlockingConnection(
            .patient(server.conninfo(database: Self.template), applicationName: "tests")
        )
        try made.run { try await StoreSchema.install($0) }
        // The clock of all of a store is what a fixture says that it is.
        try made.script(
            """
            CREATE TABLE promptd.test_clock (at bigint NOT NULL);
            INSERT INTO promptd.test_clock (at) VALUES (0);
            CREATE OR REPLACE FUNCTION promptd.now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
                RETURN (SELECT at FROM promptd.test_clock);
            """
        )
        try made.close()
    }

    /// A database with promptd's schema and nothing in it.
    func database() throws -> CommandDatabase {
        let name = "c_" + UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(16)
        _ = try connection.query(SQL(pasted: "CREATE DATABASE \(name) TEMPLATE \(Self.template)"))
        return try CommandDatabase(name: name, address: server.conninfo(database: name), self)
    }

    func drop(_ name: String) {
        Task { [dropping] in
            do {
                _ = try await dropping.query(SQL(pasted: "DROP DATABASE \(name) WITH (FORCE)"))
            } catch {
                print(error)
            }
        }
    }
}

/// A fixture's database on a server.
final class CommandDatabase: Sendable {
    let address: String
    private let name: String
    private let server: CommandServer
    private let connection: BlockingConnection

    init(name: String, address: String, _ server: CommandServer) throws {
        (self.name, self.address, self.server) = (name, address, server)
        var settings = PostgresSettings.patient(address, applicationName: "psql")
        settings.parameters["search_path"] = "promptd"
        connection = try BlockingConnection(settings)
    }

    /// Runs what somebody writes in a shell.
    func sql(_ statements: String) throws { try connection.script(SQL(pasted: statements)) }

    func setClock(_ now: Instant) throws {
        _ = try connection.query("UPDATE test_clock SET at = $1", [.int(now.milliseconds)])
    }

    func remove() throws {
        try connection.close()
        server.drop(name)
    }
}

/// Runs each test twice: on a file of SQLite, and on a database of a PostgreSQL server.
struct BothStores: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await function()
        guard testCase != nil else { return }
        let server = try await CommandServer.shared()
        try await CommandServer.$current.withValue(server) { try await function() }
    }
}

/// Runs a test on files alone: what it is about a server does not have, or has otherwise.
struct FilesOnly: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        if CommandServer.current == nil { try await function() }
    }
}

extension Trait where Self == BothStores {
    static var bothStores: Self { BothStores() }
}

extension Trait where Self == FilesOnly {
    static var filesOnly: Self { FilesOnly() }
}
