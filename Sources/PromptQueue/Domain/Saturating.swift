// Numbers of others end up in sums: a row, an answer or a clock may hold any. A sum that passes its bounds stays there, where
// plain arithmetic ends the process.
extension Int64 {
    /// The nearest whole number, or the bound that it passes; 0 for what is not a number.
    package init(saturated number: Double) {
        let whole = number.rounded()
        self = Int64(exactly: whole) ?? (whole.isNaN ? 0 : whole < 0 ? .min : .max)
    }

    /// The sum, or the bound that it passes.
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the bound that it passes.
    func subtractingSaturated(_ other: Int64) -> Int64 {
        let (difference, isOver) = subtractingReportingOverflow(other)
        return isOver ? (other < 0 ? .max : .min) : difference
    }

    /// The product, or the bound that it passes.
    package func multipliedSaturated(by other: Int64) -> Int64 {
        let (product, isOver) = multipliedReportingOverflow(by: other)
        return isOver ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}

extension Duration {
    /// Whole milliseconds, rounded; as many as fit 64 bits.
    package init(saturatedSeconds seconds: Double) {
        self = .milliseconds(Int64(saturated: seconds * 1_000))
    }
}
