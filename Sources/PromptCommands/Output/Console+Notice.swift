extension Console {
    /// Rings the terminal's bell and asks the terminal to tell its user (OSC 9, which iTerm2, kitty, WezTerm, Windows Terminal and
    /// others know; the others ignore it). What is no terminal gets nothing.
    func notify(_ message: String) {
        guard isErrorTerminal else { return }
        writeError("\u{1B}]9;\(oneLine(message))\u{1B}\\\u{07}")
    }
}
