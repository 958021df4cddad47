/// The row id of a job. Never reused.
package struct JobID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package let rawValue: Int64

    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    package var description: String { String(rawValue) }

    package static func < (left: JobID, right: JobID) -> Bool { left.rawValue < right.rawValue }
}

/// The row id of an attempt: one `createTask` request.
package struct AttemptID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let rawValue: Int64

    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    package var description: String { String(rawValue) }

    package static func < (left: AttemptID, right: AttemptID) -> Bool { left.rawValue < right.rawValue }
}

/// The provider's name for a task. Opaque text; several forms are in use.
package struct TaskID: Sendable, Hashable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }
}

/// The unguessable name of an attempt in its callback URL: 32 lower-case hexadecimal digits, of which the first 8 tell the
/// second in which it was made and the others are 96 random bits.
///
/// With the time in front (as in a version 7 UUID, RFC 9562) new names go side by side into the ledger's index, instead of
/// each into a page of its own. Whoever knows it may ask the daemon to look at the attempt, so it is kept out of logs.
package struct AttemptToken: Sendable, Hashable {
    package let rawValue: String

    package init(_ rawValue: String) { self.rawValue = rawValue }

    package static func random(at instant: Instant, using generator: inout some RandomNumberGenerator) -> AttemptToken {
        let seconds = UInt32(truncatingIfNeeded: instant.milliseconds / 1_000)
        let high = UInt64(seconds) << 32 | UInt64(truncatingIfNeeded: generator.next() as UInt32)
        return AttemptToken(hexadecimal(high) + hexadecimal(generator.next()))
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// The place of an event among all events. Never reused; later commits have greater ones.
package struct EventSequence: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let rawValue: Int64

    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    /// Before the first event.
    package static let start = EventSequence(0)

    package var description: String { String(rawValue) }

    package static func < (left: EventSequence, right: EventSequence) -> Bool { left.rawValue < right.rawValue }
}
