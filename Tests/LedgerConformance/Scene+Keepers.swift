import PromptQueue

// What the daemon's keepers rest on: of files, schedules and hooks.

extension Scene {
    private func part<Part>(_ type: Part.Type) throws -> Part {
        guard let part = ledger as? Part else {
            throw LedgerConformance.Failure(description: "the ledger is no \(type)")
        }
        return part
    }

    private func found<T>(_ value: T?, _ text: String) throws -> T {
        guard let value else { throw LedgerConformance.Failure(description: "there is no \(text)") }
        return value
    }

    // MARK: - Files

    func filesAreAwaited() async throws {
        let store = try part((any UploadStore).self)
        let reference = "file:///srv/fox.png"
        let input = "{\"image_url\":\"\(reference)\"}"
        let file = UploadedFile(
            sha256: String(repeating: "ab", count: 32),
            bytes: 1,
            contentType: "image/png",
            url: "https://uploads.invalid/1.png",
            uploadedAt: start
        )
        let first = try await place.add("1", input: input)
        let early = try found(try await store.wantedUpload(now: start), "file that is wanted")
        try expect(early.reference, is: reference, "what is wanted")
        let second = try await place.add("2", input: input)
        try await store.recordUpload(early, file)
        try expect(try await claim(9).jobs.isEmpty, "what was read before the second job named it was recorded")
        let failing = try found(try await store.wantedUpload(now: start), "file that is wanted still")
        try await store.deferUpload(failing, message: "502", now: start)
        let wanted = try found(try await store.wantedUpload(now: start), "file that is wanted after a failure")
        try expect(wanted.failingSince != nil, "nobody noted that it fails")
        try await store.recordUpload(wanted, file)
        try expect(try await store.wantedUpload(now: start), is: nil, "what is wanted afterwards")
        try expect(Set(try await claim(9).jobs.map(\.job)), is: [first, second], "what is claimed")
        let kept = try await store.keptUpload(sha256: file.sha256, until: start + .seconds(3_600))
        try expect(kept?.url, is: file.url, "what the provider has")
        let late = try await store.keptUpload(sha256: file.sha256, until: start + .seconds(86_400))
        try expect(late, is: nil, "what the provider has for a day")

        let third = try await place.add("3", input: "{\"image_url\":\"file:///srv/gone.png\"}")
        let gone = try found(try await store.wantedUpload(now: start), "second file that is wanted")
        try await store.recordUploadFailure(gone, message: "it is gone")
        try await expect(third, is: .failed)
        try expect(try await store.usedUploads([reference, "upload:x"]), is: [reference], "what is taken")
    }

    // MARK: - Schedules

    func runsAreAddedOnce() async throws {
        let store = try part((any ScheduleStore).self)
        let due = start - .seconds(60)
        var record = ScheduleRecord(
            name: "hero",
            cron: "* * * * *",
            timeZone: "UTC",
            job: NewJob(prompt: "a fox", model: "flux-2/flex-text-to-image", input: "{}", queue: "default"),
            createdAt: start
        )
        record.nextRunAt = due
        try await place.add(record)
        func step(_ run: Instant) async throws -> ScheduleStep {
            let schedule = try found(try await store.enabledSchedules().first, "schedule")
            var job = schedule.job
            job.uniqueKey = schedule.key(run)
            var step = ScheduleStep(schedule, next: run + .seconds(60), jobs: [job], lastRun: run)
            step.waitsForLast = true
            return step
        }
        let first = try await step(due)
        try expect(first.schedule.nextRunAt, is: due, "when the first run is")
        let outcomes = try await withThrowingTaskGroup(of: ScheduleOutcome.self) { group in
            for _ in 0..<4 { group.addTask { try await store.take(first, now: start) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try expect(outcomes.count { $0 == .changed }, is: 3, "who came too late")
        guard case .done(let jobs)? = outcomes.first(where: { $0 != .changed }), let job = jobs.first else {
            throw LedgerConformance.Failure(description: "the run has no job: \(outcomes)")
        }
        try expect(
            try await store.take(try await step(due + .seconds(60)), now: start),
            is: .waits(job),
            "the second run"
        )
        let waiting = try found(try await store.enabledSchedules().first, "schedule")
        try expect(waiting.lastError, is: LedgerMessages.lastStillWaits(job), "why the second has no job")
        try expect(waiting.lastJob, is: job, "the last job")
        try expect(waiting.lastRunAt, is: due, "the last run")
        // The clock was set back: what has run has its key.
        var again = try await step(due)
        again.waitsForLast = false
        try expect(try await store.take(again, now: start), is: .done([]), "the first run once more")
        try expect(try await claim(9).jobs.map(\.job), is: [job], "what is claimed")
    }

    // MARK: - Hooks

    func hooksAreToldInOrder() async throws {
        let store = try part((any HookStore).self)
        let rules = [HookRule(name: "a", events: Set(HookEvent.choices))]
        _ = try await runOne("task-0")
        try expect(try await store.noteHooks(rules, now: start), is: HookNote(), "the first look")
        let job = try await place.add("bad")
        _ = try await claim(1)
        try await place.retry(job)
        _ = try await claim(1)
        try await record(.gates([GateNote(name: "credits", closedAt: start, reopensAt: nil, message: "m")]))
        try expect(try await store.noteHooks(rules, now: start).made, is: 3, "what has happened")
        try expect(try await store.noteHooks(rules, now: start).made, is: 0, "what has happened since")
        func due() async throws -> [HookDelivery] { try await store.dueDeliveries(to: "a", now: start, limit: 9) }
        let all = try await due()
        try expect(
            all.map(\.event).sorted { $0.rawValue < $1.rawValue },
            is: [.failed, .gateClosed],
            "what is told first"
        )
        let first = try found(all.first { $0.job == job }, "delivery of the job")
        try await store.deliveryEnded(first.id, .failed("no"), next: start + .seconds(60), now: start)
        try expect(try await due().map(\.event), is: [.gateClosed], "what is told while it waits")
        try await store.deliveryEnded(first.id, .delivered, next: start + .seconds(60), now: start)
        let second = try found(try await due().first { $0.job == job }, "second delivery of the job")
        try expect(second.id > first.id, "the order")
        let told = try await store.subject(of: second, now: start)
        try expect(told["id"], is: .integer(job.rawValue), "the job that is told of")
        try expect(told["state"], is: "failed", "its state")
        try await store.deliveryEnded(second.id, .refused("410"), next: nil, now: start)
        let removed = try await store.removeDeliveries(
            delivered: start + .seconds(60),
            dead: Instant(milliseconds: 0),
            limit: 9
        )
        try expect(removed, is: 1, "what is removed")
        try await store.forgetHooks()
    }
}
