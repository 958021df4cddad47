/// So many requests in any window of this length.
package struct RateLimit: Sendable, Hashable {
    package var count: Int
    package var window: Duration

    /// A provider that asks for a longer wait after 429 is asked again after this.
    package static let longestRetryAfter: Duration = .seconds(3_600)

    package init(count: Int, window: Duration) {
        self.count = count
        self.window = window
    }
}

extension RateLimit: CustomStringConvertible {
    /// `20/10s`.
    package var description: String { "\(count)/\(window.text)" }
}
