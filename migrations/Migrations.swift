/// The schema, as the binaries carry it.
package enum Migrations {
    /// Each migration's SQL, oldest first: element `n` brings a database from version `n` to `n + 1`.
    ///
    /// The version is the database's `user_version`.
    package static var all: [[UInt8]] {
        [
            PackageResources._001_queue_sql, PackageResources._002_turns_sql, PackageResources._003_prices_sql,
            PackageResources._004_history_sql, PackageResources._005_account_sql,
            PackageResources._006_views_sql, PackageResources._007_hints_sql,
            PackageResources._008_money_sql, PackageResources._009_rowids_sql,
            PackageResources._010_strangers_sql,
            PackageResources._011_nothing_by_default_sql,
            PackageResources._012_suspects_sql,
            PackageResources._013_roles_sql,
        ]
    }
}
