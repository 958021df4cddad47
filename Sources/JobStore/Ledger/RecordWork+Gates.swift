import GRDB
import PromptQueue

extension RecordWork {
    /// What the engine of the account sees closed, instead of what it saw before.
    func gates(_ notes: [GateNote]) throws -> CommitResult {
        // Hooks are told of those that were open.
        let closed = Set(
            try String.fetchAll(db, sql: "SELECT name FROM gates WHERE account = ?", arguments: [account.rawValue])
        )
        for (name, note) in Dictionary(grouping: notes, by: \.name).compactMapValues(\.first).sorted(by: {
            $0.key < $1.key
        })
        where !closed.contains(name) && !BlockReason(rawValue: name).isOrdinary {
            try run(
                """
                INSERT INTO gate_closings (name, message, at)
                SELECT ?, ?, ? WHERE (SELECT hooks_read FROM daemon) IS NOT NULL
                """,
                [
                    name, account == .standard ? note.message : "account \(account): \(note.message)",
                    note.closedAt.milliseconds,
                ]
            )
        }
        try run("DELETE FROM gates WHERE account = ?", [account.rawValue])
        for note in notes {
            try run(
                "INSERT OR IGNORE INTO gates (name, queue, closed_at, reopens_at, message, account) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    note.name, note.queue, note.closedAt.milliseconds, note.reopensAt?.milliseconds, note.message,
                    account.rawValue,
                ]
            )
        }
        return CommitResult()
    }
}
