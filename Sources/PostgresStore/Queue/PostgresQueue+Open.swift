import Postgres
package import PromptQueue

extension PostgresQueue {
    /// Connects as a command does, which takes as long as it takes: whoever has had enough ends it. What others hold for long is said.
    ///
    /// - Parameters:
    ///   - address: what libpq takes.
    ///   - isHurried: whether it is given up soon where nobody answers.
    package convenience init(command address: String, isHurried: Bool = false) throws(LedgerError) {
        try self.init(Self.settings(address, isHurried: isHurried))
    }

    /// Makes promptd's schema in a database that has none.
    ///
    /// - Returns: whether it had none.
    package static func install(_ address: String) throws(LedgerError) -> Bool {
        try LedgerError.wrapping {
            let connection = try BlockingConnection(settings(address))
            do {
                let isNew: Bool = try connection.query("SELECT to_regclass('promptd.schema_version') IS NULL").only()[0]
                try connection.run { try await StoreSchema.install($0) }
                try connection.close()
                return isNew
            } catch {
                try connection.close()
                throw error
            }
        }
    }

    private static func settings(_ address: String, isHurried: Bool = false) -> PostgresSettings {
        var settings = PostgresSettings(address, applicationName: "promptctl")
        settings.limits.statement = nil
        settings.limits.silence = nil
        settings.limits.lock = .seconds(30)
        // A file is read, and a terminal written to, within a transaction.
        settings.limits.idleInTransaction = .seconds(600)
        if isHurried { settings.limits.connect = .seconds(2) }
        return settings
    }
}
