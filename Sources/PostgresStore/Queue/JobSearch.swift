import Postgres
import PromptQueue

/// Which jobs a filter asks for, with the words of prompts, which are looked for here: how they are folded the server does not know.
struct JobSearch {
    let filter: JobFilter
    let connection: BlockingConnection

    /// The rest of the rows is not needed.
    private struct Enough: Error {}

    /// The ids of those that match, in an order.
    ///
    /// - Parameter condition: what they must hold to besides, with parameters behind those of `JobCondition`.
    func ids(
        _ order: JobOrder,
        limit: Int,
        and condition: String = "true",
        _ parameters: [PostgresValue] = []
    ) throws -> [Int64] {
        guard !filter.isImpossible, limit > 0 else { return [] }
        let hasWords = !filter.words.isEmpty
        let sql = """
            SELECT jobs.id\(hasWords ? ", jobs.prompt" : "") FROM jobs WHERE \(JobCondition.sql) AND \(condition)
            ORDER BY \(order.sql(of: "jobs"))
            """
        let arguments = JobCondition.arguments(filter) + parameters
        guard hasWords else {
            return try connection.query(SQL(pasted: "\(sql) LIMIT \(limit)"), arguments).map { try $0[0] }
        }
        let words = PromptWords(filter.words)
        var found: [Int64] = []
        do {
            try connection.forEachRow(SQL(pasted: sql), arguments) { row in
                guard let prompt: String = try row[1], words.match(prompt) else { return }
                found.append(try row[0])
                if found.count == limit { throw Enough() }
            }
        } catch is Enough {}
        return found
    }
}

extension JobOrder {
    /// What follows ORDER BY.
    func sql(of table: String) -> String {
        let direction = isAscending ? "ASC" : "DESC"
        let column: String
        switch key {
        case .id: return "\(table).id \(direction)"
        case .priority: column = "priority"
        case .submitted: column = "submitted_at"
        case .finished: column = "finished_at"
        case .charged: column = "charged_millicredits"
        }
        return "\(table).\(column) \(direction) NULLS LAST, \(table).id \(direction)"
    }
}

/// Results of jobs.
enum ResultRows {
    static let ofJobs = SQL(
        pasted: "SELECT \(ResultRecord.columns), job_id FROM results WHERE job_id = ANY ($1) ORDER BY job_id, ordinal"
    )

    /// From `ofJobs`.
    static func byJob(_ rows: PostgresRows) throws -> [JobID: [ResultRecord]] {
        try rows.reduce(into: [:]) { results, row in
            results[JobID(try row[12]), default: []].append(try ResultRecord(row: row))
        }
    }
}
