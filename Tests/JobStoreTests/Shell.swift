import GRDB

/// A connection that plays the user's `sqlite3` with `.timeout`: it waits while the ledger writes or cuts its log.
func openShell(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(60)
    return try DatabaseQueue(path: path, configuration: configuration)
}
