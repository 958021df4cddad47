import Foundation

/// `promptd-schema(7)`, made from `docs/schema.sql`: what the tables and views hold, with the words of the schema's own comments.
struct SchemaPage {
    private(set) var text = """
        .\\" Made from the schema by a test; not edited.
        .TH PROMPTD-SCHEMA 7 "" "promptd" "Formats"
        .SH NAME
        promptd-schema \\- the tables and views of promptd's database
        .SH DESCRIPTION
        The database is the interface of
        .BR promptd (8):
        jobs are rows that anybody inserts, and what became of them is read from the same file, with
        .BR sqlite3 (1)
        or any other program that knows SQLite. Columns that end in _at are Unix time in milliseconds; those that end in
        _millicredits are thousandths of a credit. The least that enqueues a job:
        .PP
        .RS
        .nf
        INSERT INTO jobs (prompt) VALUES (\\(aqa red fox in the snow\\(aq);
        .fi
        .RE
        .PP
        Triggers refuse rows and changes that are not allowed, with a message that says what is.

        """

    init(_ sql: String) {
        var tables: [String] = []
        var views: [String] = []
        // A statement with what it creates; a trigger's own statements are indented.
        for part in sql.components(separatedBy: "\nCREATE ") {
            let lines = part.components(separatedBy: "\n")
            let words = lines[0].split(separator: " ")
            guard words.count > 1 else { continue }
            if words[0] == "TABLE" {
                tables.append(Self.table(String(words[1]), lines.dropFirst()))
            } else if words[0] == "VIEW" {
                views.append(String(words[1]))
            }
        }
        text += ".SH TABLES\n" + tables.joined()
        text += ".SH VIEWS\nReadable as they are in the shell: ISO times, credits.\n.PP\n"
        text += views.map { ".B \(ManualPage.escaped($0))" }.joined(separator: ",\n") + "\n"
        text += """
            .SH SEE ALSO
            .BR promptd (8),
            .BR promptctl (1),
            .BR sqlite3 (1)

            """
    }

    private static func table(_ name: String, _ lines: ArraySlice<String>) -> String {
        var text = ".SS \(ManualPage.escaped(name))\n"
        var comment: [String] = []
        for line in lines {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix(")") { break }
            if line.hasPrefix("--") {
                comment.append(String(line.dropFirst(2)).trimmingCharacters(in: .whitespaces))
                continue
            }
            // Columns that a later migration added stand in one line, after commas.
            for part in line.components(separatedBy: ", ") {
                let words = part.split(separator: " ")
                guard words.count > 1, ["INTEGER", "TEXT"].contains(words[1].filter { $0 != "," }),
                    words[0].allSatisfy({ $0.isLowercase || $0 == "_" || $0.isNumber })
                else { continue }
                text += ".TP\n.BR \(ManualPage.escaped(String(words[0]))) \" \(words[1].filter { $0 != "," })\"\n"
                text += comment.isEmpty ? "\\&\n" : comment.map { ManualPage.escaped($0) + "\n" }.joined()
                comment = []
            }
            if line.isEmpty { comment = [] }
        }
        return text
    }
}
