import PromptQueue

/// Finds what somebody may have meant.
package enum Suggestion {
    /// The name that takes the fewest edits, if those are few.
    package static func nearest(to name: String, among names: some Sequence<String>) -> String? {
        let best = names.map { (name: $0, distance: distance(name.lowercased(), $0.lowercased())) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let best, best.distance <= max(2, name.count / 3) else { return nil }
        return best.name
    }

    private static func distance(_ left: String, _ right: String) -> Int {
        EditDistance.distances(from: Array(left.utf8), toPrefixesOf: Array(right.utf8)).last ?? 0
    }
}
