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
                    "objects with unique_key (a job whose key is there already is refused: what is sent twice is paid for once), "
                        + "prompt, model, input, queue, priority, run_at, batch, labels, max_attempts, allow_unknown",
                    items: "object"
                ), .dryRun, .maxCredits,
            ],
            takesKey: true
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
            try await api.pause(changes, body)
        },
        APIAction(
            "resume",
            "Submits the jobs of these queues again.",
            fields: queueFields + [.dryRun, .maxCredits]
        ) { api, changes, body in try await api.resume(changes, body) },
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
        let (outcome, cost) = try await changes.change(dryRun: dryRun) { file in
            let (_, outcome, cost) = try changes.apply(change, chosen, file)
            // What is thrown undoes the change.
            if let most { try Self.check(cost.toPay, most) }
            return (outcome, cost)
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
        let (outcome, cost) = try await changes.change(dryRun: dryRun) { file in
            var chosen = chosen
            if isUncharged {
                guard case .matching(var filter) = chosen else {
                    throw PageProblem.badRequest("uncharged: goes with filter, not with ids.")
                }
                filter.isUncharged = true
                chosen = .matching(filter)
            }
            let ids = try WebChanges.unconfirmed(chosen, file)
            let outcome = try file.resolve(ids, resolution, now: now)
            if let most { try Self.check(outcome.toPay, most) }
            return (outcome, ChangeCost(outcome, .builtIn, PriceBook(), .allow))
        }
        if !dryRun { note("resolve", outcome.changed, outcome.toPay) }
        return .object(cost.object(outcome, dryRun: dryRun))
    }

    private func pause(_ changes: WebChanges, _ body: APIBody) async throws -> JSONValue {
        let result = try await changes.pause(try body.queues())
        dashboard.note("pause", result, by: "program")
        return .object(["paused": true, "queues": .array(result.queues.map { .string($0) })])
    }

    private func resume(_ changes: WebChanges, _ body: APIBody) async throws -> JSONValue {
        let (names, dryRun, most) = (
            try body.queues(), try body.flag("dry_run"), try body.credits("max_credits")
        )
        let now = dashboard.now()
        let (queues, found) = try await changes.change(dryRun: dryRun) { file in
            let queues = try names ?? file.queues().map(\.name)
            let found = try WebChanges.waiting(queues, file, now: now)
            if let most { try Self.check(found.credits, most) }
            for queue in found.queues { try file.setPaused(false, queue: queue.name) }
            return (queues, found)
        }
        if !dryRun {
            var result = ChangeResult(title: "", lines: [])
            (result.queues, result.credits) = (found.queues.map(\.name), found.credits)
            dashboard.note("resume", result, by: "program")
        }
        return .object([
            "dry_run": .bool(dryRun), "paused": .bool(false), "queues": .array(queues.map { .string($0) }),
            "resumed": .array(found.queues.map { .string($0.name) }),
            "to_pay": .integer(Int64(found.queues.reduce(0) { $0 + $1.jobs })),
            "estimated_credits": JSONValue(found.credits), "is_exact": .bool(found.isExact),
        ])
    }

    static func check(_ toPay: Credits, _ most: Credits) throws(PageProblem) {
        guard toPay <= most else {
            throw PageProblem(
                .conflict,
                "It would cost \(toPay.inWords), more than max_credits (\(most.grouped)); nothing was changed"
            )
        }
    }

    func note(_ action: String, _ jobs: Int, _ credits: Credits) {
        var result = ChangeResult(title: "", lines: [])
        (result.jobs, result.credits) = (jobs, credits)
        dashboard.note(action, result, by: "program")
    }
}
