import FoundationEssentials
import JobStore
import PostgresStore
import PromptQueue
import StateFiles

/// Opens the queue that a place names: the one part of the commands that knows of which kind it is.
enum QueueOpener {
    /// - Parameter isHurried: whether it is given up soon where nobody answers.
    static func open(_ place: DatabasePlace, isHurried: Bool = false) throws(LedgerError) -> any QueueClient {
        switch place {
        case .file(let path): try QueueFile(path: path)
        case .postgres(let address): try PostgresQueue(command: address, isHurried: isHurried)
        }
    }

    /// Makes it if it is missing, and brings an older one up to date.
    ///
    /// - Returns: whether it was missing.
    static func create(_ place: DatabasePlace) throws(LedgerError) -> Bool {
        switch place {
        case .file(let path):
            let existed = FileManager.default.fileExists(atPath: path)
            try QueueFile(path: path, create: true).close()
            return !existed
        case .postgres(let address): return try PostgresQueue.install(address)
        }
    }

    /// Puts a backup in the place of a file, while no daemon works on it.
    ///
    /// - Returns: where what was there is now; nil if there was nothing.
    static func restore(_ backup: String, to path: String, at now: Instant) throws -> String? {
        do {
            return try DatabaseReplacement(path: path).replace(with: backup, at: now)
        } catch let error as LedgerHeld {
            throw CommandError(.temporary, "\(path): \(error)")
        }
    }

    /// - Throws: `LedgerError` that says what keeps this user from writing beside a file.
    static func checkDirectory(of path: String) throws(LedgerError) { try LedgerFile.checkDirectory(of: path) }

    /// The process of the daemon that works on it, which may be told of a file even where that cannot be opened.
    static func daemonProcessID(_ place: DatabasePlace) -> Int32? {
        switch place {
        case .file(let path): return OwnerLock.holder(database: path)
        case .postgres:
            guard let queue = try? open(place) else { return nil }
            defer { try? queue.close() }
            return queue.daemonProcessID
        }
    }
}
