import PromptQueue

/// The provider's side of the wire: makes tasks, bills them, and answers, or does not.
///
/// It lives in true time and remembers everything, whatever becomes of the daemon.
struct SimulatedProvider {
    struct Request {
        var attempt: AttemptID
        var job: JobID
        var model: String
        /// Whether it takes seconds to get through.
        var isSlow = false
    }

    private(set) var tasks: [SimulatedTask] = []
    private var byID: [String: Int] = [:]
    private var byAttempt: [AttemptID: Int] = [:]
    private var byJob: [JobID: [Int]] = [:]
    private(set) var balance: Int64
    /// What came in and is not spent: must always be what the tasks have left over.
    private var received: Int64
    private var chance: Chance
    var faults: Plan.Faults

    init(_ plan: Plan) {
        balance = plan.startingBalance
        received = plan.startingBalance
        faults = plan.faults
        chance = Chance(seed: plan.seed, purpose: "provider")
    }

    func task(of attempt: AttemptID) -> SimulatedTask? { byAttempt[attempt].map { tasks[$0] } }

    func task(named id: String) -> SimulatedTask? { byID[id].map { tasks[$0] } }

    func tasks(of job: JobID) -> [SimulatedTask] { (byJob[job] ?? []).map { tasks[$0] } }

    mutating func topUp(_ amount: Int64) {
        balance += amount
        received += amount
    }

    /// Whether the account adds up.
    var isBalanced: Bool {
        received - tasks.reduce(0) { $0 + ($1.hasEnded ? $1.bill : $1.price) } == balance
    }

    // MARK: - createTask

    mutating func create(_ request: Request, _ weather: Weather, at time: Duration) -> WireAnswer {
        if weather.has(.gatewayError, at: time) {
            if chance.happens(0.5) { _ = make(request, at: time) }
            return .page(502)
        }
        if weather.has(.maintenance, at: time) { return .refused(455, &chance) }
        if weather.has(.serverError, at: time) || chance.happens(faults.singleError) { return .refused(500, &chance) }
        if weather.has(.rateStorm, at: time), chance.happens(0.9) { return .refused(429, &chance) }
        if weather.has(.keyRefused, at: time) { return .refused(401, &chance) }
        if weather.has(.capReached, at: time) { return .refused(433, &chance) }
        if weather.has(.modelOff(request.model), at: time) { return .refused(505, &chance) }
        if chance.happens(faults.invalidInput) { return .refused(chance.pick([422, 404, 501, 451]), &chance) }
        guard let task = make(request, at: time) else { return .refused(402, &chance) }
        return chance.happens(faults.oddAnswer) ? .odd(task, &chance) : .created(task, &chance)
    }

    /// Makes and bills a task; nil if the account cannot pay.
    private mutating func make(_ request: Request, at time: Duration) -> String? {
        var price = Prices.listed(request.model) ?? Int64(chance.whole(1...60)) * 1_000
        if chance.happens(faults.oddCharge) { price = price * Int64(chance.pick([0, 50, 90, 110, 150, 300])) / 100 }
        guard balance >= price else { return nil }
        balance -= price
        let id = "task-\(tasks.count + 1)"
        let length: Duration =
            chance.happens(faults.dayTask)
            ? .seconds(chance.whole(40_000...90_000))
            : chance.happens(faults.slowTask)
                ? .seconds(chance.whole(300...4_000)) : chance.milliseconds(500...60_000)
        let vanishes = chance.happens(faults.vanishes)
        let task = SimulatedTask(
            id: id,
            attempt: request.attempt,
            job: request.job,
            price: price,
            createdAt: time,
            visibleAt: time + (chance.happens(faults.hidden) ? chance.milliseconds(0...90_000) : .zero),
            endsAt: time + length,
            vanishesAt: vanishes ? time + chance.part(of: length) : nil,
            resultAt: time + length + (chance.happens(faults.lateResult) ? chance.milliseconds(500...180_000) : .zero),
            ending: ending(id),
            reportsCharge: !chance.happens(faults.chargeUnreported),
            refunds: !chance.happens(faults.noRefund)
        )
        byID[id] = tasks.count
        byAttempt[request.attempt] = tasks.count
        byJob[request.job, default: []].append(tasks.count)
        tasks.append(task)
        return id
    }

    private mutating func ending(_ id: String) -> SimulatedTask.Ending {
        if chance.happens(faults.taskFails) { return .failure(isPassing: chance.happens(0.6)) }
        if chance.happens(faults.emptyResult) { return .empty }
        if chance.happens(0.05) { return .success([.object(json: "{\"text\":\"\(id)\"}")]) }
        let count = chance.happens(0.2) ? chance.whole(2...6) : 1
        return .success((0..<count).map { .file(url: "https://media.example/\(id)/\($0).png") })
    }

    /// The task is over: a failure may be given back.
    mutating func end(_ id: String) {
        guard let index = byID[id], !tasks[index].hasEnded else { return }
        tasks[index].hasEnded = true
        balance += tasks[index].price - tasks[index].bill
    }

    // MARK: - recordInfo

    mutating func poll(_ id: String, _ weather: Weather, at time: Duration) -> WireAnswer {
        if weather.has(.pollsFail, at: time) || chance.happens(faults.pollLost) { return .lostPoll(&chance) }
        if weather.has(.keyRefused, at: time) { return .refused(401, &chance) }
        guard let task = task(named: id), time >= task.visibleAt, task.vanishesAt.map({ time < $0 }) ?? true else {
            return chance.pick([.api(422, "recordInfo is null"), .api(404, "Task not found")])
        }
        guard time >= task.endsAt else {
            let state = chance.draw([(8, "waiting"), (2, "generating"), (1, "queuing"), (0.2, "pondering")])
            return .record(state, charged: task.reportsCharge ? task.price : nil)
        }
        end(id)
        let charged = task.reportsCharge ? task.bill : nil
        switch task.ending {
        case .success(let outputs):
            return .record("success", result: time < task.resultAt ? "" : WireAnswer.result(outputs), charged: charged)
        case .empty:
            return .record("success", result: chance.pick(["", "{}", #"{"resultUrls":[]}"#]), charged: charged)
        case .failure(let isPassing):
            return .record("fail", charged: charged, fail: isPassing ? ("500", "internal error") : ("400", "no"))
        }
    }
}
