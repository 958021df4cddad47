extension Catalogue {
    /// The names that `name` was probably meant to be, best first; empty if nothing is near.
    ///
    /// Counts typing errors, in the whole name, in the part behind the vendor's (`seedance-2`), and in a beginning
    /// (`wan2.7`, `gpt-image-3`). Case and separators never count. Names more than two errors worse than the best are
    /// left out.
    package func nearestNames(to name: String, limit: Int = 3) -> [String] {
        let wanted = Self.letters(of: name)
        guard !wanted.isEmpty, wanted.count <= 100 else { return [] }
        let tolerance = max(2, wanted.count / 4)
        let near = models.keys.compactMap { candidate -> (errors: Int, name: String)? in
            let errors = Self.errors(in: wanted, for: candidate)
            return errors <= tolerance ? (errors, candidate) : nil
        }.sorted { $0 < $1 }
        guard let best = near.first?.errors else { return [] }
        return near.prefix { $0.errors <= best + 2 }.prefix(max(0, limit)).map(\.name)
    }

    private static func letters(of name: some StringProtocol) -> [UInt8] {
        name.lowercased().utf8.filter { !"/-._ ".utf8.contains($0) }
    }

    private static func errors(in wanted: [UInt8], for candidate: String) -> Int {
        var names = [letters(of: candidate)]
        if let slash = candidate.firstIndex(of: "/") { names.append(letters(of: candidate[slash...])) }
        return names.map { name in
            let distances = distances(from: wanted, toPrefixesOf: name)
            // That only a beginning fits counts as one error more.
            let prefix = wanted.count >= 4 ? distances.min().map { $0 + 1 } : nil
            return min(distances[name.count], prefix ?? .max)
        }.min() ?? .max
    }

    /// For each beginning of `right`, the empty one first: the least number of letters to insert, remove, replace or
    /// swap with their neighbour that makes it of `left` (optimal string alignment).
    private static func distances(from left: [UInt8], toPrefixesOf right: [UInt8]) -> [Int] {
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
