import Postgres
package import PromptQueue

extension PostgresQueue {
    /// As a daemon's pages read it, beside its ledger.
    ///
    /// - Parameters:
    ///   - address: what libpq takes.
    ///   - passwordFile: in pgpass's form, before libpq's own.
    package convenience init(pages address: String, passwordFile: String?) throws(LedgerError) {
        try self.init(Self.settings(address, passwordFile), isReadOnly: true)
    }

    /// As a daemon's pages change it.
    package convenience init(changes address: String, passwordFile: String?) throws(LedgerError) {
        try self.init(Self.settings(address, passwordFile))
    }

    private static func settings(_ address: String, _ passwordFile: String?) -> PostgresSettings {
        var settings = PostgresSettings(address, applicationName: "promptd pages")
        settings.passwordFile = passwordFile
        // A search, or what is changed for all that match, may take longer than what a daemon does.
        settings.limits.statement = .seconds(30)
        return settings
    }
}
