import PromptQueue

/// A bar on standard error that is drawn over and over, if that is a terminal; otherwise nothing.
final class ProgressBar {
    private let console: Console
    private let started: Instant
    private var drawnAt: Instant?
    private var isDrawn = false

    init(_ console: Console) {
        self.console = console
        started = console.now()
    }

    var elapsed: Duration { console.now() - started }

    /// Draws at most ten times a second, unless `force`.
    ///
    /// - Parameters:
    ///   - label: before the bar: `24 of 24`.
    ///   - fraction: 0 to 1.
    ///   - note: behind the bar: `336 credits`.
    func draw(_ label: String, _ fraction: Double, _ note: String, force: Bool = false) {
        guard console.isErrorTerminal, console.environment["TERM"] != "dumb" else { return }
        let now = console.now()
        if let drawnAt, !force, now - drawnAt < .milliseconds(100) { return }
        drawnAt = now
        isDrawn = true
        let clamped = min(1, max(0, fraction))
        let percent = String(Int(Int64(saturated: (clamped * 100).rounded(.down))))
        let head = "    \(label) "
        let tail =
            " \(String(repeating: " ", count: 3 - percent.count))\(percent) %"
            + (note.isEmpty ? "" : "  \(note)") + "  \(elapsed.inWords)"
        let room = console.columns - 1 - displayWidth(head) - displayWidth(tail)
        let width = min(30, max(0, room))
        let full = Int(Int64(saturated: (clamped * Double(width)).rounded(.down)))
        let bar = String(repeating: "━", count: full) + String(repeating: "╌", count: width - full)
        console.writeError("\r\u{1B}[K" + truncate(head + bar + tail, to: console.columns - 1))
    }

    /// Leaves the bar as it is and goes to the next line.
    func finish() {
        if isDrawn { console.writeError("\n") }
        isDrawn = false
    }

    /// Removes the bar, so that something can be said.
    func clear() {
        if isDrawn { console.writeError("\r\u{1B}[K") }
        isDrawn = false
    }
}
