import Glibc
import PromptQueue
import SystemPackage

/// How the lines of a file end.
enum LineEnd {
    /// LF, or CR LF.
    case lineFeed
    /// CR alone, as spreadsheets for the Macintosh write.
    case carriageReturn
}

/// Reads a file in large pieces.
struct ByteSource {
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    /// As `begin` found it.
    private(set) var lineEnd = LineEnd.lineFeed

    private let descriptor: Int32
    private let name: String
    let encoding: TextEncoding
    private var transcoder: Transcoder
    /// As it was read, before it is converted; else the piece before.
    private var raw: [UInt8] = []
    /// A piece of the file, and the part of it that is not consumed yet.
    private var piece: [UInt8] = []
    private var position = 0
    private var hasEnded = false
    /// Bytes read so far.
    private(set) var offset: Int64 = 0

    init(descriptor: Int32, name: String, encoding: TextEncoding = .utf8) {
        self.descriptor = descriptor
        self.encoding = encoding
        transcoder = Transcoder(encoding)
        self.name = name
    }

    /// The next byte; `nil` at the end.
    @inline(__always)
    mutating func next() throws(CommandError) -> UInt8? {
        if position == piece.count {
            guard try fill() else { return nil }
        }
        defer { position += 1 }
        return piece[position]
    }

    /// The byte that `next` would give.
    @inline(__always)
    mutating func peek() throws(CommandError) -> UInt8? {
        if position == piece.count {
            guard try fill() else { return nil }
        }
        return piece[position]
    }

    /// What will be read next, as far as it is in memory: at the beginning, the first 256 KiB.
    mutating func head() throws(CommandError) -> ArraySlice<UInt8> {
        guard try peek() != nil else { return [] }
        return piece[position...]
    }

    /// Bytes in memory that are not read yet.
    var left: Int { piece.count - position }

    /// Bytes of a line, or of a CSV record: more than the database takes of a job. What is longer is no list of jobs, or a
    /// quotation mark in it has no end.
    static let longestRecord = 4 << 20

    /// Appends the bytes up to the next one of `stops`, which stays to be read.
    ///
    /// - Throws: `CommandError` when `buffer` grows longer than a record may be.
    @inline(__always)
    mutating func append(to buffer: inout [UInt8], until stops: (UInt8) -> Bool) throws(CommandError) {
        while true {
            if position == piece.count {
                guard try fill() else { return }
            }
            var end = position
            while end < piece.count, !stops(piece[end]) { end += 1 }
            buffer.append(contentsOf: piece[position..<end])
            position = end
            guard buffer.count <= Self.longestRecord else {
                throw CommandError(
                    .badData,
                    "\(name): a line has more than 4 MiB (before byte \(grouped(Int(clamping: offset)))); "
                        + "is a quotation mark missing?"
                )
            }
            if end < piece.count { return }
        }
    }

    /// Skips a byte order mark, which some programs put first. It also stands inside files that were put together.
    mutating func skipByteOrderMark() throws(CommandError) {
        guard try peek() == 0xEF else { return }
        if piece.dropFirst(position).starts(with: [0xEF, 0xBB, 0xBF]) { position += 3 }
    }

    // MARK: - Line ends

    /// Finds out how the lines end, from the first of them.
    ///
    /// - Parameter hasQuotes: whether line ends between quotes are none.
    mutating func begin(hasQuotes: Bool) throws(CommandError) {
        try skipByteOrderMark()
        guard try peek() != nil else { return }
        var isQuoted = false
        var rest = piece[position...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case Self.newline where !(isQuoted && hasQuotes): return
            case Self.carriageReturn where !(isQuoted && hasQuotes):
                // Conversions that went wrong leave several before a line feed.
                while rest.first == Self.carriageReturn { rest.removeFirst() }
                if let next = rest.first, next != Self.newline { lineEnd = .carriageReturn }
                // The only line, or the last byte of the piece.
                if rest.isEmpty { lineEnd = .carriageReturn }
                return
            default: break
            }
        }
    }

    /// What a CR or LF turned out to be.
    enum Break {
        case lineEnd
        /// It ends the line, but not as others of the file do.
        case foreignLineEnd
        /// CR inside a line; it is in the buffer.
        case stray
    }

    /// Reads the CR or LF that comes next, with what belongs to it.
    mutating func takeBreak(into buffer: inout [UInt8]) throws(CommandError) -> Break {
        if try next() == Self.newline { return lineEnd == .lineFeed ? .lineEnd : .foreignLineEnd }
        if lineEnd == .carriageReturn {
            if try peek() == Self.newline { position += 1 }
            return .lineEnd
        }
        let begin = buffer.count
        buffer.append(Self.carriageReturn)
        while try peek() == Self.carriageReturn {
            position += 1
            buffer.append(Self.carriageReturn)
        }
        guard let following = try peek(), following != Self.newline else {
            if try peek() != nil { position += 1 }
            buffer.removeSubrange(begin...)
            return .lineEnd
        }
        return .stray
    }

    /// Reads the next piece; what is left of this one is gone.
    private mutating func fill() throws(CommandError) -> Bool {
        while !hasEnded {
            position = 0
            // Moved out, so that it is not copied.
            var buffer: [UInt8] = []
            swap(&buffer, &raw)
            try read(into: &buffer)
            hasEnded = buffer.isEmpty
            offset += Int64(buffer.count)
            if encoding == .utf8 {
                swap(&buffer, &piece)
            } else {
                piece.removeAll(keepingCapacity: true)
                do throws(Transcoder.Failure) {
                    if hasEnded { try transcoder.finish() } else { try transcoder.append(buffer[...], to: &piece) }
                } catch {
                    throw CommandError(
                        .badData,
                        "\(name): byte \(grouped(Int(clamping: error.offset))) \(error.reason); "
                            + "say what the file is with --encoding"
                    )
                }
            }
            swap(&buffer, &raw)
            if !piece.isEmpty { return true }
        }
        return false
    }

    /// Fills a buffer; it is empty at the end.
    private func read(into buffer: inout [UInt8]) throws(CommandError) {
        if buffer.count < Self.pieceSize {
            buffer.append(contentsOf: repeatElement(0, count: Self.pieceSize - buffer.count))
        } else {
            buffer.removeLast(buffer.count - Self.pieceSize)
        }
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CommandError(.inputOutput, "\(name): reading failed: \(Errno(rawValue: errno))")
            }
            buffer.removeLast(buffer.count - count)
            return
        }
    }

    private static let pieceSize = 256 << 10
}

/// Lines without their ends.
struct LineReader {
    struct Line {
        var number = 0
        var bytes: [UInt8] = []
        /// Whether there is a line end of another kind in it, or at its end, than those of the file.
        var hasForeignEnd = false
    }

    private(set) var source: ByteSource
    private var line = Line()

    init(_ source: ByteSource) { self.source = source }

    /// What will be read first.
    mutating func head() throws(CommandError) -> ArraySlice<UInt8> {
        try source.begin(hasQuotes: false)
        return try source.head()
    }

    /// The next line; `nil` at the end.
    mutating func next() throws(CommandError) -> Line? {
        if line.number == 0 { try source.begin(hasQuotes: false) }
        try source.skipByteOrderMark()
        guard try source.peek() != nil else { return nil }
        line.bytes.removeAll(keepingCapacity: true)
        line.hasForeignEnd = false
        line.number += 1
        while true {
            try source.append(to: &line.bytes) { $0 == ByteSource.newline || $0 == ByteSource.carriageReturn }
            guard try source.peek() != nil else { return line }
            switch try source.takeBreak(into: &line.bytes) {
            case .lineEnd: return line
            case .foreignLineEnd:
                line.hasForeignEnd = true
                return line
            case .stray: line.hasForeignEnd = true
            }
        }
    }
}
