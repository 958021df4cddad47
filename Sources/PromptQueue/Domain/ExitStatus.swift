/// How a program ends, by sysexits(3); the README lists what each means.
package enum ExitStatus: Int32, Sendable, CaseIterable {
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

    /// For the programs' help: `0 done, 1 …`.
    package static var list: String {
        "0 done, " + allCases.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: ", ")
    }

    private var meaning: String {
        switch self {
        case .failed: "jobs failed (wait)"
        case .usage: "usage"
        case .badData: "bad data"
        case .unavailable: "unavailable"
        case .internal: "internal"
        case .cannotCreate: "cannot create"
        case .inputOutput: "input or output"
        case .temporary: "try again later"
        case .noPermission: "no permission"
        case .configuration: "configuration"
        }
    }

    package init(_ error: LedgerError) {
        switch error.code {
        case .busy, .full, .fenced: self = .temporary
        case .permission: self = .noPermission
        case .unusable, .constraint: self = .badData
        case .inputOutput: self = .inputOutput
        case .cancelled, .other: self = .internal
        }
    }
}
