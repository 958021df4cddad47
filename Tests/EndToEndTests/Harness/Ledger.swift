import Foundation
import Testing

/// The database as its users have it: through the `sqlite3` shell, in a process of its own.
struct Ledger {
    let path: String
    let stage: Stage

    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs SQL and returns what the shell prints: a line for each row, columns separated by `|`.
    ///
    /// - Throws: `Refused` with the shell's message.
    @discardableResult
    func callAsFunction(_ sql: String) async throws -> String {
        try await shell([], sql)
    }

    /// Runs lines of SQL and of the shell's own commands.
    func script(_ lines: String) async throws {
        let said = try await stage.run(
            "/usr/bin/env",
            ["sqlite3", "-batch", "-bail", "-cmd", ".timeout 10000", path],
            input: lines + "\n"
        )
        guard said.end == .exit(0) else { throw Refused(description: said.errors + said.output) }
    }

    func number(_ sql: String) async throws -> Int {
        let text = try await self(sql)
        return try #require(Int(text), "\(sql) gave \(text)")
    }

    /// The lines that `sql` gives.
    func lines(_ sql: String) async throws -> [String] {
        try await self(sql).split(separator: "\n").map(String.init)
    }

    func rows<Row: Decodable>(_ sql: String, as: Row.Type = Row.self) async throws -> [Row] {
        let json = try await shell(["-json"], sql)
        return json.isEmpty ? [] : try JSONDecoder().decode([Row].self, from: Data(json.utf8))
    }

    private func shell(_ options: [String], _ sql: String) async throws -> String {
        let said = try await stage.run(
            "/usr/bin/env",
            ["sqlite3", "-batch", "-bail"] + options + ["-cmd", ".timeout 10000", path, sql]
        )
        guard said.end == .exit(0) else { throw Refused(description: said.errors + said.output) }
        return said.output.trimmingCharacters(in: .newlines)
    }

    /// Inserts a job with a prompt and returns its id.
    @discardableResult
    func insert(_ prompt: String) async throws -> Int {
        try await number("INSERT INTO jobs (prompt) VALUES ('\(prompt)'); SELECT last_insert_rowid()")
    }

    /// Waits until `sql` gives `expected`.
    func wait(for expected: String, from sql: String, within limit: Duration = .seconds(45)) async throws {
        var found = ""
        let explain: () async -> String = { "the last answer was:\n\(found)\n" + ((try? await self.summary()) ?? "") }
        _ = try await eventually("\(sql) gives \(expected)", within: limit, every: .milliseconds(100), explain: explain)
        {
            found = try await self(sql)
            return found == expected ? true : nil
        }
    }

    /// Waits until a job is in `state`.
    func wait(job: Int, is state: String) async throws {
        try await wait(for: state, from: "SELECT state FROM jobs WHERE id = \(job)")
    }

    /// What a person would look at.
    func summary() async throws -> String {
        try await self(
            """
            SELECT id, state, attempt_count, error_code, error_message FROM jobs WHERE state <> 'succeeded' LIMIT 20;
            SELECT id, job_id, state, http_status, api_code, message FROM attempts ORDER BY id DESC LIMIT 20;
            SELECT * FROM gates;
            """
        )
    }
}
