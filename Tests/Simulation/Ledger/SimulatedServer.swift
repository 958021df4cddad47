import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Synchronization

/// A PostgreSQL server for simulated ledgers, each of which has a database of its own: a copy of one with promptd's schema and a clock
/// that is set.
final class SimulatedServer: Sendable {
    private static let starting = Mutex<Task<SimulatedServer, any Error>?>(nil)
    private static let template = "simulated"

    private let server: PostgresServer
    private let connection: PostgresConnection
    private let databases = Mutex(0)

    /// The process's one, started when it is first asked for.
    static func shared() async throws -> SimulatedServer {
        let task = starting.withLock { task in
            if let task { return task }
            let new = Task { try await SimulatedServer() }
            task = new
            return new
        }
        return try await task.value
    }

    private init() async throws {
        server = try await PostgresServer.shared()
        var settings = PostgresSettings(server.conninfo(), applicationName: "simulation")
        settings.limits.statement = nil
        settings.limits.lock = nil
        settings.limits.silence = nil
        connection = try await PostgresConnection.open(settings)
        _ = try await connection.query(SQL(pasted: "CREATE DATABASE \(Self.template)"))
        let made = try await PostgresConnection.open(
            PostgresSettings(server.conninfo(database: Self.template), applicationName: "simulation")
        )
        try await StoreSchema.install(made)
        // A sequence, because what is written to it is seen at once, as a clock is, whatever a transaction sees.
        try await made.script(
            """
            CREATE UNLOGGED SEQUENCE promptd.simulated_clock;
            CREATE OR REPLACE FUNCTION promptd.now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
                RETURN (SELECT last_value FROM promptd.simulated_clock);
            """
        )
        await made.close()
    }

    /// Makes a database.
    ///
    /// - Returns: its name.
    func database() async throws -> String {
        let number = databases.withLock { count in
            count += 1
            return count
        }
        let name = "seed_\(number)"
        _ = try await connection.query(SQL(pasted: "CREATE DATABASE \(name) TEMPLATE \(Self.template)"))
        return name
    }

    func drop(_ name: String) async throws {
        _ = try await connection.query(SQL(pasted: "DROP DATABASE \(name) WITH (FORCE)"))
    }

    /// How a database of it is reached.
    func settings(_ name: String, applicationName: String) -> PostgresSettings {
        var settings = PostgresSettings(server.conninfo(database: name), applicationName: applicationName)
        // However slow the machine is: what happens goes by the simulated time alone.
        (settings.limits.statement, settings.limits.lock) = (nil, nil)
        (settings.limits.idleInTransaction, settings.limits.silence) = (nil, nil)
        // Compiling costs more than what is run once.
        settings.parameters["jit"] = "off"
        return settings
    }
}
