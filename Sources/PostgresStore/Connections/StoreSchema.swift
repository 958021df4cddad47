package import Postgres
import PostgresMigrations
package import PromptQueue

/// The schema in a database: made where there is none, and looked at before anything else is done.
package enum StoreSchema {
    /// Makes promptd's schema in a database that has none, in one transaction, by one of several that try at once.
    ///
    /// - Throws: `LedgerError` with code `unusable` for a schema that this program does not know.
    package static func install(_ connection: PostgresConnection) async throws(LedgerError) {
        try await LedgerError.wrapping {
            try await connection.transaction { transaction in
                _ = try await transaction.query("SELECT pg_advisory_xact_lock(hashtext('promptd'), hashtext('schema'))")
                let row = try await transaction.query("SELECT to_regclass('promptd.schema_version') IS NOT NULL").only()
                if try row[0] {
                    let versions = try await transaction.query(
                        "SELECT version, compatible_from FROM promptd.schema_version"
                    ).only()
                    let (version, oldest): (Int64, Int64) = (try versions[0], try versions[1])
                    guard oldest <= PostgresSchema.version, version >= PostgresSchema.version else {
                        throw LedgerError(
                            .unusable,
                            "the database's schema has version \(version), and this program knows version \(PostgresSchema.version)"
                        )
                    }
                    return
                }
                // Functions may call others that come later.
                _ = try await transaction.query("SELECT set_config('check_function_bodies', 'off', true)")
                for script in PostgresSchema.scripts {
                    try await transaction.script(SQL(pasted: String(decoding: script.sql, as: UTF8.self)))
                }
            }
        }
    }
}
