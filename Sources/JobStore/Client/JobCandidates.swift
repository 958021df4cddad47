import GRDB
import PromptQueue

/// The jobs that an index has for a filter, in the order of their ids, some at a time; what the index does not know of is
/// left to ask of each.
struct JobCandidates {
    /// What is still to be asked of the candidates.
    let residual: JobFilter
    let isAscending: Bool
    /// The last that was looked at.
    private(set) var last: JobID?
    /// Whether there are more, and enough were looked at.
    private(set) var gaveUp = false

    private enum Source {
        case all
        /// Pairs of a name and a state, of `jobs_listed` (queue) or `jobs_batch`.
        case pairs(column: String, index: String, [(name: String, state: String)])
        /// By the words of the prompt.
        case words(PromptSearch)
    }

    /// So many are looked at one by one where many match.
    private static let scannedFirst = 4_000

    private let source: Source
    private let looks: Int
    private let chunk: Int
    private var left: Int
    private var isExhausted = false
    private var position: Int64

    /// - Parameter search: an index that has the words, if there is one.
    init(_ request: PageRequest, _ search: PromptSearch?, _ db: Database) throws {
        switch request.position {
        case .newest: (isAscending, position) = (false, .max)
        case .before(let id): (isAscending, position) = (false, id.rawValue)
        case .after(let id): (isAscending, position) = (true, id.rawValue)
        }
        let filter = request.filter
        var residual = filter
        let states = filter.states.isEmpty ? JobState.allCases.map(\.rawValue) : filter.states.map(\.rawValue).sorted()
        if let search {
            source = .words(search)
        } else if let batch = filter.batch {
            source = .pairs(column: "batch", index: "jobs_batch", states.map { (batch, $0) })
            residual.batch = nil
            residual.states = []
        } else if filter.queue != nil || !filter.states.isEmpty {
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT queue, state FROM queue_counts WHERE jobs > 0 AND state IN (SELECT value FROM json_each(:states))
                    \(filter.queue == nil ? "" : "AND queue = :queue")
                    """,
                arguments: StatementArguments(
                    [
                        "states": JSONValue.array(states.map { .string($0) }).json,
                        "queue": filter.queue ?? "",
                    ].filter { $0.key != "queue" || filter.queue != nil }
                )
            )
            source = .pairs(column: "queue", index: "jobs_listed", rows.map { ($0["queue"], $0["state"]) })
            residual.queue = nil
            residual.states = []
        } else {
            source = .all
        }
        self.residual = residual
        left = request.looks
        looks = request.looks
        chunk = residual.isEmpty ? request.limit + 1 : 2_000
    }

    /// The next candidates; nil if there are no more, or enough were looked at.
    mutating func next(_ db: Database) throws -> [Int64]? {
        guard !isExhausted else { return nil }
        guard left > 0 else {
            gaveUp = true
            return nil
        }
        let count = min(chunk, left)
        let ids = try fetch(count, db)
        left -= ids.count
        isExhausted = ids.count < count
        guard let end = ids.last else { return nil }
        position = end
        last = JobID(end)
        return ids
    }

    private func all(_ count: Int, _ db: Database) throws -> [Int64] {
        let (comparison, order) = isAscending ? (">", "ASC") : ("<", "DESC")
        let statement = try db.cachedStatement(
            sql: "SELECT id FROM jobs WHERE id \(comparison) ? ORDER BY id \(order) LIMIT ?"
        )
        return try Int64.fetchAll(statement, arguments: [position, count])
    }

    private func fetch(_ count: Int, _ db: Database) throws -> [Int64] {
        let (comparison, order) = isAscending ? (">", "ASC") : ("<", "DESC")
        switch source {
        case .all: return try all(count, db)
        case .words(let search) where search.isCommon && looks - left < Self.scannedFirst: return try all(count, db)
        case .words(let search):
            return try search.candidates(beyond: position, isAscending: isAscending, limit: count, db)
        case .pairs(let column, let index, let pairs):
            // That id is positive says that the index may be used, which other statements do not say (migration 24).
            let statement = try db.cachedStatement(
                sql: """
                    SELECT id FROM jobs INDEXED BY \(index)
                    WHERE \(column) = ? AND state = ? AND id > 0 AND id \(comparison) ? ORDER BY id \(order) LIMIT ?
                    """
            )
            var ids: [Int64] = []
            for (name, state) in pairs {
                ids += try Int64.fetchAll(statement, arguments: [name, state, position, count])
            }
            guard pairs.count > 1 else { return ids }
            ids.sort(by: isAscending ? (<) : (>))
            return Array(ids.prefix(count))
        }
    }
}
