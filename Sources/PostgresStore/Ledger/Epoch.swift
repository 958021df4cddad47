/// A daemon's time with a store, from its start to its end: no two have the same, and none comes back.
struct Epoch: Sendable, Hashable {
    let rawValue: Int64

    init(_ rawValue: Int64) { self.rawValue = rawValue }
}
