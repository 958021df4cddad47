import PromptQueue

/// What happened, as a number by which two runs can be compared, and as text for a person.
///
/// Nothing that the seed does not decide goes in: no tokens, no wall clock, no order in which gates are listed.
struct Trace {
    /// FNV-1a over everything noted.
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    let isVerbose: Bool

    mutating func note(_ now: Duration, _ what: StaticString, _ values: Int64..., text: @autoclosure () -> String = "")
    {
        mix(UInt64(bitPattern: now.milliseconds))
        for byte in what.description.utf8 { mix(UInt64(byte)) }
        for value in values { mix(UInt64(bitPattern: value)) }
        guard isVerbose else { return }
        let shown = values.map { " \($0)" }.joined()
        let text = text()
        print("\(Self.text(now))  \(what)\(shown)\(text.isEmpty ? "" : "  \(text)")")
    }

    private mutating func mix(_ value: UInt64) {
        hash = (hash ^ value) &* 0x100_0000_01B3
        hash ^= hash >> 29
    }

    /// Days, then hours, minutes and seconds: `3+04:05:06.789`.
    static func text(_ time: Duration) -> String {
        func padded(_ number: Int64, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(number).count)) + String(number)
        }
        let milliseconds = time.milliseconds
        let seconds = milliseconds / 1_000
        return "\(seconds / 86_400)+\(padded(seconds / 3_600 % 24, 2)):\(padded(seconds / 60 % 60, 2))"
            + ":\(padded(seconds % 60, 2)).\(padded(milliseconds % 1_000, 3))"
    }
}
