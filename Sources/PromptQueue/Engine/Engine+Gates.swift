extension GateKind {
    func concerns(model: String) -> Bool {
        if case .model(let name) = self { name == model } else { true }
    }
}

extension Engine {
    /// What an answer says about the provider, the key, the account and the model.
    mutating func judge(
        _ job: ClaimedJob,
        _ outcome: SubmissionOutcome,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        let trouble: (kind: GateKind, failure: Failure)?
        switch outcome {
        case .accepted:
            trouble = nil
        case .notSent(let failure), .unknown(let failure):
            trouble = (.provider, failure)
        case .rejected(let failure):
            switch failure.code {
            case .keyRefused: trouble = (.key, failure)
            case .creditsExhausted: trouble = (.credits, failure)
            case .providerUnavailable: trouble = (.provider, failure)
            case .modelDisabled: trouble = (.model(job.model), failure)
            case .rateLimited:
                trouble = nil
                window.shut(at: now.uptime)
                effects.append(.notify(.rateLimited))
            default: trouble = nil
            }
        }
        if let trouble {
            fail(trouble.kind, job.attempt, trouble.failure, now: now, &effects)
        }
        for kind in Array(gates.keys) where kind != trouble?.kind && kind.concerns(model: job.model) {
            if proves(outcome, against: kind) {
                open(kind, &effects)
            } else if gates[kind]?.probe == job.attempt {
                gates[kind]?.probe = nil
            }
        }
    }

    /// Whether an outcome shows that a gate need not be closed any longer.
    private func proves(_ outcome: SubmissionOutcome, against kind: GateKind) -> Bool {
        switch outcome {
        case .accepted: kind != .disk && kind != .media
        case .rejected(let failure):
            switch kind {
            case .provider: failure.code != .providerUnavailable
            case .key: failure.code != .keyRefused && failure.code != .providerUnavailable
            case .credits, .model, .disk, .media: false
            }
        case .notSent, .unknown: false
        }
    }

    private mutating func fail(
        _ kind: GateKind,
        _ attempt: AttemptID,
        _ failure: Failure,
        now: Moment,
        _ effects: inout [EngineEffect]
    ) {
        if gates[kind] != nil {
            gates[kind]?.fail(attempt: attempt, message: failure.message, at: now, using: &random)
            recordGates(now: now, &effects)
            return
        }
        var backoff = kind.backoff
        // The key's own cap resets by the hour or the day, not by a payment.
        if kind == .credits, failure.apiCode == 433 { backoff.maximum = .seconds(3_600) }
        gates[kind] = Gate(backoff, message: failure.message, at: now, using: &random)
        effects.append(.notify(.gateClosed(kind, message: failure.message)))
        record(.trouble("\(kind.name): \(failure.message)"), &effects)
        recordGates(now: now, &effects)
    }

    mutating func close(_ kind: GateKind, message: String, now: Moment, _ effects: inout [EngineEffect]) {
        if gates[kind] != nil {
            gates[kind]?.fail(attempt: nil, message: message, at: now, using: &random)
            return
        }
        gates[kind] = Gate(kind.backoff, message: message, at: now, using: &random)
        effects.append(.notify(.gateClosed(kind, message: message)))
        // While the database cannot be written there is no use in noting that.
        if kind != .disk { recordGates(now: now, &effects) }
    }

    mutating func open(_ kind: GateKind, _ effects: inout [EngineEffect]) {
        guard gates.removeValue(forKey: kind) != nil else { return }
        noteDue()
        effects.append(.notify(.gateOpened(kind)))
        recordGates(now: nil, &effects)
    }

    mutating func hold(_ holds: [BudgetHold], now: Moment, _ effects: inout [EngineEffect]) {
        let before = budgetHolds
        budgetHolds = Dictionary(uniqueKeysWithValues: Set(holds).map { ($0, before[$0] ?? now) })
        if Set(before.keys) != Set(budgetHolds.keys) { recordGates(now: now, &effects) }
    }

    private mutating func recordGates(now: Moment?, _ effects: inout [EngineEffect]) {
        let notes = gates.map { kind, gate in
            GateNote(
                name: kind.name,
                closedAt: gate.closedAt.instant,
                reopensAt: gate.closedAt.instant + (gate.probeAt - gate.closedAt.uptime),
                message: "\(gate.message): \(kind.advice)"
            )
        }
        let held = budgetHolds.map { hold, since in
            GateNote(
                name: "budget:\(hold.budget)",
                queue: hold.queue,
                closedAt: since.instant,
                reopensAt: nil,
                message: "the next job would pass the budget's limit"
            )
        }
        record(.gates((notes + held).sorted { ($0.name, $0.queue) < ($1.name, $1.queue) }), &effects)
    }
}
