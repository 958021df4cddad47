/// Buckets of time that are the wider the later they lie: 16 to each doubling, from a quarter of a second to 97 days.
///
/// Within a doubling the buckets are of one width, as in Tene's HdrHistogram, so that finding one takes no logarithm.
enum TimeScale {
    static let perDoubling = 16
    private static let lowestExponent = -2
    private static let highestExponent = 23
    static let count = (highestExponent - lowestExponent) * perDoubling

    /// Where each bucket starts, in seconds, and at last where the last one ends. The first one starts at 0.
    static let edges: [Double] = (0...count).map { bucket in
        guard bucket > 0 else { return 0 }
        let exponent = lowestExponent + bucket / perDoubling
        let part = Double(bucket % perDoubling) / Double(perDoubling)
        return Double(sign: .plus, exponent: exponent, significand: 1 + part)
    }

    /// The bucket that a time in seconds falls into; the first or the last one for what lies outside.
    static func bucket(_ seconds: Double) -> Int {
        guard seconds >= edges[1] else { return 0 }
        guard seconds < edges[count] else { return count - 1 }
        let part = Int((seconds.significand - 1) * Double(perDoubling))
        return (Int(seconds.exponent) - lowestExponent) * perDoubling + part
    }

    static func width(_ bucket: Int) -> Double { edges[bucket + 1] - edges[bucket] }

    /// Which share of a bucket lies between two times.
    static func share(_ bucket: Int, from: Double, to: Double) -> Double {
        let overlap = min(to, edges[bucket + 1]) - max(from, edges[bucket])
        return max(0, overlap / width(bucket))
    }
}
