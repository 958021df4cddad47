import Dispatch
import GRDB
import Glibc
import PromptQueue
import StateFiles

/// `DATABASE-search`: an index of the words of prompts, in a database of its own. Clients of the queue need not know it, and what
/// becomes of it cannot harm the queue.
enum SearchFile {
    /// Another one is made anew.
    static let format = 1

    static func path(of database: String) -> String { database + "-search" }

    /// To write: for the daemon alone.
    static func openWriter(at path: String) throws -> DatabaseQueue {
        try DatabasePath.make(path)
        let queue = try DatabaseQueue(path: path, configuration: configuration())
        try queue.inDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON")
        }
        return queue
    }

    static func openReader(at path: String) throws -> DatabaseQueue {
        var configuration = configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.qos = .default
        configuration.busyMode = .timeout(1)
        return configuration
    }

    /// The text is kept, because FTS5 needs it to take it out again. Words stand alone, in one column, and are found by their
    /// beginnings (https://sqlite.org/fts5.html). The tokenizer has nothing to decide: `PromptWords` has done so.
    static func makeTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE about (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    database_id TEXT NOT NULL,
                    last_job INTEGER NOT NULL,
                    event INTEGER NOT NULL,
                    event_job INTEGER,
                    event_at INTEGER
                ) STRICT;
                CREATE VIRTUAL TABLE words USING fts5 (
                    folded, tokenize = 'ascii', detail = none, columnsize = 0, prefix = '1 2 3');
                PRAGMA user_version = \(format);
                """
        )
    }

    static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { unsafe unlink(path + suffix) }
    }

    /// Which file has the name now; nil if none has.
    static func identity(_ path: String) -> [UInt64]? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }
}

extension PromptWords {
    /// What FTS5 is asked for; nil: nothing has no word.
    var query: String? {
        // There is no quotation mark in a word.
        words.isEmpty ? nil : words.map { "\"\($0)\" *" }.joined(separator: " AND ")
    }
}

extension DatabaseError {
    /// Whether a file is damaged, or is no database.
    var isDamage: Bool {
        [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT].contains(resultCode)
            || ["no such table", "vtable constructor failed"].contains { message?.contains($0) == true }
    }
}
