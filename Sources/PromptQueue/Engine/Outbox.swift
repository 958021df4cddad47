/// What the engine wants done because of one event, in order; and what of it is not in the ledger yet.
struct Outbox: Sendable {
    private var effects: [EngineEffect] = []
    /// Changes that are being recorded, notes about gates apart.
    private var records = 0
    /// One note about gates is written at a time: what changes meanwhile is in the next one, which tells of the latest.
    private var isWritingGates = false
    private(set) var needsGateNotes = false
    private var lastWake: Duration?

    /// Whether everything that was to be recorded is.
    var isSettled: Bool { records == 0 && !isWritingGates && !needsGateNotes }
    /// Whether the gates are to be noted, and can be.
    var isDueForGateNotes: Bool { needsGateNotes && !isWritingGates }

    mutating func send(_ effect: EngineEffect) { effects.append(effect) }

    mutating func notify(_ notice: Notice) { effects.append(.notify(notice)) }

    mutating func record(_ change: LedgerChange) {
        records += 1
        effects.append(.record(change))
    }

    /// What is closed, or why, is another than before.
    mutating func noteGates() { needsGateNotes = true }

    mutating func recordGates(_ notes: [GateNote]) {
        needsGateNotes = false
        isWritingGates = true
        effects.append(.record(.gates(notes)))
    }

    /// A change is in the ledger, or refused by it for good.
    mutating func settled(_ change: LedgerChange) {
        if case .gates = change { isWritingGates = false } else { records -= 1 }
    }

    /// A change can never be recorded.
    mutating func abandoned(_ change: LedgerChange) {
        settled(change)
        // Another note would fare no better, and keep the end waiting.
        if case .gates = change { needsGateNotes = false }
    }

    /// Asks for a `tick` at an uptime, unless an earlier one is on its way.
    mutating func wake(at uptime: Duration, now: Duration) {
        if let lastWake, lastWake <= uptime, lastWake > now { return }
        lastWake = uptime
        effects.append(.wake(at: uptime))
    }

    mutating func ticked() { lastWake = nil }

    /// Hands over everything, once.
    mutating func take() -> [EngineEffect] {
        defer { effects = [] }
        return effects
    }
}
