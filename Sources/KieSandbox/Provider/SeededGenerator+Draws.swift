package import PromptQueue

extension SeededGenerator {
    /// A generator of its own for each `purpose`, so that drawing for one never shifts another.
    package init(seed: UInt64, purpose: String) {
        self.init(seed: seed ^ purpose.fnv1a)
    }

    /// A number from 0 up to, but not including, 1.
    package mutating func fraction() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// 32 lower-case hexadecimal digits.
    package mutating func hexadecimalID() -> String {
        (0..<2).map { _ in
            let part = String(next(), radix: 16)
            return String(repeating: "0", count: 16 - part.count) + part
        }.joined()
    }
}

extension String {
    /// The 64-bit FNV-1a hash of the UTF-8 text; unlike `hashValue` the same in every process.
    package var fnv1a: UInt64 {
        utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
