// Two threads, one list: within a Mutex, or with `race` as an argument past it.
import Foundation
import Synchronization

final class Shared: @unchecked Sendable {
    let mutex = Mutex([0])
    var bare = [0]
}

let shared = Shared()
let isRacing = CommandLine.arguments.contains("race")
let ready = DispatchSemaphore(value: 0)
let done = DispatchSemaphore(value: 0)
for number in 0..<2 {
    Thread.detachNewThread {
        ready.wait()
        for _ in 0..<50_000 {
            if !isRacing {
                shared.mutex.withLock { $0[0] += 1 }
            } else if number == 0 {
                shared.bare[0] += 1
            } else {
                shared.mutex.withLock { _ in shared.bare[0] += 1 }
            }
        }
        done.signal()
    }
}
for _ in 0..<2 { ready.signal() }
for _ in 0..<2 { done.wait() }
print(shared.mutex.withLock { $0 }, shared.bare)
