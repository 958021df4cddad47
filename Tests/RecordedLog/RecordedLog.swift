package import Logging
import Synchronization

/// A log that remembers what was said.
package final class RecordedLog: Sendable {
    package struct Entry: Sendable {
        package let level: Logger.Level
        package let message: String
        package let fields: [String: String]

        /// `warning: callback refused count=1 reason=…`, the fields by their names.
        package var line: String {
            let values = fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            return "\(level): \(message) \(values)"
        }
    }

    private let recorded = Mutex<[Entry]>([])

    package init() {}

    package var entries: [Entry] { recorded.withLock { $0 } }

    package var lines: [String] { entries.map(\.line) }

    /// Writes here, from the level of traces on.
    package var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private func add(_ entry: Entry) { recorded.withLock { $0.append(entry) } }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).mapValues(\.description)
            log.add(Entry(level: event.level, message: event.message.description, fields: fields))
        }
    }
}
