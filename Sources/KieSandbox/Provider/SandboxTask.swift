import PromptQueue

/// A task at the sandbox. Everything about it is settled when it is made; how it stands follows from the time.
struct SandboxTask: Sendable {
    enum State: String {
        case waiting
        case generating
        case success
        case fail
    }

    enum Result: Sendable {
        case files(ResultMedia)
        case text(String)
        /// Success, and nothing to show for it.
        case nothing
        case failure(code: String, message: String)
        /// The failure shows as an error of `recordInfo` itself.
        case answeredFailure(code: Int, message: String)
    }

    let id: TaskID
    let model: String
    let prompt: String
    /// `{"input":"…","model":"…"}`, the input as JSON text within the JSON text.
    let param: String
    let createdAt: Instant
    /// `recordInfo` knows the task from then on.
    let visibleAt: Instant
    /// The task shows as `generating` from then on, if ever.
    let generatingAt: Instant?
    /// `nil`: never.
    let endsAt: Instant?
    let result: Result
    /// What was charged when the task was made.
    let price: Credits
    let callbackURL: String?
    /// What goes wrong with the task.
    let fault: Fault?
    let callbackFault: Fault?
    /// Whether the client was never told the task's id.
    var isAnswerLost = false
    /// How often `recordInfo` was asked about the task.
    var polls = 0

    func state(at now: Instant) -> State {
        if let endsAt, endsAt <= now { return isFailing ? .fail : .success }
        if let generatingAt, generatingAt <= now { return .generating }
        return .waiting
    }

    func hasEnded(at now: Instant) -> Bool {
        endsAt.map { $0 <= now } ?? false
    }

    var isFailing: Bool {
        switch result {
        case .files, .text, .nothing: false
        case .failure, .answeredFailure: true
        }
    }

    var isRefunded: Bool { isFailing && fault != .failCharged }

    func creditsConsumed(at now: Instant) -> Credits {
        isRefunded && hasEnded(at: now) ? .zero : price
    }

    /// The `data` of `recordInfo`, and of a callback with `updateTime`.
    func record(at now: Instant, baseURL: String, isCallback: Bool = false) -> WireObject {
        let hasEnded = hasEnded(at: now)
        let failure = hasEnded ? failure : nil
        let consumed = fault == .creditsUnreported ? nil : creditsConsumed(at: now)
        let state = !hasEnded && fault == .oddState ? "moderating" : state(at: now).rawValue
        let isOldForm = isCallback && callbackFault == .callbackOldForm

        var record = WireObject()
        record.add(isOldForm ? "task_id" : "taskId", id.rawValue)
        record.add("model", model)
        record.add("state", state)
        record.add("param", param)
        record.add("resultJson", hasEnded ? resultJSON(baseURL: baseURL) : "")
        record.add("failCode", failure?.code)
        record.add("failMsg", failure?.message)
        record.add("costTime", endsAt.flatMap { hasEnded ? Int((($0 - createdAt).seconds).rounded()) : nil })
        record.add("completeTime", hasEnded ? endsAt : nil)
        record.add("createTime", createdAt)
        if isCallback { record.add("updateTime", endsAt) }
        record.add(isOldForm ? "consumeCredits" : "creditsConsumed", consumed)
        return record
    }

    private var failure: (code: String, message: String)? {
        switch result {
        case .failure(let code, let message): (code, message)
        case .answeredFailure(let code, let message): (String(code), message)
        case .files, .text, .nothing: nil
        }
    }

    private func resultJSON(baseURL: String) -> String {
        var object = WireObject()
        switch result {
        case .files(let media):
            object.add(
                "resultUrls",
                (0..<media.count).map { "\(baseURL)/media/\(id.rawValue)/\($0).\(media.fileExtension)" }
            )
            guard let frames = media.frames else { break }
            for name in ResultMedia.frameNames {
                object.add("\(name)Url", ["\(baseURL)/media/\(id.rawValue)/\(name).\(frames.fileExtension)"])
            }
        case .text(let text):
            var content = WireObject()
            content.add("text", text)
            object.add("resultObject", json: content.json)
        case .nothing:
            object.add("resultUrls", [])
        case .failure, .answeredFailure:
            return ""
        }
        return object.json
    }
}
