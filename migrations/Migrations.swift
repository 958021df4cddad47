/// The schema, as the binaries carry it.
package enum Migrations {
    /// The version that the first of them makes, of an empty file. Earlier ones were never released.
    package static let first = 14

    /// The version that all of them together lead to: the database's `user_version`.
    package static var version: Int { first + all.count - 1 }

    /// Each migration's SQL, oldest first; each but the first brings a database to the next version.
    package static var all: [[UInt8]] {
        [
            PackageResources._014_schema_sql, PackageResources._015_sent_input_sql,
            PackageResources._016_retention_sql, PackageResources._017_provider_models_sql,
            PackageResources._018_changes_sql, PackageResources._019_names_sql,
            PackageResources._020_chains_sql, PackageResources._021_budget_scopes_sql,
            PackageResources._022_events_sql, PackageResources._023_schedules_sql,
            PackageResources._024_listed_sql, PackageResources._025_hooks_sql,
            PackageResources._026_keys_sql, PackageResources._027_uploads_sql,
            PackageResources._028_accounts_sql,
            PackageResources._029_search_sql,
            PackageResources._030_warnings_sql, PackageResources._031_other_keys_sql,
            PackageResources._032_upload_rules_sql, PackageResources._033_hot_triggers_sql,
        ]
    }
}
