import FoundationEssentials
import JobStore
import Synchronization

/// A ledger without a job, to be copied: making the schema takes longer than most tests do.
///
/// All copies have the same `daemon.database_id`.
package enum EmptyLedger {
    private static let bytes = Mutex<Data?>(nil)

    /// - Parameter path: of a database that is not there yet.
    package static func write(to path: String) throws {
        try bytes.withLock { bytes in
            if let bytes { return try bytes.write(to: URL(filePath: path)) }
            // A pool would leave its log beside the file.
            try QueueFile(path: path, create: true).close()
            bytes = try Data(contentsOf: URL(filePath: path))
        }
    }
}
