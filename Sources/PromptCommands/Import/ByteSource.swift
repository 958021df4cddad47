import Glibc
import PromptQueue
import SystemPackage

/// Reads a file in large pieces.
struct ByteSource {
    static let newline = UInt8(ascii: "\n")

    private let descriptor: Int32
    private let name: String
    /// A piece of the file, and the part of it that is not consumed yet.
    private var piece: [UInt8] = []
    private var position = 0
    private var hasEnded = false
    /// Bytes read so far.
    private(set) var offset: Int64 = 0

    init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
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

    /// Skips the byte order mark that some programs put first.
    mutating func skipByteOrderMark() throws(CommandError) {
        guard try peek() == 0xEF else { return }
        if piece.dropFirst(position).starts(with: [0xEF, 0xBB, 0xBF]) { position += 3 }
    }

    private mutating func fill() throws(CommandError) -> Bool {
        guard !hasEnded else { return false }
        if piece.isEmpty { piece = [UInt8](repeating: 0, count: Self.pieceSize) }
        if piece.count < Self.pieceSize {
            piece.append(contentsOf: repeatElement(0, count: Self.pieceSize - piece.count))
        }
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CommandError(.inputOutput, "\(name): reading failed: \(Errno(rawValue: errno))")
            }
            hasEnded = count == 0
            piece.removeLast(piece.count - count)
            position = 0
            offset += Int64(count)
            return count > 0
        }
    }

    private static let pieceSize = 256 << 10
}

/// Lines without their ends.
struct LineReader {
    private(set) var source: ByteSource
    private var line = (number: 0, bytes: [UInt8]())

    init(_ source: ByteSource) { self.source = source }

    /// The next line; `nil` at the end. Lines end with LF or CR LF.
    mutating func next() throws(CommandError) -> (number: Int, bytes: [UInt8])? {
        if line.number == 0 { try source.skipByteOrderMark() }
        guard try source.peek() != nil else { return nil }
        line.bytes.removeAll(keepingCapacity: true)
        try source.append(to: &line.bytes) { $0 == ByteSource.newline }
        _ = try source.next()
        if line.bytes.last == UInt8(ascii: "\r") { line.bytes.removeLast() }
        line.number += 1
        return line
    }
}
