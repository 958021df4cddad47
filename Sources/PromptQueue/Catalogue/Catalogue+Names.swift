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
            let distances = EditDistance.distances(from: wanted, toPrefixesOf: name)
            // That only a beginning fits counts as one error more.
            let prefix = wanted.count >= 4 ? distances.min().map { $0 + 1 } : nil
            return min(distances[name.count], prefix ?? .max)
        }.min() ?? .max
    }
}
