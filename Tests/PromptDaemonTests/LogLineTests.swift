import Logging
import PromptConfiguration
import PromptQueue
import Testing

@testable import PromptDaemon

/// A log line is a line, whatever others have put into it.
struct LogLineTests {
    private static let harmful = "a\r\n2026-01-01 critical forged \u{1B}[2J\u{9B}1m\u{202E}\u{2028}\"\u{301} x=\"y\" \\"

    @Test(arguments: [LogFormat.text, .journal, .json])
    func `nothing that others write ends a line or plays with a terminal`(format: LogFormat) {
        let line = DaemonLogHandler.line(format, .info, Self.harmful, [(key: "queue", value: Self.harmful)])
        #expect(!line.unicodeScalars.contains(where: PlainText.isHarmful))
    }

    @Test func `a value ends where its quotation marks do`() {
        let line = DaemonLogHandler.line(.journal, .info, "m", [(key: "k", value: "a\"\u{301} b\\")])
        #expect(Array(line.unicodeScalars) == Array("<6>m k=\"a\\\"\u{301} b\\\\\"".unicodeScalars))
        #expect(DaemonLogHandler.line(.journal, .info, "m", [(key: "k", value: "")]) == "<6>m k=\"\"")
        #expect(DaemonLogHandler.line(.journal, .info, "m", [(key: "k", value: "plain")]) == "<6>m k=plain")
    }

    @Test(arguments: [LogFormat.text, .journal, .json])
    func `a line is bounded, by bytes`(format: LogFormat) {
        let long = "a" + String(repeating: "\u{301}", count: 1_900_000)
        #expect(DaemonLogHandler.line(format, .info, long, [(key: "k", value: long)]).utf8.count < 5_000)
    }
}
