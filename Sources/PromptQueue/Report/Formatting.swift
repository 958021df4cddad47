/// Numbers as people read them: whole thousands set apart by commas.
package func grouped(_ number: Int) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
        groups.insert(String(digits.suffix(3)), at: 0)
        digits.removeLast(3)
    }
    return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
}

/// `1 job`, `2 jobs`, `50,000 jobs`.
package func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
}

/// `3.4 MB`.
package func size(_ bytes: Int64) -> String {
    guard bytes >= 1_000 else { return "\(bytes) B" }
    var value = Double(bytes)
    for unit in ["kB", "MB", "GB"] {
        value /= 1_000
        if value < 999.95 || unit == "GB" { return "\(oneDecimal(value)) \(unit)" }
    }
    return "\(bytes) B"
}

/// `3.4`, `17`: one decimal below ten, none above.
package func oneDecimal(_ value: Double) -> String {
    let tenths = Int(Int64(saturated: min(value, 1e15) * 10))
    guard tenths < 100, tenths % 10 != 0 else { return grouped((tenths + 5) / 10) }
    return "\(tenths / 10).\(tenths % 10)"
}

extension Credits {
    /// `39,112.5`.
    package var grouped: String {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false)
        let whole = PromptQueue.grouped(Int(parts.first.map(String.init) ?? "") ?? 0)
        let sign = millicredits < 0 && millicredits > -1_000 ? "-" : ""
        return sign + whole + (parts.count > 1 ? "." + parts[1] : "")
    }

    /// `1 credit`, `39,112.5 credits`.
    package var inWords: String { "\(grouped) credit\(millicredits == 1_000 ? "" : "s")" }
}

extension Duration {
    /// How long something took or takes: `340 ms`, `3.4 s`, `5 min`, `6 h`, `2 d`.
    package var inWords: String {
        let seconds = seconds
        switch seconds {
        case ..<0.9995: return "\(max(0, milliseconds)) ms"
        case ..<99.5: return "\(oneDecimal(seconds)) s"
        case ..<(99.5 * 60): return "\(oneDecimal(seconds / 60)) min"
        case ..<(48 * 3_600): return "\(oneDecimal(seconds / 3_600)) h"
        default: return "\(oneDecimal(seconds / 86_400)) d"
        }
    }
}
