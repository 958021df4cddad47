import Glibc
import PromptQueue
import SystemPackage

/// The file to be imported; read twice, so standard input is copied to a temporary file first.
final class ImportFile {
    enum Format: String, CaseIterable, Sendable {
        case jsonl, csv, txt
    }

    /// As errors name it.
    let name: String
    let format: Format
    /// Whether somebody said what it is, beyond its name.
    let isFormatGiven: Bool
    let size: Int64
    let encoding: TextEncoding
    /// How the encoding was found out, if it was guessed: what its first strange characters are.
    let encodingSample: String?
    private let descriptor: Int32

    /// - Parameters:
    ///   - path: `-` for standard input.
    ///   - encoding: `nil` to find it out.
    init(path: String, format: Format?, encoding: TextEncoding? = nil, _ console: Console) throws(CommandError) {
        name = path == "-" ? "standard input" : path
        isFormatGiven = format != nil
        if path == "-", format == nil {
            throw CommandError(.usage, "--format: say what standard input holds: jsonl, csv or txt")
        }
        if path == "-" {
            descriptor = try Self.copy(of: console.inputDescriptor, console)
        } else {
            descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                let status: ExitStatus = errno == EACCES ? .noPermission : .badData
                throw CommandError(status, "\(path): cannot be read: \(Errno(rawValue: errno))")
            }
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            Glibc.close(descriptor)
            throw CommandError(.badData, "\(path): is no regular file; pipe it in and give - instead")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            Glibc.close(descriptor)
            throw CommandError(.badData, "\(path): is no regular file")
        }
        size = Int64(status.st_size)
        do throws(CommandError) {
            let head = try Self.bytes(of: descriptor, at: 0, Self.pieceSize, name)
            if let kind = FileSurvey.foreignKind(head) {
                throw CommandError(
                    .badData,
                    "\(name): is \(kind), no CSV; open it, choose File > Save As > CSV UTF-8 (in LibreOffice Text CSV, "
                        + "character set UTF-8), and import that file"
                )
            }
            if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
                throw CommandError(.badData, "\(name): is UTF-32; save the file as UTF-8")
            }
            if let format { self.format = format } else { self.format = try Self.format(of: path) }
            if let encoding {
                (self.encoding, encodingSample) = (encoding, nil)
            } else if let encoding = FileSurvey.encoding(head) {
                (self.encoding, encodingSample) = (encoding, nil)
            } else {
                (self.encoding, encodingSample) = try Self.survey(descriptor, head, name)
            }
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    /// Looks at all bytes to find out the encoding.
    private static func survey(
        _ descriptor: Int32,
        _ head: [UInt8],
        _ name: String
    ) throws(CommandError) -> (TextEncoding, sample: String?) {
        var survey = FileSurvey()
        var piece = head
        var offset: Int64 = 0
        while !piece.isEmpty {
            survey.look(at: piece)
            offset += Int64(piece.count)
            piece = try bytes(of: descriptor, at: offset, pieceSize, name)
        }
        let encoding: TextEncoding
        do throws(MalformedInput) { encoding = try survey.encoding() } catch {
            throw CommandError(.badData, "\(name): \(error.message)")
        }
        guard encoding != .utf8, let place = survey.firstInvalid else { return (encoding, nil) }
        // The line around it, as it is read.
        let begin = max(0, place - 40)
        let around = try bytes(of: descriptor, at: begin, 80, name)
        let middle = Int(place - begin)
        let before = around[..<middle].reversed().prefix { $0 >= 0x20 }.reversed()
        let after = around[middle...].prefix { $0 >= 0x20 }
        var text: [UInt8] = []
        var transcoder = Transcoder(encoding)
        try? transcoder.append((before + after)[...], to: &text)
        return (encoding, String(decoding: text, as: UTF8.self))
    }

    private static func bytes(
        of descriptor: Int32,
        at offset: Int64,
        _ count: Int,
        _ name: String
    ) throws(CommandError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while true {
            let read = unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, $0.count, Int(offset))
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else {
                throw CommandError(.inputOutput, "\(name): reading failed: \(Errno(rawValue: errno))")
            }
            bytes.removeLast(bytes.count - read)
            return bytes
        }
    }

    private static let pieceSize = 256 << 10

    deinit { Glibc.close(descriptor) }

    /// Starts from the beginning.
    func rewind() throws(CommandError) -> ByteSource {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw CommandError(.inputOutput, "\(name): cannot be read again: \(Errno(rawValue: errno))")
        }
        return ByteSource(descriptor: descriptor, name: name, encoding: encoding)
    }

    private static func format(of path: String) throws(CommandError) -> Format {
        switch path.split(separator: ".").last?.lowercased() {
        case "jsonl", "ndjson", "json": return .jsonl
        case "csv", "tsv", "tab": return .csv
        case "txt": return .txt
        default:
            throw CommandError(.usage, "\(path): is it jsonl, csv or txt? Say so with --format")
        }
    }

    /// Whoever writes into a pipe may take his time; the queue is not locked meanwhile.
    private static func copy(of source: Int32, _ console: Console) throws(CommandError) -> Int32 {
        let directory = console.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(directory)/promptctl-import.XXXXXX".utf8CString)
        let copy = unsafe template.withUnsafeMutableBufferPointer { pointer -> Int32 in
            guard let address = pointer.baseAddress else { return -1 }
            let descriptor = unsafe mkstemp(address)
            if descriptor >= 0 { unsafe unlink(address) }
            return descriptor
        }
        guard copy >= 0 else {
            throw CommandError(
                .cannotCreate,
                "\(directory): no temporary file can be made there: \(Errno(rawValue: errno))"
            )
        }
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(source, $0.baseAddress, $0.count) }
            if count == 0 { return copy }
            var written = 0
            while written < count {
                let more = unsafe buffer[written..<count].withUnsafeBytes {
                    unsafe write(copy, $0.baseAddress, $0.count)
                }
                if more <= 0 { break }
                written += more
            }
            guard count > 0, written == count else {
                let code = errno
                Glibc.close(copy)
                throw CommandError(
                    .inputOutput,
                    "standard input: cannot be copied to \(directory): \(Errno(rawValue: code))"
                )
            }
        }
    }
}
