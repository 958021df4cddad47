package import Postgres
import PostgresMigrations
package import PromptQueue

/// The schema in a database: made where there is none, and looked at before anything else is done.
package enum StoreSchema {
    private static let isThere: SQL = "SELECT to_regclass('promptd.schema_version') IS NOT NULL"
    private static let version: SQL = "SELECT version, compatible_from FROM promptd.schema_version"

    /// Makes promptd's schema in a database that has none, in one transaction, by one of several that try at once.
    ///
    /// - Throws: `LedgerError` with code `unusable` for a schema that this program does not know.
    package static func install(_ connection: PostgresConnection) async throws(LedgerError) {
        // Before the transaction begins: the server ends one that is idle for some seconds.
        let scripts = PostgresSchema.scripts.map { SQL(pasted: String(decoding: $0.sql, as: UTF8.self)) }
        try await LedgerError.wrapping {
            try await connection.transaction { transaction in
                _ = try await transaction.query("SELECT pg_advisory_xact_lock(hashtext('promptd'), hashtext('schema'))")
                if try await transaction.query(isThere).only()[0] {
                    return try check(await transaction.query(version).only())
                }
                // Functions may call others that come later.
                _ = try await transaction.query("SELECT set_config('check_function_bodies', 'off', true)")
                for script in scripts { try await transaction.script(script) }
            }
        }
    }

    /// Looks whether a database has a schema that this program knows.
    ///
    /// - Throws: `LedgerError` with code `unusable` for another, or none.
    package static func check(_ connection: BlockingConnection) throws {
        guard try connection.query(isThere).only()[0] else {
            throw LedgerError(
                .unusable,
                "there is no queue of promptd's in \(connection.place); start promptd with it, which makes one, or name another database"
            )
        }
        try check(connection.query(version).only())
    }

    private static func check(_ versions: PostgresRow) throws {
        let (version, oldest): (Int64, Int64) = (try versions[0], try versions[1])
        guard oldest <= PostgresSchema.version, version >= PostgresSchema.version else {
            throw LedgerError(
                .unusable,
                "the database's schema has version \(version), and this program knows version \(PostgresSchema.version)"
            )
        }
    }
}
