/// The server's five characters for an error (PostgreSQL, appendix A: error codes).
package struct SQLState: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    package let code: String

    package init(_ code: String) { self.code = code }
    package init(stringLiteral value: String) { code = value }

    package static let uniqueViolation: SQLState = "23505"
    package static let foreignKeyViolation: SQLState = "23503"
    package static let checkViolation: SQLState = "23514"
    package static let notNullViolation: SQLState = "23502"
    package static let serializationFailure: SQLState = "40001"
    package static let deadlockDetected: SQLState = "40P01"
    package static let lockNotAvailable: SQLState = "55P03"
    /// Cancelled, by somebody or by `statement_timeout`.
    package static let queryCanceled: SQLState = "57014"
    package static let idleInTransaction: SQLState = "25P03"
    package static let undefinedTable: SQLState = "42P01"

    /// The first two characters: what kind of error it is.
    package var errorClass: Substring { code.prefix(2) }

    /// Whether the server ends the connection with it: it is shutting down, or somebody has had enough.
    package var endsConnection: Bool {
        ["57P01", "57P02", "57P03", "57P05", "25P03"].contains(code) || errorClass == "08"
    }

    /// Whether the same statement may succeed a little later.
    var isTransient: Bool {
        switch self {
        case .serializationFailure, .deadlockDetected, .lockNotAvailable, .queryCanceled: true
        // A prepared statement that is gone, or whose result has another form since the schema changed: prepared anew next time.
        case "26000", "0A000": code == "26000"
        default: endsConnection || errorClass == "53"
        }
    }

    package var description: String { code }
}
