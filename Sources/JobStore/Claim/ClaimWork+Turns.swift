import GRDB
import PromptQueue

extension ClaimWork {
    /// How many jobs that have become due get their turn in one claim.
    private static let maximumTurns = 500

    /// Gives a turn to each job that has become due; true when there may be more of them.
    mutating func giveTurns(_ db: Database) throws -> Bool {
        let due = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT id FROM jobs WHERE state = 'queued' AND turn IS NULL AND run_at <= ?
                        AND id NOT IN (SELECT job_id FROM set_aside)
                    ORDER BY run_at, id LIMIT ?
                    """
            ),
            arguments: [request.now.milliseconds, Self.maximumTurns]
        )
        guard !due.isEmpty else { return false }
        // One that comes back has kept its turn.
        let ask = try db.cachedStatement(
            sql: "UPDATE jobs SET turn = coalesce(kept_turn, -1), kept_turn = NULL WHERE id = ?"
        )
        for id in due {
            current = JobID(id)
            try ask.execute(arguments: [id])
        }
        current = nil
        return due.count == Self.maximumTurns
    }

    /// Notes how far the turns have come, which is where a batch that comes later begins.
    func noteTurns(_ db: Database) throws {
        for (lane, turn) in served {
            try db.cachedStatement(
                sql: """
                    INSERT INTO turns_served (queue, priority, turn) VALUES (?, ?, ?)
                    ON CONFLICT (queue, priority) DO UPDATE SET turn = excluded.turn WHERE excluded.turn > turn
                    """
            )
            .execute(arguments: [lane.queue.text, lane.priority, turn])
        }
    }

    func nextRunAt(_ db: Database) throws -> Instant? {
        try Int64
            .fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT run_at FROM jobs WHERE state = 'queued' AND turn IS NULL AND run_at > ?
                        ORDER BY run_at LIMIT 1
                        """
                ),
                arguments: [request.now.milliseconds]
            )
            .map(Instant.init(milliseconds:))
    }
}
