/// The schema of the store in PostgreSQL, as the binaries carry it.
package enum PostgresSchema {
    /// The version that these scripts make.
    package static let version: Int64 = 1

    /// What they are called, in the order in which they are run: tables and rules, views, what daemons call; then what promptd records,
    /// claims, takes over and removes; files, hooks, what is shown, and what commands change; moves.
    package static var scripts: [(name: String, sql: [UInt8])] {
        [
            ("schema", PackageResources._001_schema_sql), ("views", PackageResources._001_views_sql),
            ("upkeep", PackageResources._001_upkeep_sql), ("facts", PackageResources._001_facts_sql),
            ("takeover", PackageResources._001_takeover_sql), ("claims", PackageResources._001_claims_sql),
            ("retention", PackageResources._001_retention_sql), ("suspects", PackageResources._001_suspects_sql),
            ("uploads", PackageResources._001_uploads_sql), ("hooks", PackageResources._001_hooks_sql),
            ("details", PackageResources._001_details_sql), ("commands", PackageResources._001_commands_sql),
            ("moves", PackageResources._001_moves_sql),
        ]
    }
}
