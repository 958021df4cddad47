/// Something that promptd does with bytes that others chose. If it ends the process, the next start would do it again.
package enum RiskyStep: Sendable, Hashable {
    /// Preparing a queued job.
    case claim(JobID)
    /// Asking about an attempt's task, and reading what was answered.
    case poll(AttemptID)
    /// Fetching a result.
    case download(ResultID)
}

/// How a process ended that left steps under way.
package enum SuddenEnd: Sendable, Hashable {
    /// By a signal of its own: a trap, a broken precondition, bad memory.
    case crash(signal: Int32)
    /// Nobody knows: killed, out of memory, or the machine was switched off.
    case unexplained
}

extension SuddenEnd {
    /// Two crashes are enough, or six ends that nobody explains: a machine that is switched off, or a kill, says little.
    package static let enough = 6
    package static let crashWeight = 3

    /// How much it counts against what was under way.
    package var weight: Int {
        switch self {
        case .crash: Self.crashWeight
        case .unexplained: 1
        }
    }

    /// Why a step is set aside that was under way at such ends.
    package func reason(_ step: RiskyStep) -> String {
        let doing =
            switch step {
            case .claim: "while it prepared this job"
            case .poll: "while it polled this task"
            case .download: "while it fetched this result"
            }
        return switch self {
        case .crash(let signal): "promptd crashed \(doing), again and again (signal \(signal))"
        case .unexplained: "promptd ended \(doing), again and again"
        }
    }
}

/// What is set aside because promptd has died of it, as far as can be told.
package struct SetAsideStep: Sendable, Hashable {
    package var step: RiskyStep
    package var job: JobID
    package var origin: JobOrigin?
    package var reason: String

    package init(step: RiskyStep, job: JobID, origin: JobOrigin? = nil, reason: String) {
        self.step = step
        self.job = job
        self.origin = origin
        self.reason = reason
    }
}

extension SetAsideStep {
    /// What its job or its result is told, and what to do.
    package var message: String {
        switch step {
        case .claim: "\(reason); nothing was sent. \(Advice.trySending(job))"
        case .poll: "\(reason); its task is no longer polled. \(Advice.pollAgain(job))"
        case .download: "\(reason); it is paid for. \(Advice.fetchAgain(job))"
        }
    }
}

/// Where it is kept what was under way when promptd died: a capability of the ledger, apart because only a start needs it.
package protocol SuspectStore: Sendable {
    /// Notes what was under way when the last process died, and sets aside what was so too often.
    ///
    /// What another version has died of is tried again.
    ///
    /// - Returns: what is set aside now and was not before.
    func noteDeaths(
        _ steps: [RiskyStep],
        _ end: SuddenEnd,
        version: String,
        now: Instant
    ) async throws(LedgerError) -> [SetAsideStep]

    /// Steps that may have ended a process, and are not set aside: they are done one at a time, so that the next end tells
    /// which it was.
    func suspects() async throws(LedgerError) -> Set<RiskyStep>

    /// A step went well: it is suspected no longer.
    func acquit(_ step: RiskyStep)
}
