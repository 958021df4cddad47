import GRDB
import PromptQueue
import Synchronization

/// The index of prompts, as those use it who search. Whatever is wrong with it, there is none then, and the jobs themselves are
/// looked through.
final class SearchReader: Sendable {
    private struct Open {
        let queue: DatabaseQueue
        let identity: [UInt64]
        var sample: SearchSample?
    }

    private let path: String
    private let file = Mutex<Open?>(nil)

    init(database: String) { path = SearchFile.path(of: database) }

    /// What it can be asked about, for as long as the database is read.
    ///
    /// - Returns: nil if there is none that can be used.
    func search(_ words: PromptWords, in db: Database) throws -> PromptSearch? {
        guard !words.words.isEmpty, let queue = current() else { return nil }
        do {
            guard let mark = try queue.read({ try SearchMark(index: $0) }), try mark.holds(in: db) else { return nil }
            let changed = try Int64.fetchAll(
                db.cachedStatement(sql: "SELECT DISTINCT job_id FROM search_changes ORDER BY job_id LIMIT ?"),
                arguments: [PromptSearch.mostChanged + 1]
            )
            guard changed.count <= PromptSearch.mostChanged else { return nil }
            let plan = try sample(of: queue, mark.lastJob).plan(words)
            guard let query = plan.words.query else { return nil }
            return PromptSearch(
                index: queue,
                query: query,
                isCommon: plan.isCommon,
                lastJob: mark.lastJob,
                changed: changed
            )
        } catch {
            close()
            return nil
        }
    }

    /// Taken anew when a tenth of the jobs are new.
    private func sample(of queue: DatabaseQueue, _ lastJob: Int64) throws -> SearchSample {
        if let known = file.withLock({ $0?.sample }), known.lastJob <= lastJob, known.lastJob >= lastJob / 10 * 9 {
            return known
        }
        let sample = try queue.read { try SearchSample($0, lastJob: lastJob) }
        file.withLock { $0?.sample = sample }
        return sample
    }

    func close() { file.withLock { $0 = nil } }

    /// Another file may have its name by now.
    private func current() -> DatabaseQueue? {
        file.withLock { file in
            guard let identity = SearchFile.identity(path) else {
                file = nil
                return nil
            }
            if let file, file.identity == identity { return file.queue }
            file = (try? SearchFile.openReader(at: path)).map { Open(queue: $0, identity: identity) }
            return file?.queue
        }
    }
}

/// A search of prompts by an index. What it gives is to be asked of the prompts themselves: some may have changed.
struct PromptSearch {
    /// With more that the index does not have yet, it is not worth asking.
    static let mostChanged = 5_000

    fileprivate let index: DatabaseQueue
    /// With the rarest words alone: all are asked of the prompts themselves.
    fileprivate let query: String
    /// Whether many prompts match: then they are found sooner without the index.
    let isCommon: Bool
    /// Later ones are not in it.
    let lastJob: Int64
    /// In their order.
    let changed: [Int64]

    fileprivate init(index: DatabaseQueue, query: String, isCommon: Bool, lastJob: Int64, changed: [Int64]) {
        self.index = index
        self.query = query
        self.isCommon = isCommon
        self.lastJob = lastJob
        self.changed = changed
    }

    /// What the index is asked for, in words.
    var asked: String {
        query.filter { $0 != "\"" && $0 != "*" }.split(separator: " ").filter { $0 != "AND" }.joined(separator: " ")
    }

    /// Those that it has before or after a job, at most `limit`.
    private func indexed(beyond job: Int64, isAscending: Bool, limit: Int) throws -> [Int64] {
        let (comparison, order) = isAscending ? (">", "ASC") : ("<", "DESC")
        do {
            return try index.read { db in
                let statement = try db.cachedStatement(
                    sql: """
                        SELECT rowid FROM words WHERE words MATCH ? AND rowid \(comparison) ? ORDER BY rowid \(order) LIMIT ?
                        """
                )
                return try Int64.fetchAll(statement, arguments: [query, job, limit])
            }
        } catch is DatabaseError {
            throw SearchFailure()
        }
    }

    /// The next jobs that may match.
    ///
    /// - Parameter db: the database itself, for those that the index does not have.
    func candidates(beyond job: Int64, isAscending: Bool, limit: Int, _ db: Database) throws -> [Int64] {
        var ids: Set<Int64> = []
        ids.formUnion(try later(beyond: job, isAscending: isAscending, limit: limit, db))
        // Those come first, and may be enough.
        if isAscending || ids.count < limit {
            ids.formUnion(try indexed(beyond: job, isAscending: isAscending, limit: limit))
        }
        ids.formUnion(changed.filter { isAscending ? $0 > job : $0 < job })
        return Array(ids.sorted(by: isAscending ? (<) : (>)).prefix(limit))
    }

    private func later(beyond job: Int64, isAscending: Bool, limit: Int, _ db: Database) throws -> [Int64] {
        let sql =
            isAscending
            ? "SELECT id FROM jobs WHERE id > ? AND id > ? ORDER BY id LIMIT ?"
            : "SELECT id FROM jobs WHERE id < ? AND id > ? ORDER BY id DESC LIMIT ?"
        return try Int64.fetchAll(db.cachedStatement(sql: sql), arguments: [job, lastJob, limit])
    }

    /// All that may match.
    ///
    /// - Returns: nil if there are more than `limit`, or many.
    func all(limit: Int, _ db: Database) throws -> [Int64]? {
        guard !isCommon else { return nil }
        let ids = try candidates(beyond: .max, isAscending: false, limit: limit + 1, db)
        return ids.count > limit ? nil : ids
    }
}
