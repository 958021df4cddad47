/// Counts and sums of a whole queue, worked out by a store from its rows: what two stores must agree on, whatever their rows look like.
package struct MoveSums: Sendable, Hashable {
    private let values: [String: String]

    /// - Parameter values: what is counted, in words, and how much it is.
    package init(_ values: [String: String]) { self.values = values }

    package var count: Int { values.count }

    /// What has become of these after a move, in words; empty if both are the same.
    package func differences(now other: MoveSums) -> [String] {
        Set(values.keys).union(other.values.keys).sorted().compactMap { name in
            let (mine, others) = (values[name] ?? "none", other.values[name] ?? "none")
            return mine == others ? nil : "\(name): \(mine) before, \(others) now"
        }
    }
}
