import PromptQueue
import Testing

@testable import PromptCommands

struct FormattingTests {
    @Test func `what does not fit on the terminal is left out at the end`() {
        var console = Console(
            environment: [:],
            now: { Instant(milliseconds: 0) },
            sleep: { _ in },
            writeOutput: { _ in },
            writeError: { _ in }
        )
        console.rows = 5
        #expect(WatchCommand.fitting(["1", "2", "3", "4"], console) == ["1", "2", "3", "4"])
        #expect(
            WatchCommand.fitting(["1", "2", "3", "4", "5"], console)
                == ["1", "2", "3", "… and 2 more lines: promptctl status"]
        )
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-4_311, "-4,311"),
    ])
    func `thousands are set apart`(number: Int, text: String) {
        #expect(grouped(number) == text)
    }

    @Test(arguments: [
        (Int64(39_112_500), "39,112.5 credits"), (1_000, "1 credit"), (800, "0.8 credits"), (-500, "-0.5 credits"),
        (-1_500_250, "-1,500.25 credits"), (0, "0 credits"),
    ])
    func `money is exact`(millicredits: Int64, text: String) {
        #expect(Credits(millicredits: millicredits).inWords == text)
    }

    @Test(arguments: [
        (Duration.milliseconds(340), "340 ms"), (.milliseconds(3_400), "3.4 s"), (.seconds(17), "17 s"),
        (.seconds(100), "1.7 min"), (.seconds(21_600), "6 h"), (.seconds(90 * 86_400), "90 d"),
        (.milliseconds(-5), "0 ms"),
    ])
    func `durations have a fitting unit`(duration: Duration, text: String) {
        #expect(duration.inWords == text)
    }

    @Test(arguments: [
        ("1970-01-01T00:00Z", Int64(0)), ("2026-11-22T09:31:07.204Z", 1_795_339_867_204),
        ("2026-11-22T10:31:07.204+01:00", 1_795_339_867_204), ("2026-11-22 04:01:07,204-0530", 1_795_339_867_204),
        ("2024-02-29T23:59:59Z", 1_709_251_199_000), ("2000-03-01T00:00:00+00", 951_868_800_000),
    ])
    func `instants are read with their zone`(text: String, milliseconds: Int64) {
        #expect(Instant(iso8601: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "tomorrow", "2026-11-22", "2026-11-22T09:31", "2026-02-29T00:00Z", "2026-13-01T00:00Z", "2026-11-31T00:00Z",
        "2026-11-22T24:00Z", "2026-11-22T09:60Z", "2026-11-22T09:31+99:00",
    ])
    func `what is no instant with a zone is refused`(text: String) {
        #expect(Instant(iso8601: text) == nil)
    }

    @Test(arguments: [Int64(0), 951_782_399_999, 1_709_251_199_000, 1_795_339_867_204, 4_102_444_800_000])
    func `an instant reads back as it was written`(milliseconds: Int64) {
        let instant = Instant(milliseconds: milliseconds)
        #expect(Instant(iso8601: instant.iso8601) == instant)
    }

    @Test(arguments: [("abc", 3), ("狐", 2), ("🦊", 2), ("e\u{301}", 1), ("…", 1)])
    func `wide characters take two columns`(text: String, width: Int) {
        #expect(displayWidth(text) == width)
    }

    @Test func `a text that is too long ends with an ellipsis and fits`() {
        #expect(truncate("a red fox in the snow", to: 10) == "a red fox…")
        #expect(displayWidth(truncate("雪の中の赤い狐", to: 8)) <= 8)
    }

    @Test func `control characters do not reach the terminal`() {
        #expect(oneLine("a\u{1B}[2Jb\nc\td") == "a [2Jb c d")
    }
}

@Suite struct InstantTextTests {
    @Test(arguments: [
        (Int64.min, "0001-01-01T00:00:00.000Z"), (.max, "9999-12-31T23:59:59.999Z"), (0, "1970-01-01T00:00:00.000Z"),
    ])
    func `every number of a row is some instant`(milliseconds: Int64, text: String) {
        #expect(Instant(milliseconds: milliseconds).iso8601 == text)
    }
}
