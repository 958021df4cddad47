import HeapModule
package import PromptQueue

/// The provider's behaviour as a value: requests go in with the time they arrive at, answers come out.
///
/// It reads no clock, waits for nothing and draws chance from a seed, so a run can be repeated exactly. Times never go
/// back from one call to the next.
package struct SandboxProvider: Sendable {
    let configuration: SandboxConfiguration
    var catalogue: Catalogue
    /// `http://HOST:PORT` as clients reach the sandbox: the start of every result URL.
    package var baseURL = "http://127.0.0.1"

    var faults: FaultPlan
    var statistics: SandboxStatistics
    var balance: Credits
    /// Requests to `createTask` that the rate limit let through.
    var admitted: SlidingLog
    var polls: SlidingLog
    var tasks: [TaskID: SandboxTask] = [:]
    /// All tasks, the oldest first.
    var order: [TaskID] = []
    /// Uploaded files by their path.
    var uploads: [String: SandboxUpload] = [:]
    /// The other accounts, while a request is answered: whoever knows the URL of a file gets it.
    var others: [SandboxProvider] = []
    /// Charges that go back once their tasks have failed.
    private var refunds = Heap<Refund>()
    /// Requests that are still on their way although nobody waits for them any more.
    private var held = Heap<HeldRequest>()
    private var heldCount = 0
    /// Callbacks to be sent, since last asked.
    private var callbacks: [ScheduledCallback] = []
    var generator: SeededGenerator

    package init(configuration: SandboxConfiguration, catalogue: Catalogue) {
        self.configuration = configuration
        self.catalogue = catalogue
        faults = FaultPlan(rates: configuration.faults, seed: configuration.seed)
        let rateWindow = configuration.rate?.window ?? .seconds(10)
        let pollWindow = configuration.pollRate?.window ?? .seconds(1)
        statistics = SandboxStatistics(rateWindow: rateWindow, pollWindow: pollWindow)
        admitted = SlidingLog(window: rateWindow)
        polls = SlidingLog(window: pollWindow)
        balance = configuration.credits
        generator = SeededGenerator(seed: configuration.seed, purpose: "tasks")
    }

    /// The answer to `request`, which arrives at `now`.
    package mutating func answer(to request: SandboxRequest, now: Instant) -> SandboxAnswer {
        settle(until: now)
        if request.path.hasPrefix("/sandbox/") { return control(request, now: now) }
        guard !request.hasBareUserAgent else { return .blockedByCDN }
        switch (request.method, request.path) {
        case ("POST", "/api/v1/jobs/createTask"): return createTask(request, now: now)
        case ("GET", "/api/v1/jobs/recordInfo"): return recordInfo(request, now: now)
        case ("GET", "/api/v1/chat/credit"): return credit(request)
        case ("POST", "/api/v1/common/download-url"): return downloadURL(request, now: now)
        case ("POST", let path) where SandboxUpload.Form(path: path) != nil: return upload(request, now: now)
        case ("GET", let path) where path.hasPrefix(SandboxUpload.folder): return uploaded(path, now: now)
        case ("GET", let path) where path.hasPrefix("/media/"): return media(request, now: now)
        case ("GET", let path) where path == "/api/v1/models" || path.hasPrefix("/api/v1/models/"):
            return models(request, now: now)
        default: return .error(404, "Not Found", status: 404)
        }
    }

    /// Whether a request is about this account rather than another: by its key, or by what it names.
    func concerns(_ request: SandboxRequest) -> Bool {
        if let key = request.authorization { return key == "Bearer \(configuration.apiKey)" }
        if let key = request.query["account"] { return key == configuration.apiKey }
        if request.path.hasPrefix(SandboxUpload.folder) {
            return uploads[String(request.path.dropFirst(SandboxUpload.folder.count))] != nil
        }
        let parts = request.path.split(separator: "/")
        return parts.count == 3 && parts[0] == "media" && tasks[TaskID(String(parts[1]))] != nil
    }

    func isAuthorized(_ request: SandboxRequest) -> Bool {
        request.authorization == "Bearer \(configuration.apiKey)"
    }

    /// Adds a task and takes its price off the balance.
    mutating func charge(_ task: SandboxTask) {
        balance = balance - task.price
        statistics.charged = statistics.charged + task.price
        statistics.tasksMade += 1
        tasks[task.id] = task
        order.append(task.id)
        guard let endsAt = task.endsAt else { return }
        if task.isRefunded { refunds.insert(Refund(at: endsAt, amount: task.price)) }
        if task.callbackURL != nil, task.callbackFault != .callbackLost {
            callbacks.append(ScheduledCallback(id: task.id, at: endsAt))
        }
    }

    /// How many requests are still on their way.
    var heldRequests: Int { held.count }

    /// Keeps a request back that arrives later than anybody waits.
    mutating func hold(_ request: SandboxRequest, now: Instant) {
        held.insert(HeldRequest(at: now + configuration.held, order: heldCount, request: request))
        heldCount += 1
    }

    /// Lets held requests arrive, and gives back what failed tasks had cost.
    mutating func settle(until now: Instant) {
        while let first = held.min, first.at <= now {
            held.removeMin()
            refund(until: first.at)
            arrive(first.request, now: first.at)
        }
        refund(until: now)
    }

    private mutating func refund(until now: Instant) {
        while let first = refunds.min, first.at <= now {
            refunds.removeMin()
            balance = balance + first.amount
            statistics.refunded = statistics.refunded + first.amount
        }
    }

    /// The callbacks scheduled since the last call.
    package mutating func takeCallbacks() -> [ScheduledCallback] {
        defer { callbacks = [] }
        return callbacks
    }
}

/// A callback that is due when its task ends.
package struct ScheduledCallback: Sendable, Hashable {
    package let id: TaskID
    package let at: Instant
}

/// A request on its way.
private struct HeldRequest: Comparable {
    let at: Instant
    let order: Int
    let request: SandboxRequest

    static func == (left: HeldRequest, right: HeldRequest) -> Bool { left.order == right.order }

    static func < (left: HeldRequest, right: HeldRequest) -> Bool {
        (left.at, left.order) < (right.at, right.order)
    }
}

private struct Refund: Comparable {
    let at: Instant
    let amount: Credits

    static func < (left: Refund, right: Refund) -> Bool {
        (left.at, left.amount) < (right.at, right.amount)
    }
}
