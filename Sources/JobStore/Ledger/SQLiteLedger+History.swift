import GRDB
import PromptQueue

extension SQLiteLedger {
    /// Bounds on what is remembered at a start.
    private static var profiles: Int { 200 }
    private static var completions: Int { 300 }

    /// The latest completions of each model and profile, oldest first: at most 300 of each of the 200 that were used last.
    ///
    /// Answered by the index `attempts_took` alone, in seeks from one profile to the next, however long the ledger is.
    ///
    /// - Parameter model: only of this one; otherwise of all.
    static func history(_ db: Database, model: String? = nil) throws -> [CompletedTask] {
        var kinds: [(key: CompletionKey, latest: Int64)] = []
        for model in try model.map({ [$0] }) ?? models(db) {
            for profile in try profiles(db, of: model) {
                kinds.append((CompletionKey(model: model, profile: profile), try latest(db, model, profile)))
            }
        }
        kinds.sort { $0.latest > $1.latest }
        let statement = try db.cachedStatement(
            sql: """
                SELECT finished_at, took_milliseconds FROM attempts INDEXED BY attempts_took
                WHERE model = ? AND profile = ? AND took_milliseconds IS NOT NULL AND finished_at IS NOT NULL
                ORDER BY finished_at DESC LIMIT \(completions)
                """
        )
        var tasks: [(at: Int64, task: CompletedTask)] = []
        for (key, _) in kinds.prefix(profiles) {
            let rows = try Row.fetchCursor(statement, arguments: [key.model, key.profile])
            while let row = try rows.next() {
                let took: Int64 = row["took_milliseconds"]
                tasks.append((row["finished_at"], CompletedTask(key: key, took: .milliseconds(took))))
            }
        }
        return tasks.sorted { $0.at < $1.at }.map(\.task)
    }

    private static func models(_ db: Database) throws -> [String] {
        let next = try db.cachedStatement(
            sql: """
                SELECT min(model) FROM attempts INDEXED BY attempts_took
                WHERE took_milliseconds IS NOT NULL AND model > ?
                """
        )
        var found: [String] = []
        while let model = try String.fetchOne(next, arguments: [found.last ?? ""]) { found.append(model) }
        return found
    }

    private static func profiles(_ db: Database, of model: String) throws -> [String] {
        // The first one may be empty.
        let sql = """
            SELECT min(profile) FROM attempts INDEXED BY attempts_took
            WHERE took_milliseconds IS NOT NULL AND model = ?
            """
        var found: [String] = []
        var profile = try String.fetchOne(db.cachedStatement(sql: sql), arguments: [model])
        let next = try db.cachedStatement(sql: sql + " AND profile > ?")
        while let known = profile {
            found.append(known)
            profile = try String.fetchOne(next, arguments: [model, known])
        }
        return found
    }

    private static func latest(_ db: Database, _ model: String, _ profile: String) throws -> Int64 {
        let latest = try db.cachedStatement(
            sql: """
                SELECT max(finished_at) FROM attempts INDEXED BY attempts_took
                WHERE took_milliseconds IS NOT NULL AND model = ? AND profile = ?
                """
        )
        return try Int64.fetchOne(latest, arguments: [model, profile]) ?? 0
    }
}
