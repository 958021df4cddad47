extension Duration {
    /// Reads a duration as configuration and command lines write it: `250ms`, `10s`, `5m`, `2h`, `90d`.
    ///
    /// Anything else is `nil`: a missing unit, a sign, a fraction, a value beyond 100,000 days.
    package init?(text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let count = Int64(digits) else { return nil }
        let unit: Int64
        switch text[digits.endIndex...] {
        case "ms": unit = 1
        case "s": unit = 1_000
        case "m": unit = 60_000
        case "h": unit = 3_600_000
        case "d": unit = 86_400_000
        default: return nil
        }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow, milliseconds <= 100_000 * 86_400_000 else { return nil }
        self = .milliseconds(milliseconds)
    }

    /// The shortest text that reads back as this duration, to the millisecond.
    package var text: String {
        let count = milliseconds
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] as [(Int64, String)]
        where count != 0 && count % unit == 0 {
            return "\(count / unit)\(name)"
        }
        return count == 0 ? "0s" : "\(count)ms"
    }
}
