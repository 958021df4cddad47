import Postgres
package import PromptQueue

extension PostgresLedger {
    /// Connects, makes the schema where there is none yet, and joins the daemons of the store.
    ///
    /// - Parameters:
    ///   - address: what libpq takes.
    ///   - passwordFile: in pgpass's form, before libpq's own.
    /// - Throws: `LedgerError`; a transient one while the server cannot be reached.
    package convenience init(
        address: String,
        passwordFile: String? = nil,
        options: Options
    ) async throws(LedgerError) {
        var settings = PostgresSettings(address, applicationName: "promptd")
        settings.passwordFile = passwordFile
        var patient = settings
        patient.limits.statement = nil
        patient.limits.lock = .seconds(30)
        let first = patient
        let connection = try await LedgerError.wrapping { try await PostgresConnection.open(first) }
        do {
            try await StoreSchema.install(connection)
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        try await self.init(settings, options: options)
    }
}
