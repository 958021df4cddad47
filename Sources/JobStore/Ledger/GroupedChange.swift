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

    /// Whether those statements have columns for all of it.
    var isPlain: Bool {
        switch change {
        case .accepted: true
        case .taskSucceeded(_, let outputs, _, _, _, let unread):
            unread == nil && outputs.allSatisfy { if case .file = $0.content { true } else { false } }
        default: false
        }
    }

    func work(_ db: Database, lateArrival: Duration) -> RecordWork {
        RecordWork(db: db, now: now, account: account, lateArrival: lateArrival)
    }
}
