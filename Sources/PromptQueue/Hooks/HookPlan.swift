/// A delivery to be made of something that has happened.
package struct NewHookDelivery: Sendable, Hashable {
    package var hook: String
    package var event: HookEvent
    package var job: JobID?
    package var subject: String?
    package var message: String?
    /// Of the event that it is made of: no other is made of that.
    package var sequence: EventSequence?
    /// By the store's clock; nil: now.
    package var at: Instant?

    fileprivate init(_ rule: HookRule, _ event: HookEvent, at: Instant?) {
        hook = rule.name
        self.event = event
        self.at = at
    }

    /// Somebody tries a hook out.
    package static func test(_ hook: String) -> NewHookDelivery {
        var delivery = NewHookDelivery(HookRule(name: hook, events: [.test]), .test, at: nil)
        delivery.subject = hook
        return delivery
    }
}

/// What hooks are told of what has happened, by their rules: the same in every store.
package struct HookPlan: Sendable {
    private let rules: [HookRule]

    package init(_ rules: [HookRule]) { self.rules = rules }

    /// How many events are looked at in one transaction.
    package static let page = 1_000

    package var tellsOfBudgets: Bool { rules.contains { $0.events.contains(.budgetWarning) } }

    package func deliveries(of events: [JobEvent]) -> [NewHookDelivery] {
        events.flatMap { event -> [NewHookDelivery] in
            guard let kind = HookEvent(event.state) else { return [] }
            return rules.filter { $0.covers(kind, queue: event.queue, batch: event.batch) }.map { rule in
                var delivery = NewHookDelivery(rule, kind, at: event.at)
                delivery.job = event.job
                delivery.sequence = event.sequence
                return delivery
            }
        }
    }

    /// The last event of each batch, if the batch may be done with it: if none of its jobs is open then. An earlier event says
    /// nothing: the jobs may have gone on since.
    package func endings(_ events: [JobEvent]) -> [(batch: String, event: JobEvent)] {
        guard rules.contains(where: { $0.events.contains(.batchDone) }) else { return [] }
        var seen: Set<String> = []
        return events.reversed().compactMap { event in
            guard let batch = event.batch, seen.insert(batch).inserted, event.state.isFinal else { return nil }
            return (batch, event)
        }
    }

    package func deliveries(ofDone batch: String, _ event: JobEvent) -> [NewHookDelivery] {
        rules.filter { $0.covers(.batchDone, queue: event.queue, batch: batch) }.map { rule in
            var delivery = NewHookDelivery(rule, .batchDone, at: event.at)
            delivery.subject = batch
            delivery.sequence = event.sequence
            return delivery
        }
    }

    /// - Parameter name: the gate's.
    package func deliveries(ofClosed name: String, message: String?, at: Instant) -> [NewHookDelivery] {
        let budget = name.hasPrefix("budget:") ? String(name.dropFirst(7)) : nil
        let kind = budget == nil ? HookEvent.gateClosed : .budgetReached
        return rules.filter { $0.events.contains(kind) }.map { rule in
            var delivery = NewHookDelivery(rule, kind, at: at)
            delivery.subject = budget ?? name
            delivery.message = message
            return delivery
        }
    }

    /// Whether so much of a budget is used that hooks are told.
    package static func isNearlyUsed(limit: Int64, used: Int64) -> Bool { limit > 0 && limit - used <= limit / 5 }

    package func deliveries(ofNearlyUsed budget: String) -> [NewHookDelivery] {
        rules.filter { $0.events.contains(.budgetWarning) }.map { rule in
            var delivery = NewHookDelivery(rule, .budgetWarning, at: nil)
            delivery.subject = budget
            return delivery
        }
    }
}

extension HookOutcome {
    /// What is noted of a delivery.
    ///
    /// - Parameter next: when it is tried again, if it has failed.
    package func noted(next: Instant?) -> (state: HookDelivery.State, error: String?) {
        switch self {
        case .delivered: (.delivered, nil)
        case .failed(let reason): (next == nil ? .dead : .pending, String(reason.prefix(500)))
        case .refused(let reason): (.dead, String(reason.prefix(500)))
        }
    }
}
