import Glibc
import PromptQueue
import Testing

@testable import PromptCommands

struct ReaderTests {
    /// Reads all rows of a text: line, prompt, problems.
    private func rows(
        _ bytes: [UInt8],
        _ make: (ByteSource) throws -> any ImportReader
    ) throws -> [ImportRow] {
        let fixture = try CommandFixture()
        let descriptor = unsafe open(try fixture.write(bytes, "file"), O_RDONLY)
        defer { close(descriptor) }
        var reader = try make(ByteSource(descriptor: descriptor, name: "file"))
        var rows: [ImportRow] = []
        var row = ImportRow()
        while try reader.next(into: &row) { rows.append(row) }
        return rows
    }

    private func csv(_ text: String) throws -> [ImportRow] {
        try rows(Array(text.utf8)) { try CSVReader($0, name: "file") }
    }

    @Test(arguments: [
        ("prompt\na\nb\n", ["a", "b"]),
        ("prompt\r\na\r\nb", ["a", "b"]),
        ("\u{FEFF}prompt\na\n", ["a"]),
        ("prompt\n\"a, b\"\n", ["a, b"]),
        ("prompt\n\"a \"\"b\"\" c\"\n", ["a \"b\" c"]),
        ("prompt\n\"two\nlines\"\n", ["two\nlines"]),
        ("prompt\n\"two\r\nlines\"\r\n", ["two\r\nlines"]),
        ("prompt\n\"ends with a return\r\"\n", ["ends with a return\r"]),
        ("prompt\na \"quoted\" word\n", ["a \"quoted\" word"]),
        ("prompt\n\n\na\n\n", ["a"]),
        ("prompt,queue\na,\n", ["a"]),
        ("queue,prompt\n,ünï\u{301}çode 狐\n", ["ünï\u{301}çode 狐"]),
    ])
    func `CSV is read as RFC 4180 has it`(text: String, prompts: [String]) throws {
        let rows = try csv(text)
        #expect(rows.map(\.prompt) == prompts)
        #expect(rows.allSatisfy { $0.problems.isEmpty })
    }

    @Test(arguments: [
        ("prompt\ra\rb\r", ["a", "b"], [2, 3]),
        ("prompt\ra\r\rb", ["a", "b"], [2, 4]),
        ("prompt\r\"two\rlines\"\rb\r", ["two\rlines", "b"], [2, 4]),
        ("prompt\r\"two\nlines\"\rb\r", ["two\nlines", "b"], [2, 3]),
        ("\"prompt\"\r\n\"two\rlines\"\r\nb\r\n", ["two\rlines", "b"], [2, 3]),
        ("prompt\r\r\na\r\r\nb\r\r\n", ["a", "b"], [2, 3]),
    ])
    func `lines may end with CR alone`(text: String, prompts: [String], lines: [Int]) throws {
        let rows = try csv(text)
        #expect(rows.map(\.prompt) == prompts)
        #expect(rows.map(\.line) == lines)
        #expect(rows.allSatisfy { $0.problems.isEmpty })
    }

    @Test(arguments: ["prompt\na\rb\nc\n", "prompt\ra\nb\rc\r"])
    func `whether a stray line end makes one prompt or two is not guessed`(text: String) throws {
        let table = try csv(text)
        #expect(table.map(\.problems).contains([ImportRow.mixedLineEnds]))
        let lines = try rows(Array(text.utf8)) { TextReader($0) }
        #expect(lines.contains { $0.problems == [ImportRow.mixedLineEnds] })
    }

    @Test func `texts and JSON may have lines that end with CR alone`() throws {
        let texts = try rows(Array("a fox\ra dog\r\ra cow".utf8)) { TextReader($0) }
        #expect(texts.map(\.prompt) == ["a fox", "a dog", "a cow"])
        #expect(texts.map(\.line) == [1, 2, 4])
        #expect(try json("{\"prompt\":\"a\"}\r{\"prompt\":\"b\"}\r").map(\.prompt) == ["a", "b"])
    }

    @Test func `a header that comes again is no prompt`() throws {
        #expect(try csv("prompt\na\nprompt\nb\n").map(\.prompt) == ["a", "b"])
        #expect(try csv("prompt\r\na\r\n\u{FEFF}\"Prompt\"\r\nb").map(\.prompt) == ["a", "b"])
        let others = [
            "prompt,queue\na,q\nprompt,input.resolution\nb,1K\n", "prompt,input.x\na,1\nprompt,x\nb,2\n",
            "queue,prompt\nq,a\nq,Prompt\nq,b\n", "prompt\na\nprompt;queue\nb\n",
        ]
        for text in others {
            let other = try csv(text)
            #expect(other.map(\.isUnreadable) == [false, true, false])
            #expect(other.dropFirst().first?.problems.first?.hasPrefix("names columns, but not as line 1") == true)
        }
        let meant = try csv("prompt,queue\na prompt; input,prompt\n")
        #expect(meant.map(\.prompt) == ["a prompt; input"], "what only speaks of prompts is one")
    }

    @Test func `a record has the number of the line that it begins in`() throws {
        let rows = try csv("prompt\n\"one\ntwo\nthree\"\nfour\n\nfive\n")
        #expect(rows.map(\.line) == [2, 5, 7])
    }

    @Test(arguments: [
        ("prompt,queue\na\n", "1 field; the header has 2"),
        ("prompt\na,b\n", "2 fields; the header has 1"),
        ("prompt\n\"a\"b\n", "there is text behind a closing quote; quotes inside a field are doubled"),
        ("prompt\n\"a\nb\n", "a quoted field that begins in line 2 has no end"),
        ("prompt,priority\na,high\n", "priority: \"high\" is not a whole number"),
        ("prompt,max_attempts\na,21\n", "max_attempts: \"21\" is not within 1 to 20"),
    ])
    func `a malformed record says what is wrong`(text: String, problem: String) throws {
        #expect(try csv(text).last?.problems == [problem])
    }

    @Test func `bytes that are no UTF-8 are a problem of their line`() throws {
        let rows = try rows(Array("prompt\n".utf8) + [0xFF, 0xFE, 0x0A]) { try CSVReader($0, name: "file") }
        #expect(rows.first?.problems == ["prompt: \(ImportRow.notUTF8)"])
    }

    @Test(arguments: [
        ("", "file: is empty; its first line must name the columns"),
        ("colour;size,weight\n", "file:1: the columns may be parted by , or ;; say which with --separator"),
        ("sep=|\nprompt|queue\n", "file:1: names another separator than , ; or a tab; save the file with one of these"),
        ("prompt,Prompt\n", "file:1: the column \"Prompt\" is there twice"),
        (
            "prompt,labels,label.sku\n",
            "file:1: has the column labels and columns that become labels; use one or the other"
        ),
        ("prompt,prompt\n", "file:1: the column \"prompt\" is there twice"),
        (
            "prompt,input,input.resolution\n",
            "file:1: has the column input and columns input.NAME; use one or the other"
        ),
    ])
    func `a header that cannot be used stops the import`(text: String, message: String) throws {
        let error = #expect(throws: CommandError.self) { try csv(text) }
        #expect(error?.message == message)
        #expect(error?.status == .badData)
    }

    @Test(arguments: [
        ("prompt;queue\na, b;q\n", "a, b", 2), ("prompt\tqueue\na; b\tq\n", "a; b", 2), ("prompt,queue\na,q\n", "a", 2),
        ("sep=;\nprompt;queue\na;q\n", "a", 3), ("\u{FEFF}sep=,\r\nprompt,queue\r\na,q\r\n", "a", 3),
        ("sep=\t\nprompt\tqueue\n\"a\tb\"\tq\n", "a\tb", 3), ("\"prompt\";\"queue\"\n\"a;b\";q\n", "a;b", 2),
        (" Prompt , QUEUE\na,q\n", "a", 2), ("prompt,queue,,\n,,,\n ,\u{A0},,\na,q,,\n,\n", "a", 4),
        ("prompt,queue\na,q,,\n", "a", 2),
    ])
    func `separators are found out, and what is empty is left out`(text: String, prompt: String, line: Int) throws {
        let rows = try csv(text)
        #expect(rows.map(\.prompt) == [prompt])
        #expect(rows.map(\.queue) == ["q"])
        #expect(rows.map(\.line) == [line])
        #expect(rows.allSatisfy { $0.problems.isEmpty })
    }

    @Test func `a value below an empty title is a problem`() throws {
        #expect(try csv("prompt,\na,b\n").first?.problems == ["column 2: has a value here, but no name in the header"])
    }

    @Test func `fields that straddle the pieces in which a file is read stay whole`() throws {
        let long = String(repeating: "狐 \"\"x\"\", ", count: 40_000)
        let rows = try csv("prompt,queue\n\"\(long)\",q\nend,q\n")
        #expect(rows.count == 2)
        #expect(rows.first?.prompt == String(repeating: "狐 \"x\", ", count: 40_000))
        #expect(rows.last?.prompt == "end")
    }

    private func json(_ text: String) throws -> [ImportRow] {
        try rows(Array(text.utf8)) { JSONLineReader($0) }
    }

    @Test(arguments: [
        (#"{"prompt":"a \"b\" \\ \/ \n\t"}"#, "a \"b\" \\ / \n\t"),
        (#"{ "prompt" : "\u00e9\ud83e\udd8a" , "priority" : 3 }"#, "é🦊"),
        (#"{"input":{"a":[1,{"b":"}]"}],"c":"\""},"prompt":"x"}"#, "x"),
        (#"{"labels":null,"prompt":"x"}"#, "x"),
    ])
    func `JSON lines are read`(text: String, prompt: String) throws {
        let row = try #require(try json(text).first)
        #expect(row.prompt == prompt)
        #expect(row.problems.isEmpty)
    }

    @Test(arguments: [
        "[1]", "nothing", "{", #"{"prompt"}"#, #"{"prompt":}"#, #"{"prompt":"a",}"#, #"{"prompt":"a"} x"#,
        #"{"prompt":"a"#, #"{"prompt":"\x"}"#, #"{"prompt":"\ud800"}"#, #"{"prompt":1}"#, #"{"promt":"a"}"#,
        #"{"prompt":"a","input":{"b":1}"#, #"{"prompt":"a","priority":1.5}"#, #"{"prompt":"a","labels":[1]}"#,
        #"{"prompt":"a","prompt":"b"}"#,
    ])
    func `what is no job in JSON is a problem of its line`(text: String) throws {
        let rows = try json(text + "\n" + #"{"prompt":"good"}"# + "\n")
        #expect(rows.count == 2)
        #expect(rows.first?.problems.isEmpty == false)
        #expect(rows.last?.prompt == "good")
        #expect(rows.last?.problems == [])
    }

    @Test(arguments: [
        ("[{\"prompt\":\"a\"},{\"prompt\":\"b\"}]", [1, 1]),
        ("\u{FEFF} [\n {\n\"prompt\" : \"a\"\n} ,\n\n{\"prompt\":\"b\"}\n]\n", [2, 6]),
        ("[{\"prompt\":\"a\"}]\n[{\"prompt\":\"b\"}]\n", [1, 2]),
        ("{\"prompt\":\"a\"}\r\n\u{FEFF}{\"prompt\":\"b\"}\r\n", [1, 2]),
    ])
    func `JSON may be a list, or files put together`(text: String, lines: [Int]) throws {
        let rows = try json(text)
        #expect(rows.map(\.prompt) == ["a", "b"])
        #expect(rows.map(\.line) == lines)
        #expect(rows.allSatisfy { $0.problems.isEmpty })
    }

    @Test(arguments: [
        "[{\"prompt\":\"a\"}", "[{\"prompt\":\"a\"} {\"prompt\":\"b\"}]", "[{\"prompt\":\"a\"}] x",
        "[{\"prompt\":\"a\"},]", "[{\"prompt\":\"a\"},[]]", "[{\"prompt\":\"a}]",
    ])
    func `a list that is none is a problem`(text: String) throws {
        #expect(try json(text).contains { !$0.problems.isEmpty })
    }

    @Test func `texts are one prompt a line`() throws {
        let rows = try rows(Array("a fox\r\n\n \na dog".utf8)) { TextReader($0) }
        #expect(rows.map(\.prompt) == ["a fox", "a dog"])
        #expect(rows.map(\.line) == [1, 4])
    }
}
