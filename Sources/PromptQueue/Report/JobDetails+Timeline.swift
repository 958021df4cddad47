extension JobDetails {
    /// What happened to the job, in order, in a sentence each.
    package var timeline: [(at: Instant, text: String)] {
        var events: [(Instant, String)] = [(job.createdAt, "added")]
        for (index, attempt) in attempts.enumerated() { events += self.events(of: attempt, index + 1) }
        for result in results {
            guard let saved = result.savedAt, let path = result.path else { continue }
            events.append((saved, "saved \(PlainText.oneLine(path))" + (result.bytes.map { ", \(size($0))" } ?? "")))
        }
        if let finished = job.finishedAt { events.append((finished, job.state.rawValue)) }
        // Sorted by time only: events of one instant stay in the order in which they were listed.
        return events.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            .map { (at: $0.element.0, text: $0.element.1) }
    }

    private func events(of attempt: AttemptRecord, _ number: Int) -> [(Instant, String)] {
        let reserved = attempt.reserved > .zero ? ", \(attempt.reserved.inWords) reserved" : ""
        var events = [(attempt.sentAt, "attempt \(number): sent\(reserved)")]
        let code = (attempt.apiCode ?? attempt.httpStatus).map { " (\($0))" } ?? ""
        let message = PlainText.oneLine(attempt.message ?? attempt.errorCode ?? "no reason given")
        if let answered = attempt.answeredAt {
            switch attempt.state {
            case .sending: break
            case .accepted: events.append((answered, acceptance(attempt)))
            case .rejected where attempt.evidence != nil:
                // Its answer was lost; what was learnt of it came later.
                events.append((answered, "the answer was lost"))
                events.append((attempt.finishedAt ?? answered, message))
            case .rejected: events.append((answered, "refused: \(message)\(code)"))
            case .unknown: events.append((answered, "\(message)\(code)"))
            }
        }
        if let finished = attempt.finishedAt, attempt.state != .rejected {
            let charge = attempt.charged.map { ", \($0.inWords) charged" } ?? ""
            let end =
                switch (attempt.state, attempt.errorCode) {
                case (.unknown, _): "given up; it counts as charged"
                case (_, nil): "the task is done"
                default: "the task failed: \(message)"
                }
            events.append((finished, end + charge))
        }
        return events
    }

    private func acceptance(_ attempt: AttemptRecord) -> String {
        let task = attempt.taskID.map { PlainText.oneLine("\($0)") } ?? ""
        switch attempt.taskSource {
        case .answer: return "accepted as task \(task)"
        case .callback: return "accepted as task \(task), which a callback named"
        case .operator: return "the answer was lost; settled by hand, as task \(task)"
        case nil: return "settled by SQL, as task \(task)"
        }
    }
}
