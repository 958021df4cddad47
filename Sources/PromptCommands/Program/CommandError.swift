package import PromptQueue

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
