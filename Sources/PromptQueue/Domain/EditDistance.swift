/// How far apart two spellings are, in typing errors.
package enum EditDistance {
    /// For each beginning of `right`, the empty one first: the least number of letters to insert, remove, replace or
    /// swap with their neighbour that makes it of `left` (optimal string alignment).
    package static func distances(from left: [UInt8], toPrefixesOf right: [UInt8]) -> [Int] {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last
    }
}
