/// Whether questions get through to the provider: while nothing is submitted, they alone can tell.
struct Reach: Sendable {
    /// Since when, in uptime, every question has failed for the same reason, and how many have.
    var failing: (kind: GateKind, since: Duration, questions: Int)?
    /// The gate that was closed because of it.
    var closed: GateKind?
}

// What questions about tasks and the balance say of the key and the provider.
extension Engine {
    /// So long questions have to fail before a gate closes: single ones do, and are repeated.
    private static var reachPatience: Duration { .seconds(60) }
    /// A key that is refused so often in a row is not refused by mistake.
    private static var keyRefusals: Int { 3 }

    mutating func noteReach(_ outcome: PollOutcome, now: Moment, _ effects: inout [EngineEffect]) {
        if case .unavailable(let failure) = outcome {
            noteUnreached(failure, now: now, &effects)
        } else {
            noteReached(&effects)
        }
    }

    /// A question was answered: the key is good and the provider there.
    mutating func noteReached(_ effects: inout [EngineEffect]) {
        reach.failing = nil
        guard let kind = reach.closed else { return }
        reach.closed = nil
        open(kind, &effects)
    }

    mutating func noteUnreached(_ failure: Failure, now: Moment, _ effects: inout [EngineEffect]) {
        let kind: GateKind
        switch failure.code {
        case .rateLimited: return
        case .keyRefused: kind = .key
        default: kind = .provider
        }
        guard let failing = reach.failing, failing.kind == kind else {
            reach.failing = (kind, now.uptime, 1)
            return
        }
        reach.failing?.questions += 1
        let isSure = kind == .key && failing.questions + 1 >= Self.keyRefusals
        guard isSure || now.uptime - failing.since >= Self.reachPatience, gates[kind] == nil else { return }
        reach.closed = kind
        record(.trouble("\(kind.name): \(failure.message)"), &effects)
        close(kind, message: failure.message, now: now, &effects)
    }
}
