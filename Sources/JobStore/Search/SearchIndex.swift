import GRDB
import PromptQueue
import Synchronization

/// The index of prompts, as the daemon keeps it.
final class SearchIndex: Sendable {
    /// What is taken in at once.
    static let jobsAtOnce = 1_000
    static let bytesAtOnce = 1 << 20

    /// What a step found in the database.
    struct Found: Sendable {
        var prompts: [(job: Int64, prompt: String?)] = []
        /// The last of the changes that are among them; nil: there is none.
        var lastChange: Int64?
        var mark: SearchMark
        var hasMore = false
    }

    private let path: String
    private let file = Mutex<DatabaseQueue?>(nil)

    init(database: String) { path = SearchFile.path(of: database) }

    /// The index, opened; made anew where it is missing, another database's, or of another format.
    ///
    /// - Parameter holds: whether it is of the database as it is.
    func open(_ databaseID: String, _ holds: (SearchMark) throws -> Bool) throws -> DatabaseQueue {
        if let queue = file.withLock({ $0 }) { return queue }
        let queue = try opened(databaseID, holds)
        file.withLock { $0 = queue }
        return queue
    }

    private func opened(_ databaseID: String, _ holds: (SearchMark) throws -> Bool) throws -> DatabaseQueue {
        do {
            let queue = try SearchFile.openWriter(at: path)
            if let mark = try queue.read({ try SearchMark(index: $0) }), try holds(mark) { return queue }
            try queue.close()
        } catch let error as DatabaseError where error.isDamage {
            // It is made anew.
        }
        SearchFile.remove(path)
        let queue = try SearchFile.openWriter(at: path)
        try queue.write { db in
            try SearchFile.makeTables(db)
            try SearchMark(databaseID: databaseID).write(index: db)
        }
        return queue
    }

    /// Forgets it: the next one to open it makes it anew.
    func discard() {
        let queue = file.withLock { file in
            defer { file = nil }
            return file
        }
        try? queue?.close()
        SearchFile.remove(path)
    }

    func close() throws {
        let queue = file.withLock { file in
            defer { file = nil }
            return file
        }
        try queue?.close()
    }

    /// What is to be taken in next.
    static func find(_ db: Database, after mark: SearchMark) throws -> Found {
        var found = Found(mark: mark)
        var bytes = 0
        let changes = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT sequence, job_id, (SELECT prompt FROM jobs WHERE id = job_id) AS prompt FROM search_changes
                    ORDER BY sequence LIMIT ?
                    """
            ),
            arguments: [jobsAtOnce]
        )
        for change in changes where bytes < bytesAtOnce {
            let prompt: String? = change["prompt"]
            found.prompts.append((change["job_id"], prompt))
            found.lastChange = change["sequence"]
            bytes += prompt?.utf8.count ?? 0
        }
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT id, prompt FROM jobs WHERE id > ? ORDER BY id LIMIT ?"),
            arguments: [mark.lastJob, jobsAtOnce]
        )
        var count = 0
        while bytes < bytesAtOnce, let row = try rows.next() {
            let prompt: String? = row["prompt"]
            found.prompts.append((row["id"], prompt))
            found.mark.lastJob = row["id"]
            bytes += prompt?.utf8.count ?? 0
            count += 1
        }
        found.hasMore = count == jobsAtOnce || changes.count == jobsAtOnce || bytes >= bytesAtOnce
        try found.mark.seeEvents(in: db)
        return found
    }

    /// Takes it in.
    static func take(_ found: Found, into db: Database) throws {
        let remove = try db.cachedStatement(sql: "DELETE FROM words WHERE rowid = ?")
        let add = try db.cachedStatement(sql: "INSERT INTO words (rowid, folded) VALUES (?, ?)")
        let last = try SearchMark(index: db)?.lastJob ?? 0
        var seen: Set<Int64> = []
        for (job, prompt) in found.prompts {
            // What was changed, and stands among the new ones as well, comes twice.
            if job <= last || !seen.insert(job).inserted { try remove.execute(arguments: [job]) }
            guard let prompt else { continue }
            try add.execute(arguments: [job, PromptWords.folded(prompt)])
        }
        try found.mark.write(index: db)
    }
}
