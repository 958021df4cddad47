/// What somebody's shell may try on the database: any column of any table, whatever name it goes by.
struct ForeignStatement {
    /// Where it strikes.
    enum Reach {
        /// One job, or what belongs to it.
        case oneJob
        /// One job, some, or all.
        case any
    }

    var sql: String

    /// - Parameters:
    ///   - dialect: the store's.
    ///   - jobs: ids are drawn from 1 to this.
    ///   - aims: of these jobs half of the statements are, if there are any: those of which there is most to spoil.
    ///   - columns: a table's, in their order.
    init(
        _ chance: inout Chance,
        in dialect: Dialect,
        reach: Reach,
        jobs: Int,
        aims: [Int] = [],
        columns: (String) throws -> [String]
    ) rethrows {
        let table = chance.draw(dialect.tables.map { ($0.weight, $0) })
        let stored = try columns(table.name)
        let aliases = table.key == nil ? [] : dialect.aliases
        var draft = Draft(
            chance: chance,
            dialect: dialect,
            table: table,
            stored: stored,
            aliases: aliases,
            jobs: jobs,
            aims: aims
        )
        sql = draft.statement(reach)
        chance = draft.chance
    }

    struct Table: Sendable {
        var weight: Double
        var name: String
        /// The column by which a job, or what belongs to it, is found; nil: the table has no rowid.
        var key: String?
    }

    private static let words = [
        "queued", "submitting", "running", "succeeded", "failed", "cancelled", "unconfirmed", "sending", "accepted",
        "rejected", "unknown", "pending", "saved", "invalid_input", "empty_result", "task-1",
    ]

    private struct Draft {
        var chance: Chance
        let dialect: Dialect
        var table: Table
        var stored: [String]
        var aliases: [String]
        var jobs: Int
        var aims: [Int]

        mutating func statement(_ reach: Reach) -> String {
            let name = table.name
            switch chance.draw([(8.0, 0), (2, 1), (2, 2), (1, 3), (1, 4), (1, 5), (0.7, 6)]) {
            case 0:
                let verb = chance.draw(dialect.updates)
                let changes = (0..<chance.whole(1...3)).map { _ in "\(column()) = \(value())" }
                return "\(verb) \(name) SET \(changes.joined(separator: ", "))\(place(reach))"
            case 1:
                return "DELETE FROM \(name)\(place(reach))"
            case 2:
                let insert = chance.pick(dialect.inserts)
                let some = stored.filter { _ in chance.happens(0.6) }
                guard !some.isEmpty else { return "DELETE FROM \(name)\(place(reach))" }
                let values = some.map { _ in value(columns: false) }
                return
                    "\(insert.verb) \(name) (\(list(some)))\(dialect.overriding) VALUES (\(list(values)))\(insert.end)"
            case 3:
                // Each row once more, over itself.
                return
                    "\(dialect.again.verb) \(name)\(dialect.overriding) SELECT * FROM \(name)\(place(reach))\(dialect.again.end)"
            case 4:
                let column = chance.pick(stored)
                let place = place(reach)
                let upsert = dialect.upsert(table)
                return
                    "\(upsert.verb) \(name)\(dialect.overriding) SELECT * FROM \(name)\(place.isEmpty ? " WHERE true" : place)"
                    + "\(upsert.end) \(column) = \(value())"
            case 6:
                // NOT NULL columns take their default then.
                let column = stored.contains("state") && chance.happens(0.5) ? "state" : column()
                return
                    "\(dialect.updates.count > 1 ? dialect.updates[1].choice : "UPDATE") \(name) SET \(column) = NULL\(place(reach))"
            default:
                // A row beside the one that is there.
                let copied = stored.filter { !["id", "token", "unique_key"].contains($0) }
                let values = copied.map { column in chance.happens(0.2) ? value() : column }
                let token = stored.contains("token")
                return "INSERT INTO \(name) (\(list(copied + (token ? ["token"] : [])))) "
                    + "SELECT \(list(values + (token ? [dialect.newToken] : []))) FROM \(name)\(place(reach))"
            }
        }

        private func list(_ names: [String]) -> String { names.joined(separator: ", ") }

        private mutating func value(columns: Bool = true) -> String {
            switch chance.draw([(4.0, 0), (columns ? 3 : 0, 1), (columns ? 1 : 0, 2), (3, 3)]) {
            case 0: "'\(chance.pick(ForeignStatement.words))'"
            case 1: column()
            case 2: "\(column()) + 1"
            default: chance.pick(dialect.numbers + dialect.texts + ["14000"])
            }
        }

        private mutating func column() -> String {
            !aliases.isEmpty && chance.happens(0.2) ? chance.pick(aliases) : chance.pick(stored)
        }

        private mutating func job() -> Int {
            !aims.isEmpty && chance.happens(0.5) ? chance.pick(aims) : chance.whole(1...jobs)
        }

        private mutating func place(_ reach: Reach) -> String {
            let key = table.key ?? (stored.contains("job_id") ? "job_id" : nil)
            guard reach == .any else {
                return key.map { " WHERE \($0) = \(job())" } ?? ""
            }
            switch chance.draw([(key == nil ? 0.0 : 6, 0), (key == nil ? 0 : 1, 1), (1.5, 2), (1.5, 3)]) {
            case 0: return " WHERE \(key ?? "") = \(job())"
            case 1: return " WHERE \(key ?? "") IN (\(job()), \(job()))"
            case 2: return " WHERE \(column()) = \(value())"
            default: return ""
            }
        }
    }
}
