import PromptQueue
import StateFiles
import Synchronization

/// The last claim of this daemon, noted outside of the store as well: a store that does not know it any more is older than what was
/// sent. That is so for a backup, and for a standby that took the primary's place without having heard of everything.
final class ClaimMarks: Sendable {
    struct Claim: Sendable, Equatable {
        /// The uuid in `attempts.claim_id`.
        var number: String
        var attempt: Int64
        var job: Int64
    }

    private let epoch: Epoch
    private let state = Mutex((file: RequestMarks?.none, last: Claim?.none))

    init(_ epoch: Epoch) { self.epoch = epoch }

    var last: Claim? { state.withLock(\.last) }

    /// Notes from now on.
    ///
    /// - Returns: what is in the way of it.
    func begin(_ file: RequestMarks, last: Claim?) -> [String] {
        state.withLock { state in
            state = (file, last)
            return file.begin(mark(last))
        }
    }

    /// Before anything of the claim is sent.
    func note(_ claim: Claim) {
        state.withLock { state in
            state.last = claim
            state.file?.replace(mark(claim))
        }
    }

    private func mark(_ claim: Claim?) -> RequestMarks.Mark {
        RequestMarks.Mark(
            branch: "\(epoch.rawValue) \(claim?.number ?? "-")",
            attempt: claim?.attempt ?? 0,
            job: claim?.job ?? 0
        )
    }

    /// What an earlier process has noted: its epoch, and its last claim, if it made one.
    static func read(_ mark: RequestMarks.Mark) -> (epoch: Int64, claim: Claim?)? {
        let words = mark.branch.split(separator: " ")
        guard words.count == 2, let epoch = Int64(words[0]) else { return nil }
        guard words[1] != "-" else { return (epoch, nil) }
        return (epoch, Claim(number: String(words[1]), attempt: mark.attempt, job: mark.job))
    }
}
