/// What stops submissions, and why: the closed gates, the budgets that hold queues, and whether questions get through.
struct Gates: Sendable {
    /// So long questions have to fail before a gate closes: single ones do, and are repeated.
    private static let reachPatience: Duration = .seconds(60)
    /// A key that is refused so often in a row is not refused by mistake.
    private static let keyRefusals = 3

    private var closed: [GateKind: Gate] = [:]
    private var budgets: [BudgetHold: (since: Moment, job: BudgetSkip)] = [:]
    /// Budgets of which little is left, with the end of the period in which that was said.
    private var nearlyUsed: [ExactText: Instant?] = [:]
    /// Since when, in uptime, every question has failed for the same reason, and how many have: while nothing is submitted,
    /// they alone can tell.
    private var failing: (kind: GateKind, since: Duration, questions: Int)?
    /// The gate that was closed because of that.
    private var closedByQuestions: GateKind?

    func isClosed(_ kind: GateKind) -> Bool { closed[kind] != nil }

    func message(of kind: GateKind) -> String? { closed[kind]?.message }

    // MARK: - Closing and opening

    /// - Returns: whether it was open; if not, its next probe is put off.
    mutating func close(
        _ kind: GateKind,
        message: String,
        at now: Moment,
        using generator: inout some RandomNumberGenerator
    ) -> Bool {
        guard closed[kind] == nil else {
            closed[kind]?.fail(attempt: nil, message: message, at: now, using: &generator)
            return false
        }
        closed[kind] = Gate(kind.backoff, message: message, at: now, using: &generator)
        return true
    }

    /// A request met a gate's trouble: as a probe, or before it was closed.
    mutating func fail(
        _ kind: GateKind,
        _ attempt: AttemptID,
        message: String,
        at now: Moment,
        using generator: inout some RandomNumberGenerator
    ) -> Failing {
        guard let gate = closed[kind] else {
            closed[kind] = Gate(kind.backoff, message: message, at: now, using: &generator)
            return .hasClosed
        }
        guard gate.probe != nil else { return .otherRequest }
        closed[kind]?.fail(attempt: attempt, message: message, at: now, using: &generator)
        return gate.probe == attempt ? .probe : .otherRequest
    }

    /// What a request that failed was to its gate.
    enum Failing { case hasClosed, probe, otherRequest }

    /// - Returns: whether it was closed.
    mutating func open(_ kind: GateKind) -> Bool {
        guard closed.removeValue(forKey: kind) != nil else { return false }
        if closedByQuestions == kind { closedByQuestions = nil }
        return true
    }

    // MARK: - Probes

    /// When a gate may be probed; nil if it is open, a probe is out, or only news can tell.
    func nextProbe(_ kind: GateKind, _ account: Account) -> Duration? {
        guard let gate = closed[kind], gate.probe == nil else { return nil }
        return kind == .credits ? account.nextProbe(of: gate) : gate.probeAt
    }

    func nextProbes(after uptime: Duration, _ account: Account) -> [Duration] {
        closed.keys.compactMap { nextProbe($0, account) }.filter { $0 > uptime }
    }

    /// What may be claimed while some gates are closed.
    struct Admission {
        /// Whether one job alone may go, as a probe.
        var isProbe = false
        var closedModels: Set<String> = []
        /// Models of which one job may go.
        var probedModels: Set<String> = []
    }

    /// - Returns: nil if nothing may be claimed.
    func admission(at uptime: Duration, _ account: Account) -> Admission? {
        var admission = Admission()
        for (kind, gate) in closed {
            switch kind {
            case .media: return nil
            case .model(let model):
                if gate.allowsProbe(at: uptime) {
                    admission.probedModels.insert(model)
                } else {
                    admission.closedModels.insert(model)
                }
            case .key, .credits, .keyCap, .provider, .disk:
                guard let probeAt = nextProbe(kind, account), probeAt <= uptime else { return nil }
                admission.isProbe = true
            }
        }
        return admission
    }

    /// Whether a job that is claimed must not be sent, because a gate has closed meanwhile.
    func holds(model: String, at uptime: Duration, _ account: Account) -> Bool {
        closed.keys.contains { kind in
            guard kind.concerns(model: model) else { return false }
            return kind == .media || nextProbe(kind, account).map { $0 > uptime } ?? true
        }
    }

    /// A request goes out, as the probe of every gate that concerns it.
    mutating func probe(_ attempt: AttemptID, model: String) {
        for (kind, gate) in closed where kind.concerns(model: model) && gate.probe == nil {
            closed[kind]?.probe = attempt
        }
    }

    /// The gates that a request may have told something of.
    func concerned(model: String) -> [GateKind] { closed.keys.filter { $0.concerns(model: model) } }

    func isProbe(_ attempt: AttemptID, of kind: GateKind) -> Bool { closed[kind]?.probe == attempt }

    /// The probe has told nothing.
    mutating func endProbe(of kind: GateKind) { closed[kind]?.probe = nil }

    /// Whether the turn of a model's probe has come, by the passing of time.
    func hasModelToProbe(at uptime: Duration) -> Bool {
        closed.contains { kind, gate in
            if case .model = kind { gate.allowsProbe(at: uptime) } else { false }
        }
    }

    // MARK: - Questions

    /// A question was answered: the key is good and the provider there.
    ///
    /// - Returns: the gate that had been closed because of questions.
    mutating func questionAnswered() -> GateKind? {
        failing = nil
        defer { closedByQuestions = nil }
        return closedByQuestions
    }

    /// A request made a task, which tells of the key and the provider as much.
    mutating func requestAccepted() { failing = nil }

    /// - Returns: the gate to close, if questions have failed for long enough.
    mutating func questionFailed(_ failure: Failure, at uptime: Duration) -> GateKind? {
        guard failure.code != .rateLimited else { return nil }
        let kind: GateKind = failure.code == .keyRefused ? .key : .provider
        guard let before = failing, before.kind == kind else {
            failing = (kind, uptime, 1)
            return nil
        }
        failing?.questions += 1
        let isSure = kind == .key && before.questions + 1 >= Self.keyRefusals
        guard isSure || uptime - before.since >= Self.reachPatience, closed[kind] == nil else { return nil }
        closedByQuestions = kind
        return kind
    }

    // MARK: - Budgets

    /// What a claim tells of the budgets that hold queues.
    struct BudgetNews {
        var held: [(hold: BudgetHold, job: BudgetSkip)] = []
        var released: [BudgetHold] = []
        var nearlyUsed: [BudgetHeadroom] = []
        /// Whether another job is the next of one that goes on.
        var hasChanged = false

        var isEmpty: Bool { held.isEmpty && released.isEmpty && !hasChanged }
    }

    mutating func take(_ claim: Claim, now: Moment) -> BudgetNews {
        var news = BudgetNews()
        for hold in claim.budgetHolds where budgets[hold] == nil {
            guard let job = claim.budgetSkips[hold] else { continue }
            budgets[hold] = (now, job)
            news.held.append((hold, job))
        }
        for budget in claim.nearlyUsedBudgets where nearlyUsed[ExactText(budget.name)] != .some(budget.resetsAt) {
            nearlyUsed[ExactText(budget.name)] = .some(budget.resetsAt)
            news.nearlyUsed.append(budget)
        }
        // A claim that stopped for lack of a slot has not looked at every queue; and what lets cheaper jobs pass still
        // holds the others.
        let claimed = Set(claim.jobs.map(\.queue))
        for (hold, held) in budgets {
            if let job = claim.budgetSkips[hold] {
                news.hasChanged = news.hasChanged || job != held.job
                budgets[hold]?.job = job
            } else if !claim.hasMore || claimed.contains(hold.queue) {
                budgets[hold] = nil
                news.released.append(hold)
            }
        }
        return news
    }

    // MARK: - As the ledger keeps them

    func notes(_ account: Account) -> [GateNote] {
        let gates = closed.map { kind, gate in
            // With credits used up, the next look at the balance.
            let again =
                nextProbe(kind, account) ?? (kind == .credits ? account.nextUrgentQuestion : nil) ?? gate.probeAt
            return GateNote(
                name: kind.name,
                closedAt: gate.closedAt.instant,
                reopensAt: gate.closedAt.instant + (again - gate.closedAt.uptime),
                message: "\(gate.message): \(kind.advice)"
            )
        }
        return gates
            + budgets.map { hold, held in
                GateNote(
                    name: hold.reason.rawValue,
                    queue: hold.queue,
                    closedAt: held.since.instant,
                    reopensAt: held.job.exceedsLimit ? nil : held.job.resetsAt,
                    message: held.job.description
                )
            }
    }
}
