import PromptQueue

extension Console {
    /// Rings the terminal's bell and asks the terminal to tell its user (OSC 9, which iTerm2, kitty, WezTerm, Windows Terminal and
    /// others know; the others ignore it). What is no terminal gets nothing. In a desktop session `notify-send` tells it, too, where
    /// that is installed.
    func notify(_ message: String) async {
        if isErrorTerminal { writeError("\u{1B}]9;\(oneLine(message))\u{1B}\\\u{07}") }
        guard isOnDesktop, let program = ExternalProgram("notify-send", environment: environment) else { return }
        do {
            try await program.run(["--app-name=promptctl", "--", "promptd", oneLine(message)], within: .seconds(5))
        } catch {
            // Whoever asked waits for the jobs, and knows of them.
            say("the desktop could not be told: \(error)")
        }
    }

    /// Whether there is a session on a screen, and a bus to it.
    private var isOnDesktop: Bool {
        func has(_ name: String) -> Bool { environment[name]?.isEmpty == false }
        return (has("DISPLAY") || has("WAYLAND_DISPLAY")) && has("DBUS_SESSION_BUS_ADDRESS")
    }
}
