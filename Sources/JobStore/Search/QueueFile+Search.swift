import GRDB
import PromptQueue

extension QueueFile {
    /// Reads with what an index has of a filter's words. Where the index fails, the jobs themselves are looked through.
    func searching<T>(
        _ filter: JobFilter,
        _ body: (Database, PromptSearch?) throws -> T
    ) throws(LedgerError) -> T {
        try read { db in
            guard !filter.words.isEmpty else { return try body(db, nil) }
            let found = try search.search(PromptWords(filter.words), in: db)
            do {
                return try body(db, found)
            } catch is SearchFailure {
                search.close()
                return try body(db, nil)
            }
        }
    }
}

extension JobFilter {
    /// With more jobs that may match, looking through all of them costs no more.
    private static let mostFound = 50_000

    /// A condition for a WHERE clause over `jobs`, with what an index has of the words.
    func condition(_ search: PromptSearch?, _ db: Database) throws -> (sql: String, arguments: StatementArguments) {
        let (sql, arguments) = condition
        guard let ids = try search?.all(limit: Self.mostFound, db) else { return (sql, arguments) }
        let list = JSONValue.array(ids.map { .integer($0) }).json
        return ("jobs.id IN (SELECT value FROM json_each(?)) AND \(sql)", [list] + arguments)
    }
}

/// The index of prompts cannot be read.
struct SearchFailure: Error {}
