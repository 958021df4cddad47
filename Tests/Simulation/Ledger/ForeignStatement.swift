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
    ///   - jobs: ids are drawn from 1 to this.
    ///   - aims: of these jobs half of the statements are, if there are any: those of which there is most to spoil.
    ///   - columns: a table's, as `PRAGMA table_info` lists them.
    init(
        _ chance: inout Chance,
        reach: Reach,
        jobs: Int,
        aims: [Int] = [],
        columns: (String) throws -> [String]
    ) rethrows {
        let table = chance.draw(Self.tables.map { ($0.weight, $0) })
        let stored = try columns(table.name)
        // An INTEGER PRIMARY KEY has more names than one, and triggers go by names.
        let aliases = table.key == nil ? [] : ["rowid", "oid", "_rowid_"]
        var draft = Draft(chance: chance, table: table, stored: stored, aliases: aliases, jobs: jobs, aims: aims)
        sql = draft.statement(reach)
        chance = draft.chance
    }

    struct Table {
        var weight: Double
        var name: String
        /// The column by which a job, or what belongs to it, is found; nil: the table has no rowid.
        var key: String?
    }

    private static let tables = [
        Table(weight: 6, name: "jobs", key: "id"), Table(weight: 8, name: "attempts", key: "job_id"),
        Table(weight: 3, name: "results"), Table(weight: 0.7, name: "spending"),
        Table(weight: 0.7, name: "queue_counts"),
        Table(weight: 0.7, name: "turns"), Table(weight: 0.7, name: "turns_served"),
        Table(weight: 0.7, name: "accounts", key: "name"), Table(weight: 0.7, name: "account_readings", key: "id"),
        Table(weight: 0.7, name: "set_aside", key: "job_id"), Table(weight: 0.7, name: "completion_times"),
        Table(weight: 0.7, name: "suspects"),
        Table(weight: 0.7, name: "job_inputs", key: nil),
        Table(weight: 0.7, name: "events", key: "job_id"),
        Table(weight: 0.7, name: "job_keys"), Table(weight: 0.3, name: "key_sought", key: "id"),
        Table(weight: 0.7, name: "daemon", key: "id"),
    ]

    static let texts = [
        "'a red fox'", "''", "'a' || char(0) || 'b'", "CAST(x'ff41' AS TEXT)", "CAST(x'636166e9' AS TEXT)",
        "'caf' || char(233)", "'cafe' || char(769)", "printf('%.*c', 5000, 'x')", "char(128512)",
        "'a' || char(10) || char(27) || '[2J'", "'default'", "'usual'", "'\"'", "char(8238)", "NULL",
    ]
    static let numbers = [
        "0", "1", "-1", "3", "9223372036854775807", "-9223372036854775808", "1e18", "'x'", "NULL", "100000000000",
    ]
    private static let words = [
        "queued", "submitting", "running", "succeeded", "failed", "cancelled", "unconfirmed", "sending", "accepted",
        "rejected", "unknown", "pending", "saved", "invalid_input", "empty_result", "task-1",
    ]

    private struct Draft {
        var chance: Chance
        var table: Table
        var stored: [String]
        var aliases: [String]
        var jobs: Int
        var aims: [Int]

        mutating func statement(_ reach: Reach) -> String {
            let name = table.name
            switch chance.draw([(8.0, 0), (2, 1), (2, 2), (1, 3), (1, 4), (1, 5), (0.7, 6)]) {
            case 0:
                let verb = chance.draw([
                    (6.0, "UPDATE"), (1, "UPDATE OR REPLACE"), (1, "UPDATE OR IGNORE"), (1, "UPDATE OR FAIL"),
                ])
                let changes = (0..<chance.whole(1...3)).map { _ in "\(column()) = \(value())" }
                return "\(verb) \(name) SET \(changes.joined(separator: ", "))\(place(reach))"
            case 1:
                return "DELETE FROM \(name)\(place(reach))"
            case 2:
                let verb = chance.pick(["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
                let some = stored.filter { _ in chance.happens(0.6) }
                guard !some.isEmpty else { return "DELETE FROM \(name)\(place(reach))" }
                let values = some.map { _ in value(columns: false) }
                return "\(verb) INTO \(name) (\(list(some))) VALUES (\(list(values)))"
            case 3:
                // Each row once more, over itself.
                return "INSERT OR REPLACE INTO \(name) SELECT * FROM \(name)\(place(reach))"
            case 4:
                let column = chance.pick(stored)
                let place = place(reach)
                return "INSERT INTO \(name) SELECT * FROM \(name)\(place.isEmpty ? " WHERE true" : place) "
                    + "ON CONFLICT DO UPDATE SET \(column) = \(value())"
            case 6:
                // NOT NULL columns take their default then.
                let column = stored.contains("state") && chance.happens(0.5) ? "state" : column()
                return "UPDATE OR REPLACE \(name) SET \(column) = NULL\(place(reach))"
            default:
                // A row beside the one that is there.
                let copied = stored.filter { !["id", "token", "unique_key"].contains($0) }
                let values = copied.map { column in chance.happens(0.2) ? value() : column }
                let token = stored.contains("token")
                return "INSERT INTO \(name) (\(list(copied + (token ? ["token"] : [])))) "
                    + "SELECT \(list(values + (token ? ["lower(hex(randomblob(16)))"] : []))) FROM \(name)\(place(reach))"
            }
        }

        private func list(_ names: [String]) -> String { names.joined(separator: ", ") }

        private mutating func value(columns: Bool = true) -> String {
            switch chance.draw([(4.0, 0), (columns ? 3 : 0, 1), (columns ? 1 : 0, 2), (3, 3)]) {
            case 0: "'\(chance.pick(ForeignStatement.words))'"
            case 1: column()
            case 2: "\(column()) + 1"
            default: chance.pick(ForeignStatement.numbers + ForeignStatement.texts + ["14000"])
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
