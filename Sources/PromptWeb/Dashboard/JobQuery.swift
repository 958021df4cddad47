import PromptQueue

/// What a page's address asks for: which jobs, and from where on.
struct JobQuery {
    var filter = JobFilter()
    var position = PageRequest.Position.newest
    let fields: FormFields

    /// - Throws: `PageProblem` for what is not understood.
    init(_ fields: FormFields) throws(PageProblem) {
        self.fields = fields
        for name in fields.values("state") where !name.isEmpty {
            guard let state = JobState(rawValue: name) else {
                let states = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("state: \"\(name)\" is not one of \(states)")
            }
            filter.states.insert(state)
        }
        filter.queue = fields["queue"]
        filter.batch = fields["batch"]
        filter.model = fields["model"]
        filter.errorCode = fields["error"]
        filter.uniqueKey = fields["key"]
        for label in fields.values("label") where !label.isEmpty {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains("\"") else {
                throw .badRequest("label: \"\(label)\" is no label; write it like sku=A-1")
            }
            filter.labels[String(parts[0])] = String(parts[1])
        }
        filter.words = fields["search"]?.split(whereSeparator: \.isWhitespace).prefix(20).map(String.init) ?? []
        if let before = try Self.job(fields["before"], "before") { position = .before(before) }
        if let after = try Self.job(fields["after"], "after") { position = .after(after) }
    }

    static func job(_ text: String?, _ name: String) throws(PageProblem) -> JobID? {
        guard let text else { return nil }
        guard let number = Int64(text), number >= 0 else { throw .badRequest("\(name): \"\(text)\" is no job") }
        return JobID(number)
    }
}

/// Why a page or an answer is not the one that was asked for.
struct PageProblem: Error {
    enum Code: String {
        case badRequest = "bad_request"
        case forbidden, unauthorized
        case notFound = "not_found"
        case conflict
        case contentTooLarge = "content_too_large"
        case unsupportedMediaType = "unsupported_media_type"
        case tooManyRequests = "too_many_requests"
        case unavailable, failed
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func badRequest(_ message: String) -> PageProblem { PageProblem(.badRequest, message) }
    static func notFound(_ message: String) -> PageProblem { PageProblem(.notFound, message) }

    /// - Parameter error: whatever was thrown; what is not known is not told to strangers.
    init(_ error: any Error) {
        switch error {
        case let problem as PageProblem: self = problem
        case let error as LedgerError where error.isTransient || error.code == .cancelled:
            self.init(.unavailable, "The database cannot be read just now. Try again in a moment.")
        default: self.init(.failed, "Something went wrong here. promptd's log says what.")
        }
    }
}
