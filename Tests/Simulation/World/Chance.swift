import PromptQueue

/// Draws for one purpose, all from the seed: a draw more for one purpose never shifts another's.
struct Chance {
    private var generator: SeededGenerator

    init(seed: UInt64, purpose: String) {
        let hash = purpose.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        generator = SeededGenerator(seed: seed &* 0x9E37_79B9_7F4A_7C15 ^ hash)
    }

    /// A number from 0 up to, but not including, 1.
    mutating func fraction() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

    mutating func happens(_ probability: Double) -> Bool { fraction() < probability }

    mutating func whole(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(generator.next() % UInt64(range.count))
    }

    /// Whole milliseconds, drawn evenly.
    mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(whole(range)) }

    /// Between nothing and `bound`, drawn evenly, in whole milliseconds.
    mutating func part(of bound: Duration) -> Duration { milliseconds(0...Int(max(bound.milliseconds, 0))) }

    mutating func seed() -> UInt64 { generator.next() }

    /// One of `choices`, which must not be empty, by their weights.
    mutating func draw<Choice>(_ choices: [(weight: Double, choice: Choice)]) -> Choice {
        var left = fraction() * choices.reduce(0) { $0 + $1.weight }
        for (weight, choice) in choices {
            left -= weight
            if left < 0 { return choice }
        }
        return choices[choices.count - 1].choice
    }

    /// One of `choices`, which must not be empty.
    mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[whole(0...choices.count - 1)] }
}
