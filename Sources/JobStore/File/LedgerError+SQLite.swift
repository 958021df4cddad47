import GRDB
import Glibc
import PromptQueue
import SystemPackage

extension LedgerError {
    /// What an error of SQLite means to the daemon: its codes, never its arguments.
    init(_ error: any Error) {
        switch error {
        case let error as LedgerError:
            self = error
        // GRDB's asynchronous accesses throw it in a cancelled task.
        case is CancellationError:
            self.init(.cancelled, "was cut off")
        case let error as DatabaseError:
            let message = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED: self.init(.busy, "the database is locked by another process")
            case .SQLITE_FULL: self.init(.full, "the disk is full")
            case .SQLITE_IOERR: self.init(.inputOutput, "reading or writing the database failed: \(message)")
            case .SQLITE_CANTOPEN where Self.isOutOfDescriptors:
                self.init(.inputOutput, OpenFiles.areTooMany)
            case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_CANTOPEN: self.init(.permission, message)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self.init(.unusable, message)
            case .SQLITE_CONSTRAINT: self.init(.constraint, message)
            default: self.init(.other, message)
            }
        default:
            self.init(.other, String(describing: error))
        }
    }

    /// - Parameter path: of the database. SQLite says `disk I/O error` whatever the trouble is; a file that cannot be made
    ///   beside it says more.
    init(_ error: any Error, at path: String) {
        self.init(error, trouble: { Self.writeTrouble(beside: path) })
    }

    init(_ error: any Error, trouble: () -> CInt?) {
        self.init(error)
        guard let error = error as? DatabaseError, error.resultCode == .SQLITE_IOERR, let trouble = trouble() else {
            return
        }
        message += " (\(Errno(rawValue: trouble)))"
    }

    /// Why nothing can be written beside a database; nil if something can.
    ///
    /// By a file without a name: to open the database's own and close it would give SQLite's locks back
    /// (https://sqlite.org/howtocorrupt.html, section 2.2).
    static func writeTrouble(beside path: String) -> CInt? {
        let directory = FilePathParts.split(path).directory
        // O_TMPFILE of open(2), which Swift does not import.
        let unnamed = 0o20_000_000 | O_DIRECTORY
        let descriptor = unsafe open(directory, unnamed | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        // Not every file system has such files.
        return [EROFS, EIO, ENOSPC, EDQUOT, ESTALE].contains(errno) ? errno : nil
    }

    /// SQLite does not say why it could not open a file; whether any can be opened does.
    private static var isOutOfDescriptors: Bool {
        let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return false
        }
        return errno == EMFILE || errno == ENFILE
    }

    /// Runs `body`; whatever it throws comes out as a `LedgerError`.
    static func wrapping<T>(_ body: () async throws -> T) async throws(LedgerError) -> T {
        do {
            return try await body()
        } catch {
            throw LedgerError(error)
        }
    }

    static func wrapping<T>(_ body: () throws -> T) throws(LedgerError) -> T {
        do {
            return try body()
        } catch {
            throw LedgerError(error)
        }
    }
}
