/// What happens at a terminal while a page is shown on it.
package enum TerminalEvent: Sendable, Equatable {
    case key(UInt8)
    case resized
    /// The signal that asks the program to end.
    case signal(Int32)
}

/// A terminal's keys, one by one and without an echo.
package protocol Keyboard: Sendable {
    func begin()

    /// Waits until something happens.
    /// - Returns: nil if nothing did.
    func next(within time: Duration) async throws -> TerminalEvent?

    /// Leaves the terminal as it was.
    func end()
}
