import GRDB
import PromptQueue

/// A change, with what the ledger needs to know beside it.
struct GroupedChange: Sendable {
    var change: LedgerChange
    var now: Instant
    var account: AccountName

    /// Whether there are statements that carry out many changes of its kind.
    var hasLike: Bool {
        switch change {
        case .accepted, .taskSucceeded: true
        default: false
        }
    }

    /// Whether those statements have columns for all of it, and JSON carries its texts to them as they are: SQLite ends a text of JSON at a
    /// NUL.
    var isPlain: Bool {
        switch change {
        case .accepted(_, let task, _): Self.isPlain(task.rawValue)
        case .taskSucceeded(_, let outputs, _, _, _, let unread):
            unread == nil
                && outputs.allSatisfy { output in
                    guard case .file(let url) = output.content else { return false }
                    return Self.isPlain(url) && Self.isPlain(output.role)
                }
        default: false
        }
    }

    private static func isPlain(_ text: String) -> Bool { !text.utf8.contains(0) }

    func work(_ db: Database, lateArrival: Duration) -> RecordWork {
        RecordWork(db: db, now: now, account: account, lateArrival: lateArrival)
    }
}
