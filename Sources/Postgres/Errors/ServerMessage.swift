import CPostgres

/// An error or a notice of the server's, in its parts.
package struct ServerMessage: Sendable, Hashable {
    package let state: SQLState
    /// `ERROR`, `FATAL`, `PANIC`; of notices `WARNING`, `NOTICE` and so on; never translated.
    package let severity: String
    /// One line, made by the server or by a trigger.
    package let message: String
    /// May have contents of rows in it: not for the log.
    package let detail: String?
    package let hint: String?
    package let constraint: String?
    package let schema: String?
    package let table: String?
    package let column: String?
    /// The function of the server's own that said it.
    package let routine: String?

    /// The message as it may be shown and logged. Errors about data (class 22) quote what could not be read, which can be anything.
    var shown: String {
        state.errorClass == "22" ? Redaction.withoutQuotations(message) : message
    }
}

extension ServerMessage {
    /// - Returns: nil if libpq itself made the result, because the connection broke.
    init?(_ result: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String? {
            guard let text = unsafe PQresultErrorField(result, Int32(clamping: code.value)) else { return nil }
            return unsafe String(cString: text)
        }
        guard let state = field("C") else { return nil }
        self.state = SQLState(state)
        severity = field("V") ?? field("S") ?? "ERROR"
        message = field("M") ?? "no message"
        detail = field("D")
        hint = field("H")
        constraint = field("n")
        schema = field("s")
        table = field("t")
        column = field("c")
        routine = field("R")
    }
}
