import Postgres
package import PromptQueue

// A run's instant is what the clock on the wall shows, and is not translated; when a job was added the server says.
extension PostgresQueue {
    package func add(_ jobs: [NewJob], now: Instant) throws(LedgerError) -> [JobID] {
        try change { connection in
            guard jobs.contains(where: { $0.uniqueKey != nil }) else {
                return try JobRows(jobs[...]).insert(connection, skipsDuplicates: false).map(\.id)
            }
            return try jobs.indices.flatMap { index -> [JobID] in
                let job = jobs[index]
                try job.checkTexts()
                if let key = job.uniqueKey { try Self.checkIsFree(key, connection) }
                do {
                    return try connection.transaction {
                        try JobRows(jobs[index...index]).insert(connection, skipsDuplicates: false).map(\.id)
                    }
                } catch let error as PostgresError where error.sqlState == .uniqueViolation {
                    // Somebody has just taken it.
                    if let key = job.uniqueKey { try Self.checkIsFree(key, connection) }
                    throw error
                }
            }
        }
    }

    private static func checkIsFree(_ key: String, _ connection: BlockingConnection) throws {
        let rows = try connection.query("SELECT id, state FROM jobs WHERE unique_key = $1", [.text(key)])
        guard let row = rows.first else { return }
        throw LedgerError(.constraint, "the key \"\(key)\" belongs to \(try UniqueKeys.holder(row)) already")
    }

    package func insertAll<T>(
        now: Instant,
        skipsDuplicates: Bool,
        _ body: (any JobInserter) throws -> T
    ) throws -> T {
        var thrown: (any Error)?
        do {
            return try writing { connection in
                do {
                    return try body(JobInsertion(connection, skipsDuplicates: skipsDuplicates))
                } catch {
                    thrown = error
                    throw error
                }
            }
        } catch {
            throw thrown ?? error
        }
    }
}

/// Inserts jobs in few statements, inside the transaction of `insertAll`.
private struct JobInsertion: JobInserter {
    private let connection: BlockingConnection
    private let skipsDuplicates: Bool

    init(_ connection: BlockingConnection, skipsDuplicates: Bool) {
        self.connection = connection
        self.skipsDuplicates = skipsDuplicates
    }

    /// How many go in one statement.
    private static let portion = 2_000

    func insert(_ jobs: [NewJob]) throws(InsertionFailure) -> [Bool] {
        var inserted: [Bool] = []
        inserted.reserveCapacity(jobs.count)
        for start in stride(from: 0, to: jobs.count, by: Self.portion) {
            inserted += try insert(jobs[start..<min(start + Self.portion, jobs.count)])
        }
        return inserted
    }

    private func insert(_ jobs: ArraySlice<NewJob>) throws(InsertionFailure) -> [Bool] {
        do throws(LedgerError) {
            return try LedgerError.wrapping {
                let rows = try connection.transaction {
                    try JobRows(jobs).insert(connection, skipsDuplicates: skipsDuplicates)
                }
                // Of two with the same key the first was inserted.
                var keys = Set(rows.compactMap(\.key))
                return jobs.map { job in job.uniqueKey.map { keys.remove($0) != nil } ?? true }
            }
        } catch {
            guard error.code == .constraint, jobs.count > 1 else {
                throw InsertionFailure(place: jobs.startIndex, error)
            }
            // Which one it is the server does not say: the first half, or else the second.
            let middle = jobs.startIndex + jobs.count / 2
            return try insert(jobs[..<middle]) + insert(jobs[middle...])
        }
    }
}
