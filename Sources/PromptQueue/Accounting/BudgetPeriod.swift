import FoundationEssentials

/// Over what time a budget's limit counts. An attempt counts in the period in which it was sent.
package enum BudgetPeriod: String, Sendable, Hashable, CaseIterable, Codable {
    case total, hour, day, week, month

    /// The period that an instant lies in: UTC, and a week starts on Monday (ISO 8601). The view `budget_periods` has the
    /// same rule in SQL, and a test compares the two.
    ///
    /// - Returns: its first instant, and the first one after it; nil where there is none.
    package func interval(at instant: Instant) -> (start: Instant, end: Instant?) {
        // From 1970 to the year 9999, as the ledger's instants are.
        let instant = min(max(instant, Instant(milliseconds: 0)), Instant(milliseconds: 253_402_300_799_999))
        switch self {
        case .total: return (Instant(milliseconds: 0), nil)
        case .hour: return Self.interval(of: 3_600_000, at: instant)
        case .day: return Self.interval(of: 86_400_000, at: instant)
        case .week:
            // 1970-01-01 was a Thursday: the week's days are counted from the Monday before.
            let shift: Int64 = 3 * 86_400_000
            let (start, end) = Self.interval(of: 7 * 86_400_000, at: instant + .milliseconds(shift))
            return (start - .milliseconds(shift), end.map { $0 - .milliseconds(shift) })
        case .month:
            let date = Date(timeIntervalSince1970: Double(instant.milliseconds) / 1_000)
            guard let month = Self.calendar.dateInterval(of: .month, for: date) else {
                return (Instant(milliseconds: 0), nil)
            }
            return (Self.instant(month.start), Self.instant(month.end))
        }
    }

    /// The rows of `spending` that its sum is made of.
    package var sums: Sums {
        switch self {
        case .total: .total
        case .hour: .hour
        case .day, .week, .month: .day
        }
    }

    /// By what spending is summed up as it happens.
    package enum Sums: String, Sendable, Hashable {
        case hour, day, total
    }

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    private static func interval(of length: Int64, at instant: Instant) -> (start: Instant, end: Instant?) {
        let start = Instant(milliseconds: instant.milliseconds - instant.milliseconds % length)
        return (start, start + .milliseconds(length))
    }

    private static func instant(_ date: Date) -> Instant {
        Instant(milliseconds: Int64(saturated: date.timeIntervalSince1970 * 1_000))
    }
}
