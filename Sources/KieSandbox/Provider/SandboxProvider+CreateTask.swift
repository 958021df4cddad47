import PromptQueue

extension SandboxProvider {
    mutating func createTask(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        if faults.draw(.front) == .held {
            hold(request, now: now)
            return .lost
        }
        return receive(request, now: now) { $0.faults.draw(.createTask) }
    }

    /// A held request reaches the API. Its answer goes nowhere.
    mutating func arrive(_ request: SandboxRequest, now: Instant) {
        _ = receive(request, now: now) { _ in .lost }
    }

    private mutating func receive(
        _ request: SandboxRequest,
        now: Instant,
        fault: (inout SandboxProvider) -> Fault?
    ) -> SandboxAnswer {
        statistics.arrivals.record(at: now)
        let answer = admit(request, now: now, fault: fault)
        statistics.createTaskAnswers[answer.label, default: 0] += 1
        return answer
    }

    private mutating func admit(
        _ request: SandboxRequest,
        now: Instant,
        fault draw: (inout SandboxProvider) -> Fault?
    ) -> SandboxAnswer {
        guard isAuthorized(request) else { return .accessDenied }
        if let rate = configuration.rate, admitted.count(at: now) >= rate.count {
            statistics.refusedByRate += 1
            return .tooManyRequests
        }
        let fault = draw(&self)
        // A refused request takes no place in the window, whoever refused it.
        if fault != .tooManyRequests, fault != .tooManyRequestsAsStatus { admitted.record(at: now) }
        if let fault, let answer = fault.answerInsteadOfTask { return answer }
        return distort(makeTask(request, hasDocumentedForm: fault == .documentedForm, now: now), by: fault)
    }

    /// Answers that fail to tell of the task that was made.
    private mutating func distort(_ outcome: TaskOutcome, by fault: Fault?) -> SandboxAnswer {
        var answer = outcome.answer
        switch fault {
        case .lost: answer = .lost
        case .cutBody: answer.delivery = .cut
        case .brokenBody: answer = .broken
        case .gatewayMade: answer = .gateway(504, "Gateway Time-out")
        case .slow:
            answer.isSlow = true
            return answer
        default: return answer
        }
        if let id = outcome.id {
            tasks[id]?.isAnswerLost = true
            statistics.lostAnswers += 1
        }
        return answer
    }

    private struct TaskOutcome {
        var answer: SandboxAnswer
        var id: TaskID?
    }

    private mutating func makeTask(
        _ request: SandboxRequest,
        hasDocumentedForm: Bool,
        now: Instant
    ) -> TaskOutcome {
        guard let body = try? JSONValue(parsing: request.body).objectValue else {
            return TaskOutcome(answer: .error(422, "The request body is not a valid JSON object"))
        }
        guard let name = body["model"]?.stringValue, !name.isEmpty else {
            return TaskOutcome(answer: .fieldRequired)
        }
        guard let model = catalogue.model(named: name) else { return TaskOutcome(answer: .unknownModel) }
        guard let input = body["input"]?.objectValue else { return TaskOutcome(answer: .fieldRequired) }
        // What it cannot fetch it does not charge for.
        if let url = unreachable(in: .object(input), now: now) {
            return TaskOutcome(answer: .error(451, "The file \(url) could not be downloaded"))
        }
        let order: TaskOrder
        switch catalogue.check(input, of: model) {
        case .refused(let answer): return TaskOutcome(answer: answer)
        case .accepted(let accepted): order = accepted
        }
        guard balance >= order.price else { return TaskOutcome(answer: .creditsInsufficient) }

        let id = newID(of: name, hasDocumentedForm: hasDocumentedForm, now: now)
        let callbackURL = body["callBackUrl"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        charge(task(id, order: order, callbackURL: callbackURL, now: now))
        var data = WireObject()
        data.add("taskId", id.rawValue)
        if !hasDocumentedForm { data.add("recordId", id.rawValue) }
        return TaskOutcome(answer: .success(data.json), id: id)
    }

    private mutating func task(
        _ id: TaskID,
        order: TaskOrder,
        callbackURL: String?,
        now: Instant
    ) -> SandboxTask {
        let fault = faults.draw(.task)
        let callbackFault = callbackURL == nil ? nil : faults.draw(.callback)
        var duration = configuration.duration.draw(using: &generator)
        if fault == .slowTask { duration = duration * 20 }
        // Few tasks ever show as `generating`, and those do not from the start.
        let showsGenerating = generator.fraction() < 0.15
        let isInvisible = fault == .invisible && configuration.invisible == .zero
        var param = WireObject()
        param.add("input", JSONValue.object(order.input).json)
        param.add("model", order.model)
        return SandboxTask(
            id: id,
            model: order.model,
            prompt: order.input["prompt"]?.stringValue ?? "",
            param: param.json,
            createdAt: now,
            visibleAt: now + (isInvisible ? .seconds(10) : configuration.invisible),
            generatingAt: showsGenerating ? now + duration / 3 : nil,
            endsAt: fault == .stuck ? nil : now + duration,
            result: fault?.result ?? order.result,
            price: order.price,
            callbackURL: callbackURL,
            fault: fault,
            callbackFault: callbackFault
        )
    }

    /// An id that no other run of the sandbox gives out, even with the same seed: it depends on the time, too.
    private mutating func newID(of model: String, hasDocumentedForm: Bool, now: Instant) -> TaskID {
        if hasDocumentedForm {
            let family = model.split(separator: "/").first ?? ""
            return TaskID("task_\(family)_\(now.milliseconds)\(order.count)")
        }
        let seed = configuration.seed ^ UInt64(truncatingIfNeeded: now.milliseconds) << 20
        var ids = SeededGenerator(seed: seed &+ UInt64(order.count))
        return TaskID(ids.hexadecimalID())
    }
}
