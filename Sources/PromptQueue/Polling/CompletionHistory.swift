/// What was learnt of how long tasks take, by model and profile.
///
/// A profile of which little is known borrows from its model, and a model from the fallback schedule. There is no level above:
/// models of one medium differ by a factor of ten and more.
package struct CompletionHistory: Sendable {
    private struct Known {
        var times = CompletionTimes()
        var curve: SurvivalCurve?
        var plan: PollPlan?
        /// What was learnt since `plan` was made, in completions.
        var news = 0.0
        var lastUse = 0

        var isStale: Bool { news > 0 && news >= min(Double(times.completions), 100) / 8 }

        mutating func learn(_ share: Double, _ change: (inout CompletionTimes) -> Void) {
            change(&times)
            news += share
        }
    }

    /// More profiles than this are not remembered; the one that was used least recently is forgotten.
    static let maximumProfiles = 256

    private var models: [String: Known] = [:]
    private var profiles: [CompletionKey: Known] = [:]
    private var uses = 0
    private let secondsPerPoll: Double

    package init(secondsPerPoll: Double = PollPlan.secondsPerPoll) {
        self.secondsPerPoll = secondsPerPoll
    }

    /// - Parameter tasks: the oldest first.
    package mutating func learn(_ tasks: some Sequence<CompletedTask>) {
        for task in tasks { ended(task.key, .exactly(max(0, task.took.seconds)), lastSeenRunning: 0) }
    }

    /// A task was seen running at the age `to`, and before that at `from`.
    mutating func wasRunning(_ key: CompletionKey, from: Double, to: Double) {
        learn(key, 0.1) { $0.wasRunning(from: from, to: to) }
    }

    mutating func ended(_ key: CompletionKey, _ time: CompletionTime, lastSeenRunning from: Double) {
        learn(key, 1) { $0.ended(time, lastSeenRunning: from) }
    }

    /// When to ask about tasks of this kind.
    package mutating func plan(for key: CompletionKey) -> PollPlan {
        let samples = key.profile.isEmpty ? 0 : refresh(key)
        if samples >= PollPlan.enoughSamples, let plan = profiles[key]?.plan { return plan }
        let model = modelPlan(key.model)
        guard !key.profile.isEmpty, let curve = profiles[key]?.curve else { return model }
        // Mixed again each time, since both may have changed; this soon ends.
        return PollPlan(curve, secondsPerPoll: secondsPerPoll, fallback: model)
    }

    /// How long tasks of this kind take, by their profile or else by their model; nil if none was seen to end.
    package mutating func curve(for key: CompletionKey) -> SurvivalCurve? {
        if !key.profile.isEmpty, refresh(key) >= PollPlan.enoughSamples { return profiles[key]?.curve }
        _ = modelPlan(key.model)
        return models[key.model]?.curve
    }

    private mutating func learn(_ key: CompletionKey, _ share: Double, _ change: (inout CompletionTimes) -> Void) {
        models[key.model, default: Known()].learn(share, change)
        guard !key.profile.isEmpty else { return }
        uses += 1
        profiles[key, default: Known()].learn(share, change)
        profiles[key]?.lastUse = uses
        if profiles.count > Self.maximumProfiles, let oldest = profiles.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            profiles[oldest.key] = nil
        }
    }

    private mutating func modelPlan(_ model: String) -> PollPlan {
        guard let known = models[model] else { return .cold }
        if let plan = known.plan, !known.isStale { return plan }
        guard let curve = SurvivalCurve(known.times) else { return .cold }
        let plan = PollPlan(curve, secondsPerPoll: secondsPerPoll, fallback: .cold)
        models[model]?.curve = curve
        models[model]?.plan = plan
        models[model]?.news = 0
        return plan
    }

    /// Brings a profile's curve and plan up to date; how many completions they rest on.
    private mutating func refresh(_ key: CompletionKey) -> Double {
        guard let known = profiles[key] else { return 0 }
        if let curve = known.curve, !known.isStale { return curve.samples }
        guard let curve = SurvivalCurve(known.times) else { return 0 }
        profiles[key]?.curve = curve
        profiles[key]?.plan = PollPlan(curve, secondsPerPoll: secondsPerPoll, fallback: .cold)
        profiles[key]?.news = 0
        return curve.samples
    }
}
