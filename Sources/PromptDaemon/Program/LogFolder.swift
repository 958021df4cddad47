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

    /// What tells one kind of warning from another.
    struct Message: Hashable {
        /// The fields that do, beside the text: a thousand jobs that fail in one way are one, those that fail in another
        /// are not.
        static let fields: Set = ["code", "gate", "outcome", "reason"]

        var level: Logger.Level
        var text: String
        var values: [String: String] = [:]
    }

    /// What was left out of a window that is over.
    struct Rest: Hashable {
        static let text = "more of the same were left out"

        var message: Message
        var count: Int

        /// What is told of it.
        var values: [(key: String, value: String)] {
            [("count", "\(count)"), ("same", message.text)] + message.values.sorted { $0.key < $1.key }
        }
    }

    private static let window: Duration = .seconds(60)
    private static let writtenInWindow = 10
    private static let mostMessages = 256

    private let windows = Mutex<[Message: Window]>([:])
    private let uptime: @Sendable () -> Duration

    init(uptime: @escaping @Sendable () -> Duration) {
        self.uptime = uptime
    }

    /// - Returns: whether it is written.
    func admits(_ level: Logger.Level, _ text: String, _ values: [(key: String, value: String)]) -> Bool {
        guard level >= .warning, level < .critical else { return true }
        let now = uptime()
        return windows.withLock { windows in
            let kind = values.lazy.filter { Message.fields.contains($0.key) }.map { ($0.key, $0.value) }
            let message = Message(level: level, text: text, values: Dictionary(kind) { $1 })
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
                .map { Rest(message: $0.key, count: $0.value.leftOut) }
                .sorted { ($0.message.text, $1.count) < ($1.message.text, $0.count) }
        }
    }
}
