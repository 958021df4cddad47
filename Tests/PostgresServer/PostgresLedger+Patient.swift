import Postgres
package import PostgresStore
package import PromptQueue

extension PostgresLedger {
    /// With limits of a minute and a lease of an hour: tests that run side by side may hold each other up for longer than daemons may.
    package static func patient(
        _ conninfo: String,
        _ change: (inout Options) -> Void = { _ in }
    ) async throws(LedgerError) -> PostgresLedger {
        var options = Options()
        options.lease = .seconds(3_600)
        change(&options)
        return try await PostgresLedger(.patient(conninfo), options: options)
    }
}
