import Logging
import PromptQueue
import Synchronization

/// Keeps a flood of one and the same warning out of the log: the first ones of a minute are written, of the others how many
/// there were.
final class LogFolder: Sendable {
    private struct Window {
        var end: Duration
        var written = 0
        var leftOut = 0
    }

    struct Message: Hashable {
        var level: Logger.Level
        var text: String
    }

    /// What was left out of a window that is over.
    struct Rest: Equatable {
        var level: Logger.Level
        var text: String
        var count: Int

        var line: String { "\(count) more like this in the last minute: \(text)" }
    }

    private static let window: Duration = .seconds(60)
    private static let writtenInWindow = 10
    private static let mostMessages = 256

    private let windows = Mutex<[Message: Window]>([:])
    private let uptime: @Sendable () -> Duration

    init(uptime: @escaping @Sendable () -> Duration) {
        self.uptime = uptime
    }

    /// - Parameter text: the message without its fields: a thousand jobs that fail in one way are one.
    /// - Returns: whether it is written.
    func admits(_ level: Logger.Level, _ text: String) -> Bool {
        guard level >= .warning, level < .critical else { return true }
        let now = uptime()
        return windows.withLock { windows in
            let message = Message(level: level, text: text)
            // What is left out by then is told by `takeRests`, which is called more often than that.
            var window = windows[message] ?? Window(end: now + Self.window)
            if window.end <= now, window.leftOut == 0 { window = Window(end: now + Self.window) }
            let isWritten = window.written < Self.writtenInWindow
            if isWritten { window.written += 1 } else { window.leftOut += 1 }
            if windows[message] != nil || windows.count < Self.mostMessages { windows[message] = window }
            return isWritten || windows[message] == nil
        }
    }

    /// What was left out of windows that are over, to be written.
    func takeRests() -> [Rest] {
        let now = uptime()
        return windows.withLock { windows in
            let over = windows.filter { $0.value.end <= now }
            for message in over.keys { windows[message] = nil }
            return over.filter { $0.value.leftOut > 0 }
                .map { Rest(level: $0.key.level, text: $0.key.text, count: $0.value.leftOut) }
                .sorted { $0.text < $1.text }
        }
    }
}
