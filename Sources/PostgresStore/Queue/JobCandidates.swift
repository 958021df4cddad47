import Postgres
import PromptQueue

/// The jobs that an index has for a filter, in the order of their ids, some at a time; what the index does not know of is left to ask of
/// each.
struct JobCandidates {
    /// Whether there are more, and enough were looked at.
    private(set) var gaveUp = false
    /// The last that was looked at.
    private(set) var last: JobID?

    private enum Source {
        case all
        /// By `jobs_listed`: the queues and states that there are jobs of.
        case queues([(name: String, state: String)])
        /// By `jobs_batch`.
        case batch(String, states: [String])
    }

    private let source: Source
    /// What is still to be asked of the candidates.
    private let residual: JobFilter
    private let isAscending: Bool
    private let chunk: Int
    private let connection: BlockingConnection
    private var left: Int
    private var isExhausted = false
    private var position: Int64

    init(_ request: PageRequest, _ connection: BlockingConnection) throws {
        self.connection = connection
        switch request.position {
        case .newest: (isAscending, position) = (false, .max)
        case .before(let id): (isAscending, position) = (false, id.rawValue)
        case .after(let id): (isAscending, position) = (true, id.rawValue)
        }
        let filter = request.filter
        let states = (filter.states.isEmpty ? JobState.allCases : Array(filter.states)).map(\.rawValue).sorted()
        var residual = filter
        if let batch = filter.batch {
            source = .batch(batch, states: states)
            residual.batch = nil
            residual.states = []
        } else if filter.queue != nil || !filter.states.isEmpty {
            let rows = try connection.query(
                """
                SELECT queue, state FROM queue_counts
                WHERE jobs > 0 AND state = ANY ($1) AND ($2::text IS NULL OR queue = $2)
                """,
                [.texts(states), .text(filter.queue)]
            )
            source = .queues(try rows.map { (try $0[0], try $0[1]) })
            residual.queue = nil
            residual.states = []
        } else {
            source = .all
        }
        self.residual = residual
        left = request.looks
        chunk = residual.isEmpty ? request.limit + 1 : 2_000
    }

    /// The next candidates; nil if there are no more, or enough were looked at.
    mutating func next() throws -> [Int64]? {
        guard !isExhausted else { return nil }
        guard left > 0 else {
            gaveUp = true
            return nil
        }
        let count = min(chunk, left)
        let ids = try fetch(count)
        left -= ids.count
        isExhausted = ids.count < count
        guard let end = ids.last else { return nil }
        position = end
        last = JobID(end)
        return ids
    }

    /// Those of the candidates that match, in their order.
    func matching(_ ids: [Int64]) throws -> [Int64] {
        guard !residual.isEmpty else { return ids }
        let order = JobOrder(.id, isAscending: isAscending)
        return try JobSearch(filter: residual, connection: connection).ids(
            order,
            limit: ids.count,
            and: "jobs.id = ANY ($\(JobCondition.count + 1))",
            [.ints(ids)]
        )
    }

    private func fetch(_ count: Int) throws -> [Int64] {
        let (comparison, order) = isAscending ? (">", "ASC") : ("<", "DESC")
        let bound = "id \(comparison) $1"
        let end = "id \(order) LIMIT $2"
        // An array of one, and the order by its column, which only the index of both has: that of the ids looks better where many jobs
        // match, and is read to its end where those lie elsewhere.
        let (sql, arguments): (String, [PostgresValue])
        switch source {
        case .all:
            (sql, arguments) = ("SELECT id FROM jobs WHERE \(bound) ORDER BY \(end)", [])
        case .queues(let pairs):
            sql = """
                SELECT j.id FROM unnest($3::text[], $4::text[]) AS p (name, state) CROSS JOIN LATERAL (
                    SELECT id FROM jobs WHERE queue = ANY (ARRAY[p.name]) AND state = p.state AND \(bound) ORDER BY queue \(order), \(end)) AS j
                ORDER BY j.id \(order) LIMIT $2
                """
            arguments = [.texts(pairs.map(\.name)), .texts(pairs.map(\.state))]
        case .batch(let name, let states):
            sql = """
                SELECT j.id FROM unnest($4::text[]) AS p (state) CROSS JOIN LATERAL (
                    SELECT id FROM jobs WHERE batch IS NOT NULL AND batch = ANY (ARRAY[$3]) AND state = p.state AND \(bound) ORDER BY batch \(order), \(end)) AS j
                ORDER BY j.id \(order) LIMIT $2
                """
            arguments = [.text(name), .texts(states)]
        }
        return try connection.query(SQL(pasted: sql), [.int(position), .int(Int64(count))] + arguments).map {
            try $0[0]
        }
    }
}
