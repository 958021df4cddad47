import FoundationEssentials
import Glibc
import Logging
import PromptConfiguration
import PromptQueue

/// Writes log lines to stderr: for the journal with its priority prefixes, for people with a time, or as JSON.
struct DaemonLogHandler: LogHandler {
    /// A level of this handler's own, over the one that a reload may change.
    private var ownLevel: Logger.Level?
    private let level: @Sendable () -> Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    let format: LogFormat
    private let journal: JournalSocket?
    private let folder: LogFolder?

    var logLevel: Logger.Level {
        get { ownLevel ?? level() }
        set { ownLevel = newValue }
    }

    /// - Parameters:
    ///   - journal: where entries go instead of standard error, with their fields.
    ///   - folder: what keeps floods out; nil: nothing does.
    init(
        format: LogFormat,
        journal: JournalSocket? = nil,
        folder: LogFolder? = nil,
        level: @escaping @Sendable () -> Logger.Level
    ) {
        self.level = level
        self.format = format
        self.journal = journal
        self.folder = folder
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        var values = all.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key }
        if let error = event.error { values.append((key: "error", value: String(describing: error))) }
        guard folder?.admits(event.level, event.message.description, values) ?? true else { return }
        write(event.level, event.message.description, values)
    }

    /// Writes how many warnings were left out.
    func writeRests() {
        for rest in folder?.takeRests() ?? [] { write(rest.message.level, LogFolder.Rest.text, rest.values) }
    }

    private func write(_ level: Logger.Level, _ message: String, _ values: [(key: String, value: String)]) {
        if let journal, journal.send(level, Self.text(message, values), values) { return }
        let line = Self.line(format, level, message, values)
        let bytes = Array((line + "\n").utf8)
        // One write for a line, so that lines of several threads do not mix.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    static func line(
        _ format: LogFormat,
        _ level: Logger.Level,
        _ message: String,
        _ values: [(key: String, value: String)]
    ) -> String {
        switch format {
        case .json: json(level, message, values)
        // sd-daemon(3): the kernel's levels in angle brackets.
        case .journal: "<\(JournalSocket.priority(level))>" + text(message, values)
        case .text, .automatic: "\(timestamp()) \(level.rawValue) \(text(message, values))"
        }
    }

    private static func text(_ message: String, _ values: [(key: String, value: String)]) -> String {
        ([oneLine(message)] + values.map { "\($0.key)=\(quoted($0.value))" }).joined(separator: " ")
    }

    private static func json(
        _ level: Logger.Level,
        _ message: String,
        _ values: [(key: String, value: String)]
    ) -> String {
        var object: JSONObject = [:]
        for value in values { object[value.key] = .string(BoundedText.message(value.value)) }
        object["time"] = .string(timestamp())
        object["level"] = .string(level.rawValue)
        object["message"] = .string(BoundedText.message(message))
        return JSONValue.object(object).json
    }

    private static func timestamp() -> String {
        Date.now.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
    }

    /// Texts of the provider and of producers come into log lines: cut by bytes, and with nothing in them that a terminal
    /// or a line-reader obeys.
    private static func oneLine(_ text: String) -> String { PlainText.oneLine(BoundedText.message(text)) }

    private static func quoted(_ text: String) -> String {
        let text = oneLine(text)
        let isPlain = text.unicodeScalars.allSatisfy {
            !$0.properties.isWhitespace && $0 != "\"" && $0 != "=" && $0 != "\\"
        }
        guard !isPlain || text.isEmpty else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return "\"\(result)\""
    }
}
