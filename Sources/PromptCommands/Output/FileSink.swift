import Glibc
import PromptQueue
import SystemPackage

/// A new file that is written from front to back.
final class FileSink {
    private let path: String
    private let descriptor: FileDescriptor

    /// For a program that writes it.
    var rawValue: CInt { descriptor.rawValue }

    /// Whether it is something else than a file: a pipe, a terminal, a device, a link.
    static func isSpecial(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    init(_ path: String) throws {
        self.path = path
        do {
            descriptor = try FileDescriptor.open(
                FilePath(path),
                .writeOnly,
                options: Self.isSpecial(path) ? [.closeOnExec] : [.create, .truncate, .closeOnExec, .noFollow],
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
        } catch {
            throw CommandError(.cannotCreate, "\(path): cannot be made: \(error)")
        }
    }

    func write(_ text: String) throws { try write(text.utf8) }

    func write(_ bytes: some Sequence<UInt8>) throws {
        do { _ = try descriptor.writeAll(bytes) } catch {
            throw CommandError(.inputOutput, "\(path): cannot be written: \(error)")
        }
    }

    func close() throws {
        do { try descriptor.close() } catch { throw CommandError(.inputOutput, "\(path): cannot be written: \(error)") }
    }
}
