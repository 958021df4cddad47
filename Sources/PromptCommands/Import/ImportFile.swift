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
    private let descriptor: Int32

    /// - Parameter path: `-` for standard input.
    init(path: String, format: Format?, _ console: Console) throws(CommandError) {
        name = path == "-" ? "standard input" : path
        isFormatGiven = format != nil
        if let format { self.format = format } else { self.format = try Self.format(of: path) }
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
    }

    deinit { Glibc.close(descriptor) }

    /// Starts from the beginning.
    func rewind() throws(CommandError) -> ByteSource {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw CommandError(.inputOutput, "\(name): cannot be read again: \(Errno(rawValue: errno))")
        }
        return ByteSource(descriptor: descriptor, name: name)
    }

    private static func format(of path: String) throws(CommandError) -> Format {
        if path == "-" {
            throw CommandError(.usage, "--format: say what standard input holds: jsonl, csv or txt")
        }
        switch path.split(separator: ".").last?.lowercased() {
        case "jsonl", "ndjson": return .jsonl
        case "csv": return .csv
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
