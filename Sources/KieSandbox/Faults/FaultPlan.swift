import DequeModule
import PromptQueue

/// Which faults happen, and when: by chance, and by a list of what comes next.
package struct FaultPlan: Sendable {
    /// How often each fault happens, from 0 to 1.
    package private(set) var rates: [Fault: Double] = [:]
    /// How often each fault has happened.
    package private(set) var counts: [Fault: Int] = [:]
    private var upcoming: [Fault.Stage: Deque<Fault?>] = [:]
    private var generators: [Fault.Stage: SeededGenerator]

    /// A plan of chances alone; equal seeds, equal plans.
    package init(rates: [Fault: Double] = [:], seed: UInt64) {
        generators = Dictionary(
            uniqueKeysWithValues: Fault.Stage.allCases.map { ($0, SeededGenerator(seed: seed, purpose: $0.rawValue)) }
        )
        for (fault, rate) in rates { setRate(of: fault, to: rate) }
    }

    /// Lets `fault` happen at `rate`, cut to 0…1. The rates of one stage exclude each other, so they should add up to 1
    /// at most; beyond that the faults that `Fault` lists last go short.
    package mutating func setRate(of fault: Fault, to rate: Double) {
        rates[fault] = rate > 0 ? min(rate, 1) : nil
    }

    /// Lets `fault`, or with `nil` no fault of `stage`, strike after those already listed.
    package mutating func append(_ fault: Fault?, to stage: Fault.Stage) {
        upcoming[stage, default: []].append(fault)
    }

    /// Ends all faults.
    package mutating func clear() {
        rates = [:]
        upcoming = [:]
    }

    /// The fault that strikes now, if any.
    package mutating func draw(_ stage: Fault.Stage) -> Fault? {
        let fault = next(stage)
        if let fault { counts[fault, default: 0] += 1 }
        return fault
    }

    private mutating func next(_ stage: Fault.Stage) -> Fault? {
        if let listed = upcoming[stage]?.popFirst() { return listed }
        guard !rates.isEmpty, var chance = generators[stage]?.fraction() else { return nil }
        for fault in Fault.allCases where fault.stage == stage {
            guard let rate = rates[fault] else { continue }
            if chance < rate { return fault }
            chance -= rate
        }
        return nil
    }
}
