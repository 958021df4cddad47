import Concurrency
import Logging
import PromptConfiguration
import PromptQueue
import ServiceLifecycle
import Synchronization

/// Tells hooks what has happened, beside the runner: whatever they do, nobody waits for them.
struct HookKeeper: Service {
    let ledger: any HookStore
    /// Asked each time, because a reload may change it.
    let hooks: @Sendable () -> [Hook]
    let deliverer: any HookDeliverer
    let metrics: DaemonMetrics
    let time: any TimeSource
    let seed: UInt64
    let logger: Logger

    private static let look: Duration = .seconds(1)
    /// At once, to one hook.
    private static let mostAtOnce = 4
    private static let upkeep: Duration = .seconds(600)
    private static let deliveredAge: Duration = .seconds(7 * 86_400)
    private static let deadAge: Duration = .seconds(30 * 86_400)

    func run() async throws {
        metrics.begin(hooks: hooks().map(\.name))
        try await untilShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                let underWay = UnderWay()
                let chance = Chance(seed: seed)
                var nextUpkeep = time.now.uptime + Self.upkeep
                while !Task.isCancelled {
                    do {
                        for (hook, delivery) in try await due(underWay) {
                            group.addTask { try await deliver(delivery, to: hook, underWay, chance) }
                        }
                        if time.now.uptime >= nextUpkeep {
                            nextUpkeep = time.now.uptime + Self.upkeep
                            try await removeOld()
                        }
                    } catch let error as LedgerError where error.code != .cancelled {
                        logger.warning("hooks wait for the database", metadata: ["reason": "\(error)"])
                    }
                    try await time.sleep(until: time.now.uptime + Self.look)
                }
            }
        }
    }

    /// Notes what has happened, and finds what can be told now.
    private func due(_ underWay: UnderWay) async throws -> [(Hook, HookDelivery)] {
        let hooks = hooks()
        guard !hooks.isEmpty else {
            try await ledger.forgetHooks()
            return []
        }
        var note = HookNote()
        repeat {
            note = try await ledger.noteHooks(hooks.map(\.rule), now: time.now.instant)
            if note.hasMissed {
                logger.warning("hooks are not told of some jobs, whose events were removed before they could be")
            }
        } while note.isFull
        var found: [(Hook, HookDelivery)] = []
        for hook in hooks {
            let most = Self.mostAtOnce - underWay.count(of: hook.name)
            guard most > 0 else { continue }
            let due = try await ledger.dueDeliveries(to: hook.name, now: time.now.instant, limit: Self.mostAtOnce * 2)
            for delivery in due.filter({ underWay.isFree($0) }).prefix(most) where underWay.begin(delivery) {
                found.append((hook, delivery))
            }
        }
        return found
    }

    /// Everything that can be told now, to its end.
    func tellAll() async throws {
        let (underWay, chance) = (UnderWay(), Chance(seed: seed))
        while true {
            let due = try await due(underWay)
            guard !due.isEmpty else { return }
            for (hook, delivery) in due { try await deliver(delivery, to: hook, underWay, chance) }
        }
    }

    private func deliver(
        _ delivery: HookDelivery,
        to hook: Hook,
        _ underWay: UnderWay,
        _ chance: Chance
    ) async throws {
        defer { underWay.end(delivery) }
        do {
            let end = try await deliverer.deliver(
                delivery,
                id: "msg_\(ledger.databaseID)_\(delivery.id)",
                try await ledger.subject(of: delivery, now: time.now.instant),
                to: hook,
                now: time.now.instant
            )
            // What is cut off by a shutdown has not been told, and is told again.
            try Task.checkCancellation()
            let now = time.now.instant
            let next = chance.next(attempts: delivery.attempts + 1, now: now)
            try await ledger.deliveryEnded(delivery.id, end.outcome, next: next, now: now)
            metrics.told(hook.name, end.outcome, isDead: next == nil)
            log(delivery, end, next: next)
        } catch is CancellationError {
            return
        } catch let error as LedgerError {
            // Noted by nobody: it is told again.
            if error.code != .cancelled {
                logger.warning("what a hook was told cannot be noted", metadata: ["reason": "\(error)"])
            }
        }
    }

    private func log(_ delivery: HookDelivery, _ end: HookCommand.End, next: Instant?) {
        var metadata: Logger.Metadata = [
            "hook": "\(delivery.hook)", "event": "\(delivery.event.rawValue)", "delivery": "\(delivery.id)",
        ]
        if let job = delivery.job { metadata["job.id"] = "\(job)" }
        if !end.output.isEmpty {
            // It may hold the prompt that the program was given.
            let said: Logger.Metadata = ["output": "\(PlainText.oneLine(end.output))"]
            logger.debug("what a hook's program wrote", metadata: metadata.merging(said) { $1 })
        }
        switch end.outcome {
        case .delivered:
            logger.debug("a hook was told", metadata: metadata)
        case .failed(let reason) where next != nil:
            metadata["reason"] = "\(reason)"
            logger.warning("a hook could not be told; it is tried again", metadata: metadata)
        case .failed(let reason), .refused(let reason):
            metadata["reason"] = "\(reason)"
            metadata["remedy"] = "\(Advice.retryHook)"
            logger.error("a hook was not told, and is not tried again", metadata: metadata)
        }
    }

    private func removeOld() async throws {
        let now = time.now.instant
        while try await ledger.removeDeliveries(
            delivered: now - Self.deliveredAge,
            dead: now - Self.deadAge,
            limit: 500
        )
            == 500
        { try await time.sleep(until: time.now.uptime + .milliseconds(100)) }
    }

    /// Deliveries that are being told; of each job one.
    private final class UnderWay: Sendable {
        private struct Subject: Hashable {
            var hook: String
            var job: JobID
        }

        private struct State {
            var deliveries: [HookDeliveryID: String] = [:]
            var jobs: Set<Subject> = []
        }

        private let state = Mutex(State())

        func count(of hook: String) -> Int { state.withLock { $0.deliveries.values.count { $0 == hook } } }

        func isFree(_ delivery: HookDelivery) -> Bool {
            state.withLock { state in
                state.deliveries[delivery.id] == nil
                    && delivery.job.map { !state.jobs.contains(Subject(hook: delivery.hook, job: $0)) } ?? true
            }
        }

        func begin(_ delivery: HookDelivery) -> Bool {
            state.withLock { state in
                if let job = delivery.job,
                    !state.jobs.insert(Subject(hook: delivery.hook, job: job)).inserted
                {
                    return false
                }
                state.deliveries[delivery.id] = delivery.hook
                return true
            }
        }

        func end(_ delivery: HookDelivery) {
            state.withLock { state in
                state.deliveries[delivery.id] = nil
                if let job = delivery.job { state.jobs.remove(Subject(hook: delivery.hook, job: job)) }
            }
        }
    }

    private final class Chance: Sendable {
        private let generator: Mutex<SeededGenerator>

        init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

        func next(attempts: Int, now: Instant) -> Instant? {
            generator.withLock { HookSchedule.next(attempts: attempts, now: now, using: &$0) }
        }
    }
}
