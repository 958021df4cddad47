import GRDB
import Glibc
import PromptQueue

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
