import PromptQueue
import Synchronization

/// The plans that were shown and wait for somebody to confirm them, each once; and what came of those that were.
///
/// They are kept here, so that a form holds no more than a number nobody can guess, and what is confirmed is what is done.
final class ChangePlans: Sendable {
    enum Stage {
        case planned(ChangePlan, note: String?)
        case underWay
        case done(ChangeResult, back: String)
    }

    private struct Entry {
        let session: String
        let madeAt: Instant
        let plan: ChangePlan
        var note: String?
        var isUnderWay = false
        var result: ChangeResult?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// The oldest first.
        var order: [String] = []
    }

    static let limit = 100
    static let lifetime: Duration = .seconds(3_600)

    private let state = Mutex(State())

    /// - Returns: what it is known by.
    func keep(_ plan: ChangePlan, _ session: Session, now: Instant) -> String {
        let id = Hex.text(WebAccess.random(16))
        state.withLock { state in
            let entries = state.entries
            var surplus = entries.count - Self.limit + 1
            let gone = state.order.filter { old in
                guard let entry = entries[old], !entry.isUnderWay, surplus > 0 || now - entry.madeAt > Self.lifetime
                else { return false }
                surplus -= 1
                return true
            }
            for old in gone { state.entries[old] = nil }
            state.order.removeAll(where: gone.contains)
            state.entries[id] = Entry(session: session.id, madeAt: now, plan: plan)
            state.order.append(id)
        }
        return id
    }

    /// Nil for one that is not there any more, or was another session's.
    func stage(_ id: String, _ session: Session, now: Instant) -> Stage? {
        state.withLock { state in
            guard let entry = state.entries[id], entry.session == session.id else { return nil }
            if let result = entry.result { return .done(result, back: entry.plan.back) }
            if entry.isUnderWay { return .underWay }
            // What was shown so long ago may not be so any more.
            return now - entry.madeAt > Self.lifetime ? nil : .planned(entry.plan, note: entry.note)
        }
    }

    /// Takes up a plan, once.
    ///
    /// - Returns: nil if it was taken up before.
    func begin(_ id: String, _ session: Session) -> ChangePlan? {
        state.withLock { state in
            guard let entry = state.entries[id], entry.session == session.id, !entry.isUnderWay, entry.result == nil,
                entry.plan.button != nil
            else { return nil }
            state.entries[id]?.isUnderWay = true
            return entry.plan
        }
    }

    func finish(_ id: String, _ result: ChangeResult) {
        state.withLock { state in
            state.entries[id]?.result = result
            state.entries[id]?.isUnderWay = false
        }
    }

    /// Nothing was done, and it may be tried once more.
    func giveBack(_ id: String, _ plan: ChangePlan? = nil, note: String) {
        state.withLock { state in
            guard let entry = state.entries[id] else { return }
            state.entries[id] = Entry(
                session: entry.session,
                madeAt: entry.madeAt,
                plan: plan ?? entry.plan,
                note: note
            )
        }
    }
}
