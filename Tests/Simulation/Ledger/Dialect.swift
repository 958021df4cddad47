/// What users and strangers say otherwise in another store's SQL.
package struct Dialect: Sendable {
    /// Whether a job, as `j`, waits for its turn.
    var hasTurn: String
    /// A column of JSON whose texts can be read, whatever strangers wrote into it.
    var readable: @Sendable (_ column: String) -> String
    /// Where strangers strike.
    var tables: [ForeignStatement.Table]
    /// Other names of a table's key.
    var aliases: [String]
    var updates: [(weight: Double, choice: String)]
    /// What stands before and after a row that is inserted.
    var inserts: [(verb: String, end: String)]
    /// Before rows that bring the numbers of others along.
    var overriding: String
    /// Rows inserted over themselves.
    var again: (verb: String, end: String)
    /// Before the columns that another row's values are written to instead.
    var upsert: @Sendable (ForeignStatement.Table) -> (verb: String, end: String)
    var newToken: String
    var texts: [String]
    var numbers: [String]
    /// What somebody may write where an object in JSON belongs.
    var objects: [String]

    static let sqlite = Dialect(
        hasTurn: "j.turn IS NOT NULL",
        readable: { $0 },
        tables: tables + [
            .init(weight: 0.7, name: "job_keys"), .init(weight: 0.3, name: "key_sought", key: "id"),
            .init(weight: 0.7, name: "daemon", key: "id"),
        ],
        // An INTEGER PRIMARY KEY has more names than one, and triggers go by names.
        aliases: ["rowid", "oid", "_rowid_"],
        updates: [
            (6.0, "UPDATE"), (1, "UPDATE OR REPLACE"), (1, "UPDATE OR IGNORE"), (1, "UPDATE OR FAIL"),
        ],
        inserts: [("INSERT INTO", ""), ("INSERT OR REPLACE INTO", ""), ("INSERT OR IGNORE INTO", "")],
        overriding: "",
        again: ("INSERT OR REPLACE INTO", ""),
        upsert: { _ in ("INSERT INTO", " ON CONFLICT DO UPDATE SET") },
        newToken: "lower(hex(randomblob(16)))",
        texts: [
            "'a red fox'", "''", "'a' || char(0) || 'b'", "CAST(x'ff41' AS TEXT)", "CAST(x'636166e9' AS TEXT)",
            "'caf' || char(233)", "'cafe' || char(769)", "printf('%.*c', 5000, 'x')", "char(128512)",
            "'a' || char(10) || char(27) || '[2J'", "'default'", "'usual'", "'\"'", "char(8238)", "NULL",
        ],
        numbers: [
            "0", "1", "-1", "3", "9223372036854775807", "-9223372036854775808", "1e18", "'x'", "NULL", "100000000000",
        ],
        objects: [
            "'{}'", "'{\"a\":1,\"a\":2}'", "'{\"a\":1e999}'", "'{\"a\":\"\\ud83d\"}'", "'[]'", "'{'",
            "'{\"a\":' || char(0) || '}'",
            "'{\"a\":' || replace(printf('%.*c', 20, '['), '[', '[') || replace(printf('%.*c', 20, ']'), ']', ']') || '}'",
            "'{\"a\":' || printf('%.*c', 900, '[') || printf('%.*c', 900, ']') || '}'",
            "'{\"a\":\"' || CAST(x'ff' AS TEXT) || '\"}'", "'{\"prompt\":\"another\"}'",
        ]
    )

    // Numbers are in quotes: then they are taken where a text belongs, too.
    static let postgresql = Dialect(
        hasTurn: "EXISTS (SELECT 1 FROM job_turns AS t WHERE t.job_id = j.id)",
        readable: { "readable(\($0))" },
        tables: tables + [.init(weight: 0.7, name: "daemon", key: "id")],
        aliases: [],
        updates: [(1, "UPDATE")],
        inserts: [
            ("INSERT INTO", ""), ("INSERT INTO", " ON CONFLICT DO NOTHING"),
        ],
        overriding: " OVERRIDING SYSTEM VALUE",
        again: ("INSERT INTO", " ON CONFLICT DO NOTHING"),
        upsert: { table in
            ("INSERT INTO", " ON CONFLICT (\(table.name == "results" ? "job_id, ordinal" : "id")) DO UPDATE SET")
        },
        newToken: "replace(gen_random_uuid()::text, '-', '')",
        texts: [
            "'a red fox'", "''", "E'a\\x00b'", "E'\\xff41'", "E'caf\\u00e9'", "E'cafe\\u0301'", "repeat('x', 5000)",
            "U&'\\+01F600'", "E'a\\n\\x1b[2J'", "'default'", "'usual'", "'\"'", "E'\\u202e'", "NULL",
        ],
        numbers: [
            "'0'", "'1'", "'-1'", "'3'", "'9223372036854775807'", "'-9223372036854775808'", "1e18", "'x'", "NULL",
            "'100000000000'",
        ],
        objects: [
            "'{}'", "'{\"a\":1,\"a\":2}'", "'{\"a\":1e999}'", "'{\"a\":\"\\ud83d\"}'", "'[]'", "'{'",
            "E'{\"a\":\\x00}'", "('{\"a\":' || repeat('[', 20) || repeat(']', 20) || '}')::json",
            "('{\"a\":' || repeat('[', 900) || repeat(']', 900) || '}')::json", "E'{\"a\":\"\\xff\"}'",
            "'{\"prompt\":\"another\"}'",
        ]
    )

    /// Those that are there in each store, as tables or as views.
    private static let tables: [ForeignStatement.Table] = [
        .init(weight: 6, name: "jobs", key: "id"), .init(weight: 8, name: "attempts", key: "job_id"),
        .init(weight: 3, name: "results"), .init(weight: 0.7, name: "spending"),
        .init(weight: 0.7, name: "queue_counts"),
        .init(weight: 0.7, name: "turns"), .init(weight: 0.7, name: "turns_served"),
        .init(weight: 0.7, name: "accounts", key: "name"), .init(weight: 0.7, name: "account_readings", key: "id"),
        .init(weight: 0.7, name: "set_aside", key: "job_id"), .init(weight: 0.7, name: "completion_times"),
        .init(weight: 0.7, name: "suspects"),
        .init(weight: 0.7, name: "job_inputs", key: nil),
        .init(weight: 0.7, name: "events", key: "job_id"),
    ]
}
