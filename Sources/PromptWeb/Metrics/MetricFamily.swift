/// A family of metrics: what one is called, what it means, and how it is kept.
package struct MetricFamily: Sendable {
    package enum Kind: Sendable, Equatable {
        case counter
        case gauge
        /// The upper bounds of its buckets, ascending, without +Inf.
        case histogram([Double])
    }

    /// With the unit and, for a counter, `_total` at its end (https://prometheus.io/docs/practices/naming/).
    package let name: String
    package let help: String
    package let kind: Kind

    package init(_ name: String, _ help: String, _ kind: Kind) {
        self.name = name
        self.help = help
        self.kind = kind
    }

    /// Seconds from a millisecond to ten minutes.
    package static let seconds: Kind = .histogram([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
    ])
}
