import PromptQueue

extension API {
    func add(_ changes: WebChanges, _ body: APIBody) async throws -> JSONValue {
        let list = try body.list("jobs") ?? []
        guard !list.isEmpty else { throw PageProblem.badRequest("jobs: holds none") }
        try WebChanges.checkCount(list.count)
        let (dryRun, most, now) = (try body.flag("dry_run"), try body.credits("max_credits"), dashboard.now())
        let requests = try Self.requests(list, body.repeatKey)
        let found = try await changes.change(dryRun: dryRun) { file in
            let taken = try Self.taken(requests, file)
            if body.repeatKey != nil, !taken.isEmpty {
                // Some of them, or others than these, were never one request.
                guard taken.count == requests.count else { throw PageProblem.usedKey(taken[0].key, taken[0].job.id) }
                for (request, found) in zip(requests, taken) where !request.job.isLike(found.job) {
                    throw PageProblem.usedKey(found.key, found.job.id)
                }
                return Added(
                    ids: taken.map(\.job.id),
                    cost: AddedCost([], before: try file.status(), now: now),
                    taken: taken
                )
            }
            let status = try file.status()
            var jobs: [NewJob] = []
            for (index, request) in requests.enumerated() {
                var (job, problems) = try changes.job(request.job, status, file)
                guard job != nil, problems.isEmpty else {
                    throw PageProblem.badRequest(problems.map { "jobs[\(index)]: \($0)" }.joined(separator: "; "))
                }
                job?.uniqueKey = request.uniqueKey
                jobs += [job].compactMap(\.self)
            }
            let cost = AddedCost(jobs, before: status, now: now)
            if let most { try Self.check(cost.price.total, most) }
            return Added(ids: dryRun ? [] : try file.add(jobs, now: now), cost: cost, taken: taken)
        }
        let isRepeat = body.repeatKey != nil && !found.taken.isEmpty
        var object = found.cost.object
        object["dry_run"] = .bool(dryRun)
        object["already"] = .bool(isRepeat)
        object["ids"] = .array(found.ids.map { .integer($0.rawValue) })
        object["taken"] = .array(
            found.taken.map { .object(["unique_key": .string($0.key), "id": .integer($0.job.id.rawValue)]) }
        )
        if !dryRun, !isRepeat { note("add", found.ids.count, found.cost.price.total) }
        return .object(object)
    }

    private struct Added {
        let ids: [JobID]
        let cost: AddedCost
        let taken: [Taken]
    }

    /// A key that a job has already.
    private struct Taken {
        let key: String
        let job: JobRecord
    }

    private static func requests(_ list: [JSONValue], _ repeatKey: RepeatKey?) throws(PageProblem) -> [JobRequest.Keyed]
    {
        var (requests, keys): ([JobRequest.Keyed], Set<String>) = ([], [])
        for (index, item) in list.enumerated() {
            guard let object = item.objectValue else { throw .badRequest("jobs[\(index)]: is no object") }
            var request = try JobRequest.read(object, "jobs[\(index)]")
            request.uniqueKey = request.uniqueKey ?? repeatKey?.uniqueKey(index)
            if let key = request.uniqueKey, !keys.insert(key).inserted {
                throw .badRequest("jobs[\(index)]: unique_key \(key) stands there twice")
            }
            requests.append(request)
        }
        return requests
    }

    private static func taken(_ requests: [JobRequest.Keyed], _ file: any QueueClient) throws -> [Taken] {
        var taken: [Taken] = []
        for key in requests.compactMap(\.uniqueKey) {
            var filter = JobFilter()
            filter.uniqueKey = key
            try file.forEachJob(matching: filter, limit: 1) { taken.append(Taken(key: key, job: $0)) }
        }
        return taken
    }
}

extension PageProblem {
    fileprivate static func usedKey(_ key: String, _ job: JobID) -> PageProblem {
        PageProblem(
            .conflict,
            "Idempotency-Key: was sent with other jobs before, or their keys are taken: job \(job) has the key \(key)"
        )
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

    /// Whether a job is what this asks for; what was removed from it cannot be compared.
    fileprivate func isLike(_ other: JobRecord) -> Bool {
        guard model == other.model, queue == other.queue, batch == other.batch else { return false }
        return other.prunedAt != nil || prompts == [other.prompt] && input == parsed(other.input).objectValue
    }

    /// A job of a program's body, and the key that it asks for.
    struct Keyed {
        let job: JobRequest
        var uniqueKey: String?
    }

    static func read(_ object: JSONObject, _ place: String) throws(PageProblem) -> Keyed {
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
