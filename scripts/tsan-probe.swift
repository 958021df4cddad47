// Two threads, one number: within a Mutex, or with `race` as an argument past it.
import Foundation
import Synchronization

final class Shared: @unchecked Sendable {
    let mutex = Mutex([0])
    var bare = [0]
}

let shared = Shared()
let isRacing = CommandLine.arguments.contains("race")
let group = DispatchGroup()
for number in 0..<2 {
    DispatchQueue.global()
        .async(group: group) {
            for _ in 0..<20_000 {
                if isRacing {
                    if number == 0 { shared.bare[0] += 1 } else { shared.mutex.withLock { _ in shared.bare[0] += 1 } }
                } else {
                    shared.mutex.withLock { $0[0] += 1 }
                }
            }
        }
}
group.wait()
print(shared.mutex.withLock { $0 }, shared.bare)
