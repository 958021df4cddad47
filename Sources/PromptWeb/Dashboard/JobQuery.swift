import PromptQueue

/// What a page's address asks for: which jobs, and from where on.
struct JobQuery {
    var filter = JobFilter()
    var position = PageRequest.Position.newest
    let fields: FormFields

    private static let names = ["state", "queue", "batch", "model", "label", "search", "error", "key"]
    private static let mostWords = 20

    /// - Parameter isExact: whether jobs are to be changed by it, or a program asks: a field without a value is then a mistake, which
    ///   would make more jobs be meant. A form of a browser sends all its fields.
    /// - Throws: `PageProblem` for what is not understood.
    init(_ fields: FormFields, isExact: Bool = false) throws(PageProblem) {
        guard !fields.hasNull else { throw .hasNull }
        self.fields = fields
        for field in fields.all where Self.names.contains(field.name) && field.value.allSatisfy(\.isWhitespace) {
            guard field.value.isEmpty, !isExact else {
                throw .badRequest("\(field.name): is empty; leave it out to mean any")
            }
        }
        for name in fields.values("state") where !name.isEmpty {
            guard let state = JobState(rawValue: name) else {
                let states = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("state: \"\(name)\" is not one of \(states)")
            }
            filter.states.insert(state)
        }
        filter.queue = try Self.single("queue", fields)
        filter.batch = try Self.single("batch", fields)
        filter.model = try Self.single("model", fields)
        filter.errorCode = try Self.single("error", fields)
        filter.uniqueKey = try Self.single("key", fields)
        for label in fields.values("label") where !label.isEmpty {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains("\"") else {
                throw .badRequest("label: \"\(label)\" is no label; write it like sku=A-1")
            }
            if let other = filter.labels.updateValue(String(parts[1]), forKey: String(parts[0])), other != parts[1] {
                throw .badRequest("label: no job has two values of \(parts[0])")
            }
        }
        filter.words = try Self.single("search", fields)?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
        guard filter.words.count <= Self.mostWords else {
            throw .badRequest("search: takes at most \(Self.mostWords) words")
        }
        if let before = try Self.job(fields["before"], "before") { position = .before(before) }
        if let after = try Self.job(fields["after"], "after") { position = .after(after) }
    }

    /// Which jobs are to be changed, by the address of the page that shows them.
    ///
    /// - Throws: `PageProblem` for what would make others be meant than those it shows.
    static func meant(_ text: String) throws(PageProblem) -> JobFilter {
        let fields = FormFields(text)
        for name in fields.all.map(\.name) where !(names + ["before", "after"]).contains(name) {
            throw .badRequest("filter: \(name) is none; there are \(names.joined(separator: ", "))")
        }
        return try JobQuery(fields, isExact: true).filter
    }

    /// What can have one value; nil for none.
    private static func single(_ name: String, _ fields: FormFields) throws(PageProblem) -> String? {
        let values = Set(fields.values(name).filter { !$0.isEmpty })
        guard values.count < 2 else { throw .badRequest("\(name): takes one value") }
        return values.first
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
        case methodNotAllowed = "method_not_allowed"
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
    static let hasNull = badRequest("A text holds the character U+0000, which is not possible.")
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
