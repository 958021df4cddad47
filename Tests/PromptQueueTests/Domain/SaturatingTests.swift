import PromptQueue
import Testing

/// Instants and amounts of others are any numbers: no sum of them ends the process.
@Suite struct SaturatingTests {
    private static let instants = [Int64.min, -1, 0, 1, Int64.max].map(Instant.init(milliseconds:))
    private static let durations: [Duration] = [
        .milliseconds(Int64.min), .seconds(Int64.min), .zero, .seconds(1), .milliseconds(Int64.max),
        .seconds(Int64.max),
    ]

    @Test func `instants stop at their bounds`() {
        for instant in Self.instants {
            for duration in Self.durations {
                let later = instant + duration
                let earlier = instant - duration
                if duration > .zero { #expect(later >= instant && earlier <= instant) }
                if duration < .zero { #expect(later <= instant && earlier >= instant) }
            }
            for other in Self.instants { #expect((instant - other > .zero) == (instant > other)) }
        }
        #expect(Instant(milliseconds: .max) + .seconds(1) == Instant(milliseconds: .max))
        #expect(Instant(milliseconds: 1_500) - .milliseconds(500) == Instant(milliseconds: 1_000))
    }

    @Test func `amounts stop at their bounds`() {
        let most = Credits(millicredits: .max)
        #expect(most + most == most)
        #expect(.zero - most - most - most == Credits(millicredits: .min))
        #expect(Credits(millicredits: 3) - Credits(millicredits: 5) == Credits(millicredits: -2))
    }
}
