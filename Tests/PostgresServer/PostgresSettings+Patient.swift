package import Postgres

extension PostgresSettings {
    /// With limits of a minute: threads of tests that run side by side may wait for each other.
    package static func patient(_ conninfo: String, applicationName: String = "promptd") -> PostgresSettings {
        var settings = PostgresSettings(conninfo, applicationName: applicationName)
        settings.limits.statement = .seconds(60)
        settings.limits.lock = .seconds(60)
        settings.limits.idleInTransaction = .seconds(60)
        return settings
    }
}
