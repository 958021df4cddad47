import GRDB
package import PromptQueue

extension QueueFile {
    package func add(_ jobs: [NewJob], now: Instant) throws(LedgerError) -> [JobID] {
        try write { db in
            let insertion = try JobInsertion(db, now: now, skipsDuplicates: false)
            return try jobs.map { job in
                try job.checkTexts()
                if let key = job.uniqueKey, let other = try UniqueKeys.holder(of: key, db) {
                    throw LedgerError(.constraint, "the key \"\(key)\" belongs to \(other) already")
                }
                try insertion.insert(job)
                return JobID(db.lastInsertedRowID)
            }
        }
    }

    package func insertAll<T>(
        now: Instant,
        skipsDuplicates: Bool,
        _ body: (any JobInserter) throws -> T
    ) throws -> T {
        try queue.write { db in try body(JobInsertion(db, now: now, skipsDuplicates: skipsDuplicates)) }
    }
}

/// Inserts jobs one by one, by a prepared statement, inside the transaction of `insertAll`.
struct JobInsertion: JobInserter {
    private let db: Database
    private let statement: Statement
    private let now: DatabaseValue

    init(_ db: Database, now: Instant, skipsDuplicates: Bool) throws {
        self.db = db
        self.now = now.milliseconds.databaseValue
        statement = try db.cachedStatement(
            sql: """
                INSERT INTO jobs (prompt, model, input, queue, priority, run_at, unique_key, batch, labels,
                    max_attempts, estimated_millicredits, estimate_basis, allow_unknown, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                \(skipsDuplicates ? "ON CONFLICT (unique_key) DO NOTHING" : "")
                """
        )
    }

    func insert(_ jobs: [NewJob]) throws(InsertionFailure) -> [Bool] {
        var inserted: [Bool] = []
        inserted.reserveCapacity(jobs.count)
        for (place, job) in jobs.enumerated() {
            do throws(LedgerError) {
                inserted.append(try insert(job))
            } catch {
                throw InsertionFailure(place: place, error)
            }
        }
        return inserted
    }

    @discardableResult
    func insert(_ job: NewJob) throws(LedgerError) -> Bool {
        try job.checkTexts()
        let values: [DatabaseValue] = [
            job.prompt.databaseValue, job.model.databaseValue, job.input.databaseValue, job.queue.databaseValue,
            job.priority.databaseValue, (job.runAt?.milliseconds ?? 0).databaseValue, job.uniqueKey.databaseValue,
            job.batch.databaseValue, job.labels.databaseValue, job.maxAttempts.databaseValue,
            (job.estimate?.credits.millicredits).databaseValue, (job.estimate?.kind.rawValue).databaseValue,
            job.allowsUnknownFields.databaseValue, now,
        ]
        return try LedgerError.wrapping {
            // There are as many values as parameters.
            statement.setUncheckedArguments(StatementArguments(values))
            try statement.execute()
            return db.changesCount > 0
        }
    }
}

extension Optional where Wrapped: DatabaseValueConvertible {
    fileprivate var databaseValue: DatabaseValue { self?.databaseValue ?? .null }
}
