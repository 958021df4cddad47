/// How a group of jobs stands.
package struct JobTally: Sendable {
    package var counts: [JobState: Int] = [:]
    package var firstUnconfirmed: JobID?

    package init() {}

    package var total: Int { counts.values.reduce(0, +) }
    package var finished: Int { counts.reduce(0) { $0 + ($1.key.isFinal ? $1.value : 0) } }

    package subscript(state: JobState) -> Int { counts[state] ?? 0 }
}

/// The jobs that somebody waits for.
package enum JobGroup: Sendable {
    case ids([JobID])
    case batch(String)
}
