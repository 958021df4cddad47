import PromptQueue

extension SandboxProvider {
    /// The sandbox's own endpoints, for tests and demonstrations. They need no key.
    mutating func control(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        switch (request.method, request.path) {
        case ("GET", "/sandbox/stats"): .control(statisticsJSON(now: now))
        case ("GET", "/sandbox/tasks"): .control(tasksJSON(now: now))
        case ("GET", "/sandbox/faults"): .control(faultsJSON)
        case ("POST", "/sandbox/faults"): switchFaults(request)
        case ("POST", "/sandbox/credits"): addCredits(request)
        case ("POST", "/sandbox/models"): changeModel(request, now: now)
        default: .control(#"{"error":"no such endpoint"}"#, status: 404)
        }
    }

    private func statisticsJSON(now: Instant) -> String {
        var states: [String: Int] = ["made": statistics.tasksMade, "running": 0, "succeeded": 0, "failed": 0]
        for task in tasks.values {
            let name =
                switch task.state(at: now) {
                case .waiting, .generating: "running"
                case .success: "succeeded"
                case .fail: "failed"
                }
            states[name, default: 0] += 1
        }
        var credits = WireObject()
        credits.add("initial", configuration.credits)
        credits.add("added", statistics.added)
        credits.add("charged", statistics.charged)
        credits.add("refunded", statistics.refunded)
        credits.add("consumed", statistics.charged - statistics.refunded)
        credits.add("balance", balance)

        var createTask = WireObject()
        createTask.add("arrivals", statistics.createTaskAnswers.values.reduce(0, +))
        createTask.add("mostInWindow", statistics.arrivals.most)
        createTask.add("mostAdmittedInWindow", admitted.most)
        createTask.add("windowMilliseconds", Int(admitted.window.milliseconds))
        createTask.add("refusedByRate", statistics.refusedByRate)
        createTask.add("lostAnswers", statistics.lostAnswers)
        createTask.add("held", heldRequests)
        createTask.add("answers", counts: statistics.createTaskAnswers)

        var recordInfo = WireObject()
        recordInfo.add("arrivals", statistics.polls)
        recordInfo.add("mostInWindow", statistics.pollArrivals.most)
        recordInfo.add("windowMilliseconds", Int(polls.window.milliseconds))
        recordInfo.add("refusedByRate", statistics.refusedPolls)
        recordInfo.add("answers", counts: statistics.recordInfoAnswers)

        var object = WireObject()
        object.add("tasks", counts: states)
        object.add("credits", json: credits.json)
        object.add("createTask", json: createTask.json)
        object.add("recordInfo", json: recordInfo.json)
        object.add(
            "media",
            counts: [
                "requests": statistics.mediaRequests, "served": statistics.mediaServed, "parts": statistics.mediaParts,
            ]
        )
        object.add("uploads", counts: ["requests": statistics.uploads, "bytes": statistics.uploadedBytes])
        object.add(
            "callbacks",
            counts: [
                "attempts": statistics.callbackAttempts, "delivered": statistics.callbacksDelivered,
                "failed": statistics.callbacksFailed,
            ]
        )
        object.add("faults", counts: Dictionary(faults.counts.map { ($0.key.rawValue, $0.value) }) { $1 })
        return object.json
    }

    /// All tasks, the oldest first.
    private func tasksJSON(now: Instant) -> String {
        let list = order.compactMap { tasks[$0] }.map { task in
            var object = WireObject()
            object.add("taskId", task.id.rawValue)
            object.add("model", task.model)
            object.add("prompt", String(task.prompt.prefix(60)))
            object.add("state", task.state(at: now).rawValue)
            object.add("price", task.price)
            object.add("creditsConsumed", task.creditsConsumed(at: now))
            object.add("createTime", task.createdAt)
            object.add("completeTime", task.hasEnded(at: now) ? task.endsAt : nil)
            object.add("callBackUrl", task.callbackURL)
            object.add("answerLost", task.isAnswerLost)
            object.add("polls", task.polls)
            object.add("fault", task.fault?.rawValue)
            return object.json
        }
        return #"{"tasks":[\#(list.joined(separator: ","))]}"#
    }

    private var faultsJSON: String {
        var rates = WireObject()
        for (fault, rate) in faults.rates.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            rates.add(fault.rawValue, json: "\(rate)")
        }
        var object = WireObject()
        object.add("rates", json: rates.json)
        object.add("counts", counts: Dictionary(faults.counts.map { ($0.key.rawValue, $0.value) }) { $1 })
        return object.json
    }

    /// `{"lost":0.1,"fail":"5%"}` sets rates, `{"next":["429","ok","500"]}` lists what comes next, `{"clear":true}` ends
    /// all faults first. All or nothing.
    private mutating func switchFaults(_ request: SandboxRequest) -> SandboxAnswer {
        guard var members = try? JSONValue(parsing: request.body).objectValue else {
            return .controlError("the body must be a JSON object")
        }
        var changed = faults
        if members.removeValue(forKey: "clear")?.boolValue == true { changed.clear() }
        let listed = members.removeValue(forKey: "next") ?? .array([])
        guard let names = listed.arrayValue?.map(\.stringValue) else {
            return .controlError("next must be a list of names")
        }
        for name in names {
            guard let name else { return .controlError("next must be a list of names") }
            let fault = Fault(rawValue: name)
            guard fault != nil || name == "ok" else { return .controlError(FaultRate.unknown(name)) }
            changed.append(fault, to: fault?.stage ?? .createTask)
        }
        for (name, value) in members {
            guard let fault = Fault(rawValue: name) else { return .controlError(FaultRate.unknown(name)) }
            guard let rate = FaultRate.rate(value.stringValue ?? value.json) else {
                return .controlError("\(name): the rate must be from 0 to 1, or a percentage")
            }
            changed.setRate(of: fault, to: rate)
        }
        faults = changed
        return .control(faultsJSON)
    }

    /// `{"model":"flux-3/text-to-image","taskType":["text-to-image"],"pricingDesc":"12 credits per image","input":{…}}` adds
    /// or changes a model, `input` being the JSON schema of its fields; `{"model":"z-image","listed":false}` takes it off the list.
    private mutating func changeModel(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        guard let members = try? JSONValue(parsing: request.body).objectValue, let name = members["model"]?.stringValue,
            ProviderModel.isName(name)
        else {
            return .controlError("the body must be a JSON object with the name of a `model`")
        }
        let known = catalogue.model(named: name)
        let model = ProviderModel(
            name: name,
            isListed: members["listed"]?.boolValue ?? true,
            title: members["title"]?.stringValue ?? known?.title,
            taskTypes: members["taskType"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            pricing: members["pricingDesc"]?.stringValue ?? known?.pricing,
            inputSchema: members["input"]?.objectValue,
            readAt: max(now, Catalogue.builtInDate)
        )
        catalogue = catalogue.with([model])
        return .control(#"{"models":\#(catalogue.models.values.count(where: \.isDocumented))}"#)
    }

    /// `{"add":100}`
    private mutating func addCredits(_ request: SandboxRequest) -> SandboxAnswer {
        guard let amount = try? JSONValue(parsing: request.body).objectValue?["add"]?.doubleValue,
            let credits = Credits(amount)
        else {
            return .controlError("the body must be a JSON object with a number `add`")
        }
        balance = balance + credits
        statistics.added = statistics.added + credits
        var object = WireObject()
        object.add("balance", balance)
        return .control(object.json)
    }
}
