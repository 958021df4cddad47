import Synchronization

/// The last `data_version` seen.
final class DataVersion: Sendable {
    private let last = Mutex<Int64>(-1)

    func replace(_ version: Int64) -> Int64 {
        last.withLock { last in
            defer { last = version }
            return last
        }
    }
}
