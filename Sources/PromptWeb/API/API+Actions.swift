import PromptQueue

extension API {
    /// Everything that can be done; the document that describes it is made of the same list.
    static let actions: [APIAction] = [
        APIAction(
            "jobs",
            "Adds jobs, all or none of them, each checked against the catalogue.",
            fields: [
                APIField(
                    "jobs",
                    "array",
                    "objects with prompt, model, input, queue, priority, run_at, unique_key, batch, labels, max_attempts, "
                        + "allow_unknown",
                    items: "object"
                ), .dryRun, .maxCredits,
            ]
        ) { api, changes, body in try await api.add(changes, body) },
        APIAction(
            "retry",
            "Queues failed jobs again, and cancelled ones by their ids or with the state cancelled.",
            fields: APIField.chosen + [.dryRun, .maxCredits]
        ) { api, changes, body in try await api.change(.retry, "retry", changes, body) },
        APIAction(
            "cancel",
            "Cancels jobs that have not ended; what runs at the provider stays charged.",
            fields: APIField.chosen + [.dryRun]
        ) { api, changes, body in try await api.change(.cancel, "cancel", changes, body) },
        APIAction(
            "resolve",
            "Settles unconfirmed jobs, by one of task, resubmit and fail.",
            fields: APIField.chosen + [
                APIField("task", "string", "the provider has made this task: follow it; for one job"),
                APIField("unchecked", "boolean", "take task as it is, without asking the provider"),
                APIField("resubmit", "boolean", "there is no task: send the request again"),
                APIField(
                    "uncharged",
                    "boolean",
                    "only those of whose request the balance shows no charge; with filter"
                ),
                APIField("fail", "boolean", "give the jobs up; what was reserved counts as spent"),
                .dryRun, .maxCredits,
            ]
        ) { api, changes, body in try await api.resolve(changes, body) },
        APIAction("pause", "Submits nothing more of these queues.", fields: queueFields) { api, changes, body in
            try await api.setPaused(true, changes, body)
        },
        APIAction("resume", "Submits the jobs of these queues again.", fields: queueFields) { api, changes, body in
            try await api.setPaused(false, changes, body)
        },
    ]

    private static let queueFields = [
        APIField("queues", "array", "their names", items: "string"),
        APIField("all", "boolean", "all that there are, instead of queues"),
    ]

    private func change(
        _ change: JobChange,
        _ name: String,
        _ changes: WebChanges,
        _ body: APIBody
    ) async throws -> JSONValue {
        let (chosen, dryRun, most) = (try body.chosen(), try body.flag("dry_run"), try body.credits("max_credits"))
        let (outcome, cost) = try await changes.change { file in
            func apply(dryRun: Bool) throws -> ChangeOutcome {
                switch chosen {
                case .ids(let ids): try file.apply(change, to: ids, dryRun: dryRun)
                case .matching(let filter): try file.apply(change, matching: filter, dryRun: dryRun)
                }
            }
            if let most { try Self.check(try changes.cost(try apply(dryRun: true), file).toPay, most) }
            let outcome = try apply(dryRun: dryRun)
            return (outcome, try changes.cost(outcome, file))
        }
        if !dryRun { note(name, outcome.changed, cost.toPay) }
        return .object(cost.object(outcome, dryRun: dryRun))
    }

    private func resolve(_ changes: WebChanges, _ body: APIBody) async throws -> JSONValue {
        let (task, dryRun, most) = (
            try body.text("task"), try body.flag("dry_run"), try body.credits("max_credits")
        )
        let (resubmit, fail) = (try body.flag("resubmit"), try body.flag("fail"))
        guard [task != nil, resubmit, fail].count(where: \.self) == 1 else {
            throw PageProblem.badRequest("Say what became of it, by one of task, resubmit and fail.")
        }
        let chosen = try body.chosen()
        if let task {
            guard case .ids(let ids) = chosen, ids.count == 1, !task.isEmpty else {
                throw PageProblem.badRequest("task: is the task of one job; give its id.")
            }
            if try !body.flag("unchecked"), case .notFound = try await changes.check(TaskID(task), for: ids[0]) {
                throw PageProblem(.conflict, "task \(task): the provider does not know it")
            }
        }
        let isUncharged = try body.flag("uncharged")
        let resolution: Resolution = task.map { .task(TaskID($0)) } ?? (resubmit ? .resubmit : .fail)
        let now = dashboard.now()
        let (outcome, cost) = try await changes.change { file in
            let ids: [JobID]
            switch chosen {
            case .ids(let jobs):
                if isUncharged { throw PageProblem.badRequest("uncharged: goes with filter, not with ids.") }
                ids = jobs
            case .matching(var filter):
                filter.isUncharged = isUncharged
                ids = try file.unconfirmed(matching: filter)
            }
            if let most { try Self.check(try file.resolve(ids, resolution, now: now, dryRun: true).toPay, most) }
            let outcome = try file.resolve(ids, resolution, now: now, dryRun: dryRun)
            return (outcome, ChangeCost(outcome, .builtIn, PriceBook(), .allow))
        }
        if !dryRun { note("resolve", outcome.changed, outcome.toPay) }
        return .object(cost.object(outcome, dryRun: dryRun))
    }

    private func add(_ changes: WebChanges, _ body: APIBody) async throws -> JSONValue {
        let list = try body.list("jobs") ?? []
        guard !list.isEmpty else { throw PageProblem.badRequest("jobs: holds none") }
        try WebChanges.checkCount(list.count)
        let (dryRun, most, now) = (try body.flag("dry_run"), try body.credits("max_credits"), dashboard.now())
        let (ids, cost) = try await changes.change { file in
            let status = try file.status()
            var jobs: [NewJob] = []
            for (index, item) in list.enumerated() {
                guard let object = item.objectValue else {
                    throw PageProblem.badRequest("jobs[\(index)]: is no object")
                }
                let request = try JobRequest.read(object, "jobs[\(index)]")
                var (job, problems) = try changes.job(request.job, status, file)
                guard job != nil, problems.isEmpty else {
                    throw PageProblem.badRequest(problems.map { "jobs[\(index)]: \($0)" }.joined(separator: "; "))
                }
                job?.uniqueKey = request.uniqueKey
                jobs += [job].compactMap(\.self)
            }
            let cost = AddedCost(jobs, before: status, now: now)
            if let most { try Self.check(cost.price.total, most) }
            return (dryRun ? [] : try file.add(jobs, now: now), cost)
        }
        var object = cost.object
        object["dry_run"] = .bool(dryRun)
        object["ids"] = .array(ids.map { .integer($0.rawValue) })
        if !dryRun { note("add", ids.count, cost.price.total) }
        return .object(object)
    }

    private func setPaused(_ isPaused: Bool, _ changes: WebChanges, _ body: APIBody) async throws -> JSONValue {
        let all = try body.flag("all")
        let names = try body.texts("queues") ?? []
        guard all != !names.isEmpty else { throw PageProblem.badRequest("Give queues, or all.") }
        let queues = all ? try await dashboard.source.read { try $0.queues() }.map(\.name) : names
        let result = try await changes.setPaused(isPaused, queues)
        dashboard.note(isPaused ? "pause" : "resume", result, by: "program", queues: queues)
        return .object(["paused": .bool(isPaused), "queues": .array(queues.map { .string($0) })])
    }

    private static func check(_ toPay: Credits, _ most: Credits) throws(PageProblem) {
        guard toPay <= most else {
            throw PageProblem(
                .conflict,
                "It would cost \(toPay.inWords), more than max_credits (\(most.grouped)); nothing was changed"
            )
        }
    }

    private func note(_ action: String, _ jobs: Int, _ credits: Credits) {
        var result = ChangeResult(title: "", lines: [])
        (result.jobs, result.credits) = (jobs, credits)
        dashboard.note(action, result, by: "program")
    }
}

extension WebChanges {
    /// A job as it will be added, or what is wrong with it.
    func job(
        _ request: JobRequest,
        _ status: StatusRecord,
        _ file: any QueueReader
    ) throws -> (job: NewJob?, problems: [String]) {
        let checked = request.checked(status.catalogue, status.prices, unknownModels: unknownModels())
        guard let job = checked.jobs.first else { return (nil, checked.problems) }
        return (job, try ReferenceCheck(catalogue: status.catalogue, file: file).problems(of: job))
    }
}

extension JobRequest {
    private static let fields = [
        "prompt", "model", "input", "queue", "priority", "run_at", "unique_key", "batch", "labels", "max_attempts",
        "allow_unknown",
    ]

    /// A job of a program's body, and the key that it asks for.
    fileprivate struct Keyed {
        let job: JobRequest
        let uniqueKey: String?
    }

    fileprivate static func read(_ object: JSONObject, _ place: String) throws(PageProblem) -> Keyed {
        for name in object.keys.sorted() where !fields.contains(name) {
            throw .badRequest("\(place): \(name) is no field of a job; there are \(fields.joined(separator: ", "))")
        }
        let body = APIBody(object)
        var request = JobRequest(prompts: [try body.text("prompt")], model: try body.text("model") ?? defaultModel)
        request.input = try body.object("input") ?? [:]
        request.queue = try body.text("queue") ?? request.queue
        request.priority = try body.integer("priority") ?? 0
        if let text = try body.text("run_at") {
            guard let instant = Instant(iso8601: text) else {
                throw .badRequest("\(place): run_at: \"\(text)\" is no instant; write it like 2026-12-24T18:00Z")
            }
            request.runAt = instant
        }
        request.batch = try body.text("batch")
        request.labels = try body.object("labels").map { JSONValue.object($0).json }
        request.allowsUnknownFields = try body.flag("allow_unknown")
        if let attempts = try body.integer("max_attempts") {
            guard (1...20).contains(attempts) else {
                throw .badRequest("\(place): max_attempts: is not within 1 to 20")
            }
            request.maxAttempts = Int(clamping: attempts)
        }
        return Keyed(job: request, uniqueKey: try body.text("unique_key"))
    }
}
