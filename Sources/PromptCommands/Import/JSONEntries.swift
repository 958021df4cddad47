import PromptQueue

/// The texts of the jobs in a file of JSON: its lines, or what a list at the top holds.
struct JSONEntries {
    enum Failure: Error {
        case unreadable(CommandError)
        case malformed(line: Int, String)
    }

    private enum State {
        case begin, lines, firstOfList, list, end
    }

    private var lines: LineReader
    /// The source, where the file is a list.
    private var source: ByteSource
    private var state = State.begin
    private var line = 1

    init(_ source: ByteSource) {
        lines = LineReader(source)
        self.source = source
    }

    var isList: Bool { state != .lines && state != .begin }
    var offset: Int64 { isList ? source.offset : lines.source.offset }
    var lineEnd: LineEnd { isList ? source.lineEnd : lines.source.lineEnd }

    /// The next text; `nil` at the end.
    mutating func next() throws(Failure) -> LineReader.Line? {
        do throws(CommandError) {
            if state == .begin {
                let head = try lines.head()
                state = Self.beginsList(head) ? .firstOfList : .lines
                if state == .firstOfList {
                    source = lines.source
                    try skipSpace()
                    _ = try source.next()
                }
            }
            if state == .lines { return try lines.next() }
        } catch {
            throw .unreadable(error)
        }
        return try nextOfList()
    }

    /// `[` and an object: a lone `[1]` is a line that is no job.
    private static func beginsList(_ head: ArraySlice<UInt8>) -> Bool {
        var visible = head.lazy.filter { $0 > 0x20 }.makeIterator()
        guard visible.next() == UInt8(ascii: "[") else { return false }
        let second = visible.next()
        return second == UInt8(ascii: "{") || second == UInt8(ascii: "]")
    }

    private mutating func nextOfList() throws(Failure) -> LineReader.Line? {
        guard state != .end else { return nil }
        var expected = "a comma or the closing bracket of the list"
        do throws(CommandError) {
            try skipSpace()
            var byte = try source.peek()
            if byte == UInt8(ascii: "]") {
                _ = try source.next()
                try skipSpace()
                // Lists of files that were put together.
                byte = try source.peek()
                guard byte != nil else {
                    state = .end
                    return nil
                }
                expected = "the end of the file"
                if byte == UInt8(ascii: "[") {
                    _ = try source.next()
                    state = .firstOfList
                    return try nextEntry()
                }
            } else if state == .firstOfList {
                return try nextEntry()
            } else if byte == UInt8(ascii: ",") {
                _ = try source.next()
                return try nextEntry()
            } else if byte == nil {
                expected = "the closing bracket of the list"
            }
        } catch {
            throw .unreadable(error)
        }
        state = .end
        throw .malformed(line: line, "is not JSON: \(expected) was expected")
    }

    /// Everything up to the comma or bracket behind an entry.
    private mutating func nextEntry() throws(CommandError) -> LineReader.Line? {
        try skipSpace()
        state = .list
        var entry = LineReader.Line(number: line)
        var depth = 0
        while true {
            try source.append(to: &entry.bytes) { Self.marks.contains($0) }
            guard let byte = try source.peek() else { return entry }
            if depth == 0, byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") { return entry }
            _ = try source.next()
            entry.bytes.append(byte)
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""): try readText(into: &entry.bytes)
            default: count(byte)
            }
        }
    }

    private mutating func readText(into bytes: inout [UInt8]) throws(CommandError) {
        while true {
            try source.append(to: &bytes) { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }
            guard let byte = try source.next() else { return }
            bytes.append(byte)
            if byte == UInt8(ascii: "\"") { return }
            count(byte)
            if byte == UInt8(ascii: "\\"), let escaped = try source.next() { bytes.append(escaped) }
        }
    }

    private mutating func skipSpace() throws(CommandError) {
        while let byte = try source.peek(), byte <= 0x20 || byte == 0xEF {
            if byte == 0xEF {
                let before = source.left
                try source.skipByteOrderMark()
                guard source.left != before else { return }
                continue
            }
            _ = try source.next()
            count(byte)
        }
    }

    private mutating func count(_ byte: UInt8) {
        let newline = source.lineEnd == .lineFeed ? ByteSource.newline : ByteSource.carriageReturn
        if byte == newline { line += 1 }
    }

    private static let marks = Set("{}[],\"\n\r".utf8)
}
