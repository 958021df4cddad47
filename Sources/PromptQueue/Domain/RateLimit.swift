/// So many requests in any window of this length.
package struct RateLimit: Sendable, Hashable {
    package var count: Int
    package var window: Duration

    package init(count: Int, window: Duration) {
        self.count = count
        self.window = window
    }
}

extension RateLimit: CustomStringConvertible {
    /// `20/10s`.
    package var description: String { "\(count)/\(window.text)" }
}
