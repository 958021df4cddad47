package import PromptQueue

/// How a command ends, by sysexits(3).
package enum ExitStatus: Int32, Sendable {
    /// `wait`: the jobs ended, and not all of them well.
    case failed = 1
    case usage = 64
    case badData = 65
    case unavailable = 69
    case `internal` = 70
    case cannotCreate = 73
    case inputOutput = 74
    case temporary = 75
    case noPermission = 77
    case configuration = 78

    package init(_ error: LedgerError) {
        switch error.code {
        case .busy, .full: self = .temporary
        case .permission: self = .noPermission
        case .unusable, .constraint: self = .badData
        case .inputOutput: self = .inputOutput
        case .cancelled, .other: self = .internal
        }
    }
}

/// Ends a command.
package struct CommandError: Error, Sendable, CustomStringConvertible {
    package let status: ExitStatus
    /// What happened, to what, and what to do next. Empty if it has been said already.
    package let message: String

    package init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    package var description: String { message }
}
