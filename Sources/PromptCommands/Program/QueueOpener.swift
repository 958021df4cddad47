import JobStore
import PromptQueue
import StateFiles

/// Opens the queue that a path names: the one place of the commands that knows of which kind it is.
enum QueueOpener {
    static func open(_ path: String) throws(LedgerError) -> any QueueClient { try QueueFile(path: path) }

    /// Makes it if it is missing, and brings an older one up to date.
    static func create(_ path: String) throws(LedgerError) { try QueueFile(path: path, create: true).close() }

    /// Puts a backup in its place, while no daemon works on it.
    ///
    /// - Returns: where what was there is now; nil if there was nothing.
    static func restore(_ backup: String, to path: String, at now: Instant) throws -> String? {
        do {
            return try DatabaseReplacement(path: path).replace(with: backup, at: now)
        } catch let error as LedgerHeld {
            throw CommandError(.temporary, "\(path): \(error)")
        }
    }

    /// - Throws: `LedgerError` that says what keeps this user from writing beside it.
    static func checkDirectory(of path: String) throws(LedgerError) { try LedgerFile.checkDirectory(of: path) }

    /// The process of the daemon that works on it, which may be told even where it cannot be opened.
    static func daemonProcessID(_ path: String) -> Int32? { OwnerLock.holder(database: path) }
}
