import FoundationEssentials
import GRDB
import PromptQueue
import Testing

@testable import JobStore

@Suite struct SearchTests {
    private static let texts = [
        "a red fox in the snow", "A RED FOX, running", "café au lait", "cafe\u{301} noir", "赤い猫と青い鳥", "Ёлка и снег",
        "σίσυφος",
        "İstanbul, 16:9", "well-known \"quotes\" AND (NEAR) *", "it's 100% _under_score_", "emoji 🦊 fox", "x² ½ Ⅷ",
        "हिन्दी में चित्र",
        "ﷺ العربية مُحَمَّد", "tab\tnew\nline\u{0}nul", "foxglove foxes", "", "   ", "!!!", "Ǆ ǅ ǆ ß ẞ SS", "ｆｕｌｌｗｉｄｔｈ",
        "a\u{200D}b",
        "The quick brown fox jumps over the lazy dog " + String(repeating: "word ", count: 300), "한국어 그림", "ไทยภาษา",
    ]

    /// As the daemon does, until there is nothing to do.
    private func index(_ ledger: SQLiteLedger) async throws { while try await ledger.indexPrompts() {} }

    private func found(_ file: QueueFile, _ words: String..., looks: Int = 20_000) throws -> [Int64] {
        var filter = JobFilter()
        filter.words = words
        var ids: [Int64] = []
        var position = PageRequest.Position.newest
        while true {
            let slice = try file.page(PageRequest(filter, at: position, limit: 3, looks: looks))
            ids += slice.jobs.map(\.job.id.rawValue)
            guard let older = slice.older else { break }
            position = .before(older)
        }
        var listed: [Int64] = []
        try file.forEachJob(matching: filter, order: .newest, limit: .max) { listed.append($0.id.rawValue) }
        #expect(listed == ids)
        return ids
    }

    private func prompts(_ file: QueueFile) throws -> [Row] {
        try file.queue.read { try Row.fetchAll($0, sql: "SELECT id, prompt FROM jobs ORDER BY id DESC") }
    }

    private func read<T>(_ fixture: LedgerFixture, _ body: (Database) throws -> T) throws -> T {
        try SearchFile.openReader(at: SearchFile.path(of: fixture.path)).read(body)
    }

    private func change(_ fixture: LedgerFixture, _ sql: String) throws {
        try SearchFile.openWriter(at: SearchFile.path(of: fixture.path)).write { try $0.execute(sql: sql) }
    }

    /// What the index alone gives; nil if there is none that can be used.
    private func indexed(_ file: QueueFile, _ words: String...) throws -> [Int64]? {
        try file.queue.read { db in try file.search.search(PromptWords(words), in: db)?.all(limit: 100_000, db) }
    }

    private func filled() async throws -> (LedgerFixture, SQLiteLedger, QueueFile) {
        let fixture = try LedgerFixture()
        for text in Self.texts {
            try fixture.insert("(prompt) VALUES ('\(text.replacing("'", with: "''").replacing("\0", with: ""))')")
        }
        try fixture.insert("(prompt, model) VALUES (NULL, 'x')")
        return (fixture, fixture.ledger, try QueueFile(readingAt: fixture.path))
    }

    @Test func `the index gives for every word what the rule says`() async throws {
        let (fixture, ledger, file) = try await filled()
        defer { withExtendedLifetime(fixture) {} }
        var words: Set<String> = ["f", "fo", "fox", "foxe", "zzz", "AND", "NEAR", "\"", "*", "red fox", "fox red snow"]
        for text in Self.texts {
            for word in text.split(whereSeparator: \.isWhitespace).prefix(20) {
                words.insert(String(word))
                words.insert(String(word.prefix(2)))
                words.insert(String(word.dropFirst()))
            }
        }
        var expected: [String: [Int64]] = [:]
        for word in words {
            expected[word] = try found(file, word)
            let rule = PromptWords([word])
            let all = try file.queue.read { db in
                try Row.fetchAll(db, sql: "SELECT id, prompt FROM jobs ORDER BY id DESC")
            }
            #expect(expected[word] == all.filter { rule.match($0["prompt"] ?? "") }.map { $0["id"] })
        }
        #expect(try indexed(file, "fox") == nil)
        try await index(ledger)
        for word in words {
            #expect(try found(file, word) == expected[word])
            // The index has nothing more and nothing less.
            guard !PromptWords([word]).words.isEmpty else { continue }
            #expect(try indexed(file, word) == expected[word], "\(word)")
        }
    }

    @Test func `what is new, changed or gone since the index was made is found as it is`() async throws {
        let (fixture, ledger, file) = try await filled()
        try await index(ledger)
        try fixture.insert("(prompt) VALUES ('a walrus')")
        try fixture.run("UPDATE jobs SET prompt = 'a badger' WHERE id = 1")
        try fixture.run("DELETE FROM jobs WHERE id = 2")
        try fixture.insert("(id, prompt) VALUES (1000, 'a walrus again')")
        try fixture.insert("(id, prompt) VALUES (500, 'a walrus below')")
        for _ in 0..<2 {
            #expect(try found(file, "walrus") == [1_000, 500, 27])
            #expect(try found(file, "badger") == [1])
            #expect(try found(file, "red") == [])
            try await index(ledger)
        }
        #expect(try indexed(file, "walrus") == [1_000, 500, 27])
        #expect(try indexed(file, "red") == [])
        #expect(try fixture.rows("SELECT count(*) FROM search_changes") == ["0"])
        // Words of what is gone are not kept in the file.
        let kept = try read(fixture) { db in
            try String.fetchAll(db, sql: "SELECT folded FROM words WHERE words MATCH '\"snow\" OR \"running\"'")
        }
        #expect(kept.isEmpty)
    }

    @Test func `without the file, and with a damaged one, all is found, and it is made anew`() async throws {
        let (fixture, ledger, file) = try await filled()
        let path = SearchFile.path(of: fixture.path)
        let expected = try found(file, "fox")
        try await index(ledger)
        // Through a new connection, which has nothing of it in its memory.
        for damage in [Data("no database at all".utf8), Data(repeating: 7, count: 40_000), Data()] {
            try ledger.searchIndex.close()
            SearchFile.remove(path)
            try damage.write(to: URL(filePath: path))
            let reader = try QueueFile(readingAt: fixture.path)
            #expect(try found(reader, "fox") == expected)
            try await index(ledger)
            #expect(try indexed(reader, "fox") == expected)
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(try found(file, "fox") == expected)
    }

    @Test func `a page in the middle of the file that is damaged harms no search`() async throws {
        let (fixture, ledger, file) = try await filled()
        let expected = try found(file, "fox")
        try await index(ledger)
        try ledger.searchIndex.close()
        let path = SearchFile.path(of: fixture.path)
        var bytes = try Data(contentsOf: URL(filePath: path))
        for index in 4_096..<bytes.count { bytes[index] = 0x55 }
        try bytes.write(to: URL(filePath: path))
        #expect(try found(try QueueFile(readingAt: fixture.path), "fox") == expected)
        // The daemon finds it damaged, and makes it anew.
        try fixture.insert("(prompt) VALUES ('one more fox')")
        for _ in 0..<3 {
            do { try await index(ledger) } catch {}
        }
        #expect(try indexed(try QueueFile(readingAt: fixture.path), "fox") == [27] + expected)
    }

    @Test func `the index of another database, or of a later state of this one, is not used`() async throws {
        let (fixture, ledger, _) = try await filled()
        let older = fixture.path + "-older"
        try await ledger.maintain()
        try FileManager.default.copyItem(atPath: fixture.path, toPath: older)
        try fixture.insert("(prompt) VALUES ('a walrus'), ('a walrus')")
        try await index(ledger)
        let indexFile = SearchFile.path(of: fixture.path)
        try ledger.searchIndex.close()
        try FileManager.default.copyItem(atPath: indexFile, toPath: SearchFile.path(of: older))
        // The copy takes up work of its own, under the same numbers.
        let copy = try QueueFile(path: older)
        _ = try copy.add(
            (0..<5).map { NewJob(prompt: "a badger \($0)", model: "x", input: "{}", queue: "default") },
            now: Instant(milliseconds: 1)
        )
        #expect(try indexed(copy, "walrus") == nil)
        #expect(try found(copy, "badger").count == 5)
        let reopened = try SQLiteLedger(path: older)
        try await index(reopened)
        #expect(try indexed(copy, "badger")?.count == 5)
        #expect(try indexed(copy, "walrus") == [])
        try FileManager.default.removeItem(atPath: older)
    }

    @Test func `steps are bounded, go on where they stopped, and give way to a file that is of another format`()
        async throws
    {
        let fixture = try LedgerFixture()
        try fixture.run(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
            INSERT INTO jobs (prompt) SELECT 'fox number ' || i FROM n
            """
        )
        let file = try QueueFile(readingAt: fixture.path)
        #expect(try await fixture.ledger.indexPrompts())
        #expect(try indexed(file, "fox", "number", "1")?.contains(1_000) == true)
        func count() throws -> Int? { try read(fixture) { try Int.fetchOne($0, sql: "SELECT count(*) FROM words") } }
        #expect(try count() == 1_000)
        try fixture.ledger.searchIndex.close()
        #expect(try await fixture.ledger.indexPrompts())
        #expect(try count() == 2_000)
        #expect(try await !fixture.ledger.indexPrompts())
        #expect(try found(file, "2500", "fox") == [2_500])
        try fixture.ledger.searchIndex.close()
        try change(fixture, "PRAGMA user_version = 99")
        #expect(try indexed(file, "fox") == nil)
        #expect(try await fixture.ledger.indexPrompts())
        #expect(try count() == 1_000)
    }

    @Test func `words that are common are not asked of the index, and all is found`() async throws {
        let fixture = try LedgerFixture()
        // The rare ones are far back, where looking at the newest finds none.
        try fixture.run(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
            INSERT INTO jobs (prompt) SELECT 'number ' || i || CASE WHEN i % 10 = 0 THEN ' tenth' ELSE '' END
                || CASE WHEN i < 100 THEN ' early' ELSE '' END || CASE WHEN i < 15000 THEN ' old' ELSE ' new' END FROM n
            """
        )
        try await index(fixture.ledger)
        let file = try QueueFile(readingAt: fixture.path)
        func plan(_ words: String...) throws -> [String]? {
            try file.queue.read { db in
                try file.search.search(PromptWords(words), in: db).map { [$0.isCommon ? "common" : "rare", $0.asked] }
            }
        }
        #expect(try plan("number") == ["common", "number"])
        #expect(try plan("number", "early") == ["rare", "early"])
        #expect(try plan("early", "tenth", "12345") == ["rare", "early 12345"])
        #expect(try plan("tenth", "number") == ["common", "tenth"])
        #expect(try found(file, "early", "number").count == 99)
        #expect(try found(file, "29990") == [29_990])
        #expect(try found(file, "tenth", "number").count == 3_000)
        // Common on the whole, and not among the newest.
        #expect(try found(file, "old", "tenth").count == 1_499)
    }
}
