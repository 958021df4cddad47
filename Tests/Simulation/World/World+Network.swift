import KieAPI
import PromptQueue

// What lies between the daemon and the provider.

/// A question about a task, on its way to the server.
struct PollUnderWay {
    var attempt: AttemptID
    var task: TaskID
    var life: Int
    var order: Int64
    /// The limit that held when it was sent.
    var limit: RateLimit
}

extension World {
    // MARK: - createTask

    func send(_ job: ClaimedJob) throws {
        guard try place.ledger.maySend else {
            let failure = Failure(.notSent, "the lease is over")
            return answer(job.attempt, .notSent(failure), in: .milliseconds(1))
        }
        submissions += 1
        trace.note(now, "send", job.attempt.rawValue, job.job.rawValue)
        let lost = Failure(.answerLost, "the connection was lost")
        if weather.has(.refusingConnections, at: now) {
            let failure = Failure(.notSent, "connection refused")
            return answer(job.attempt, .notSent(failure), in: network.milliseconds(1...50))
        }
        if network.happens(plan.faults.lostBefore) {
            return answer(job.attempt, .unknown(lost), in: network.milliseconds(100...30_000))
        }
        var delay = network.milliseconds(30...600)
        var request = SimulatedProvider.Request(
            attempt: job.attempt,
            job: job.job,
            model: job.model
        )
        if hasSeveral, network.happens(0.1) {
            // As long as a request may take.
            delay = network.milliseconds(600...28_000)
            request.isSlow = true
        }
        if network.happens(plan.faults.held) {
            request.isSlow = false
            // Nobody waits for it when it arrives: promptd has given it up after its own 30 s.
            delay = heldFor()
            heldRequests.insert(job.attempt)
            answer(job.attempt, .unknown(Failure(.answerLost, "no answer within 30s")), in: .seconds(30))
        }
        agenda.add(.arrival(request, life: life), at: now + delay)
        if plan.crashAtSubmission.remove(submissions) != nil {
            agenda.add(.crash(life: life), at: now + network.milliseconds(0...1_000))
        }
    }

    private func heldFor() -> Duration {
        guard let together = plan.faults.heldTogether else {
            let seconds = [1, 10, 60, 600, 3_500][network.whole(0...4)]
            return network.milliseconds(500...seconds * 1_000)
        }
        let period = Int64(together) * 1_000
        let soonest = (now + .milliseconds(500)).milliseconds
        return .milliseconds((soonest / period + 1) * period) - now + network.milliseconds(0...200)
    }

    /// A request reaches the server, whether or not anybody still waits for the answer.
    func arrive(_ request: SimulatedProvider.Request, life: Int) throws {
        // What was not through to the provider yet ends with the process.
        if request.isSlow, !daemons.contains(where: { $0.life == life && $0.engine != nil }) { return }
        try checkArrival(request)
        let reply = provider.create(request, weather, at: now)
        let task = provider.task(of: request.attempt)
        trace.note(now, "arrives", request.attempt.rawValue, task?.price ?? -1, text: reply.body)
        if let task { agenda.add(.taskEnds(task.id), at: task.endsAt) }
        guard heldRequests.remove(request.attempt) == nil, givesTurn(to: life) else { return }
        let outcome: SubmissionOutcome =
            network.happens(plan.faults.lostAfter)
            ? .unknown(Failure(.answerLost, "no answer in time"))
            : CreateTaskAnswer.outcome(httpStatus: reply.status, body: reply.bytes)
        let isSlow = network.happens(plan.faults.slowAnswer)
        answer(request.attempt, outcome, in: network.milliseconds(50...(isSlow ? 40_000 : 900)))
    }

    private func answer(_ attempt: AttemptID, _ outcome: SubmissionOutcome, in delay: Duration) {
        later(.answer(.submitted(attempt, outcome)), in: delay)
    }

    /// The provider calls back, perhaps several times, perhaps about nothing.
    func taskEnds(_ id: String) {
        provider.end(id)
        guard let task = provider.task(named: id), task.endsAt <= now else { return }
        trace.note(now, "task ends", task.attempt.rawValue, task.bill)
        guard !weather.has(.callbacksLost, at: now) else { return }
        for _ in 0..<network.whole(0...3) {
            callBack(task.attempt, task.id, in: network.milliseconds(50...20_000))
        }
        if network.happens(plan.faults.forgedHint) {
            let forged = AttemptID(Int64(network.whole(1...max(books.order.count, 1))))
            // Whoever forges one has seen a token. A task that nobody has heard of yet cannot be named.
            let isKnown = [.accepted, .ended].contains(books[task.attempt]?.state)
            let named = isKnown && network.happens(0.5) ? task.id : "no-such-task"
            callBack(forged, named, in: network.milliseconds(0...60_000))
        }
    }

    /// Just when a lost request is about to be given up, the provider tries its callback once more.
    func callBackAtTheLastMoment(_ attempt: AttemptID) {
        guard plan.settings.account.unconfirmedPolicy == .resubmit, let task = provider.task(of: attempt),
            network.happens(0.5)
        else { return }
        callBack(attempt, task.id, in: plan.settings.account.unconfirmedWindow + network.milliseconds(0...8))
    }

    private func callBack(_ attempt: AttemptID, _ task: String, in delay: Duration) {
        let up = daemons.indices.filter { daemons[$0].engine != nil }
        guard !up.isEmpty else { return }
        turn = up.count > 1 ? network.pick(up) : up[0]
        later(.callback(attempt, task: task), in: delay)
    }

    // MARK: - recordInfo

    func ask(_ task: OpenTask) throws {
        try checkAsked(task)
        pollsSent += 1
        let poll = PollUnderWay(
            attempt: task.attempt,
            task: task.task,
            life: life,
            order: pollsSent,
            limit: RateLimit(count: plan.settings.pollsPerSecond, window: .seconds(1))
        )
        agenda.add(.pollArrival(poll), at: now + network.milliseconds(20...300))
    }

    func pollArrives(_ poll: PollUnderWay) throws {
        books.polled(poll.attempt, at: now)
        // How many share the pace is known a moment later.
        if !hasSeveral, let problem = pollArrivals.note(at: now, order: poll.order, limit: poll.limit) {
            throw Violation(.polls, problem)
        }
        let reply = provider.poll(poll.task.rawValue, weather, at: now)
        guard givesTurn(to: poll.life) else { return }
        let outcome = RecordInfoAnswer.answer(httpStatus: reply.status, body: reply.bytes).outcome
        // An answer that is late to come says what was true long before, and holds a poll's slot for a while only.
        let isSlow = network.happens(plan.faults.slowAnswer)
        later(.answer(.polled(poll.attempt, outcome)), in: network.milliseconds(20...(isSlow ? 9_700 : 400)))
    }

    // MARK: - Media and the account

    func fetch(_ download: PendingDownload) {
        let result = download.result
        let delay = network.milliseconds(50...3_000)
        let outcome: DownloadOutcome
        if weather.has(.mediaFull, at: now) {
            outcome = .failed(.local, message: "the disk is full")
        } else if weather.has(.downloadsFail, at: now) || network.happens(plan.faults.downloadPasses) {
            outcome = .failed(.passing, message: "the server answered 503")
        } else if isMissing(result) {
            outcome = .failed(network.happens(0.2) ? .refused : .gone, message: "the server answered 404")
        } else {
            fetched.insert(download.output)
            outcome = .saved(
                SavedFile(
                    path: ResultName(.standard, NameFields(download)).candidates(extension: "png")[0],
                    contentType: "image/png",
                    bytes: 1,
                    sha256: String(repeating: "0", count: 64)
                )
            )
        }
        later(.answer(.downloaded(result, outcome)), in: delay)
    }

    private func isMissing(_ result: ResultID) -> Bool {
        if missing[result] == nil { missing[result] = network.happens(plan.faults.downloadGone) }
        return missing[result] ?? false && !hasSettled
    }

    func readBalance() {
        let isOut =
            weather.has(.refusingConnections, at: now) || weather.has(.serverError, at: now)
            || weather.has(.gatewayError, at: now)
        let event: EngineEvent
        if weather.has(.keyRefused, at: now) {
            event = .balanceUnknown(Failure(.keyRefused, "refused"))
        } else if isOut {
            event = .balanceUnknown(Failure(.providerUnavailable, "out"))
        } else {
            event = .balance(Credits(millicredits: provider.balance))
        }
        later(.answer(event), in: network.milliseconds(50...500))
    }
}
