/// A point in wall-clock time as the ledger stores it: whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Its arithmetic stops at the bounds of 64 bits.
package struct Instant: Sendable, Hashable, Comparable, Codable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// Moves by `duration`, which is cut to whole milliseconds.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(milliseconds: instant.milliseconds.addingSaturated(duration.milliseconds))
    }

    package static func - (instant: Instant, duration: Duration) -> Instant {
        Instant(milliseconds: instant.milliseconds.subtractingSaturated(duration.milliseconds))
    }

    package static func - (left: Instant, right: Instant) -> Duration {
        .milliseconds(left.milliseconds.subtractingSaturated(right.milliseconds))
    }
}

extension Duration {
    /// The whole milliseconds in this duration, rounded towards zero.
    package var milliseconds: Int64 {
        components.seconds.multipliedSaturated(by: 1_000)
            .addingSaturated(components.attoseconds / 1_000_000_000_000_000)
    }

    /// This duration in seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
