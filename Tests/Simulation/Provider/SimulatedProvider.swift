import PromptQueue

/// The provider's side of the wire: makes tasks, bills them, and answers, or does not.
///
/// It lives in true time and remembers everything, whatever becomes of the daemon.
struct SimulatedProvider {
    struct Request {
        var attempt: AttemptID
        var job: JobID
        var model: String
    }

    /// What the server did with a request.
    enum SubmissionReply {
        case made(task: String)
        case refused(Failure)
        /// No answer that tells, whatever was done.
        case garbled(Failure)
    }

    enum PollReply {
        case pending(String)
        case succeeded([TaskOutput], charged: Int64?)
        case failed(Failure, charged: Int64?)
        case notFound
        case failing(Failure)
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

    mutating func create(_ request: Request, _ weather: Weather, at time: Duration) -> SubmissionReply {
        if weather.has(.gatewayError, at: time) {
            if chance.happens(0.5) { _ = make(request, at: time) }
            return .garbled(Failure(.answerLost, "the gateway answered", httpStatus: 502))
        }
        if weather.has(.maintenance, at: time) { return Self.refuse(.providerUnavailable, 455) }
        if weather.has(.serverError, at: time) || chance.happens(faults.singleError) {
            return Self.refuse(.providerUnavailable, 500)
        }
        if weather.has(.rateStorm, at: time), chance.happens(0.9) { return Self.refuse(.rateLimited, 429) }
        if weather.has(.keyRefused, at: time) { return Self.refuse(.keyRefused, 401) }
        if weather.has(.capReached, at: time) { return Self.refuse(.creditsExhausted, 433) }
        if weather.has(.modelOff(request.model), at: time) { return Self.refuse(.modelDisabled, 505) }
        if chance.happens(faults.invalidInput) {
            return chance.pick([
                Self.refuse(.invalidInput, 422), Self.refuse(.modelUnavailable, 404), Self.refuse(.providerFault, 501),
                Self.refuse(.inputUnusable, 451),
            ])
        }
        return make(request, at: time).map { .made(task: $0) } ?? Self.refuse(.creditsExhausted, 402)
    }

    private static func refuse(_ code: FailureCode, _ apiCode: Int) -> SubmissionReply {
        .refused(Failure(code, "refused with \(apiCode)", httpStatus: 200, apiCode: apiCode))
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

    mutating func poll(_ id: String, _ weather: Weather, at time: Duration) -> PollReply {
        if weather.has(.pollsFail, at: time) || chance.happens(faults.pollLost) {
            return .failing(
                chance.happens(0.2)
                    ? Failure(.rateLimited, "too many", apiCode: 429)
                    : Failure(.providerUnavailable, "a fault", apiCode: 500)
            )
        }
        if weather.has(.keyRefused, at: time) { return .failing(Failure(.keyRefused, "no access", apiCode: 401)) }
        guard let task = task(named: id), time >= task.visibleAt, task.vanishesAt.map({ time < $0 }) ?? true else {
            return .notFound
        }
        guard time >= task.endsAt else {
            return .pending(chance.draw([(8, "waiting"), (2, "generating"), (1, "queuing"), (0.2, "pondering")]))
        }
        end(id)
        let charged = task.reportsCharge ? task.bill : nil
        switch task.ending {
        case .success(let outputs):
            return .succeeded(outputs, charged: charged)
        case .empty:
            return chance.happens(0.5)
                ? .succeeded([], charged: charged)
                : .failed(Failure(.emptyResult, "success without a result"), charged: charged)
        case .failure(let isPassing):
            return .failed(
                Failure(isPassing ? .providerFault : .taskFailed, "the task failed", apiCode: 501),
                charged: charged
            )
        }
    }
}
