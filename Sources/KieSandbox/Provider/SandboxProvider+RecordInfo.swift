import PromptQueue

extension SandboxProvider {
    mutating func recordInfo(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        statistics.pollArrivals.record(at: now)
        statistics.polls += 1
        let answer = record(request, now: now)
        statistics.recordInfoAnswers[answer.label, default: 0] += 1
        return answer
    }

    private mutating func record(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        guard isAuthorized(request) else { return .accessDenied }
        if let rate = configuration.pollRate, polls.count(at: now) >= rate.count {
            statistics.refusedPolls += 1
            return .tooManyRequests
        }
        polls.record(at: now)
        let fault = faults.draw(.recordInfo)
        if let answer = fault?.answerInsteadOfRecord { return answer }
        guard let id = request.query["taskId"], !id.isEmpty else { return .fieldRequired }
        guard let task = tasks[TaskID(id)], task.visibleAt <= now else {
            return .error(422, "recordInfo is null")
        }
        tasks[task.id]?.polls += 1
        var answer = SandboxAnswer.success(task.record(at: now, baseURL: baseURL).json)
        if case .answeredFailure(let code, let message) = task.result, task.hasEnded(at: now) {
            answer = .error(code, message)
        }
        answer.isSlow = fault == .pollSlow
        return answer
    }

    mutating func credit(_ request: SandboxRequest) -> SandboxAnswer {
        guard isAuthorized(request) else { return .unauthorized }
        if faults.draw(.credit) != nil { return .serverException }
        return .success(balance.wireText)
    }
}
