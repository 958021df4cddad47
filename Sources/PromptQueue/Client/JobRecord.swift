/// A row of `jobs`, as a command shows it.
package struct JobRecord: Sendable {
    package let id: JobID
    package let state: JobState
    package let queue: String
    package let batch: String?
    package let model: String
    package let priority: Int64
    /// `nil`: as soon as possible.
    package let runAt: Instant?
    package let prompt: String?
    /// A JSON object.
    package let input: String
    /// A JSON object.
    package let labels: String?
    package let uniqueKey: String?
    package let attemptCount: Int
    package let maxAttempts: Int
    package let taskID: TaskID?
    package let providerState: String?
    package let estimated: Credits?
    /// `nil` if whoever estimated it did not say.
    package let estimateBasis: Estimate.Kind?
    package let charged: Credits?
    package let errorCode: String?
    package let errorMessage: String?
    package let createdAt: Instant
    package let submittedAt: Instant?
    package let finishedAt: Instant?
    /// When prompt, input, labels and results were removed; the key stays taken.
    package let prunedAt: Instant?
    /// The saved results, relative to the media directory.
    package let files: [String]
    /// The jobs whose results it takes and that have not succeeded.
    package let waitsFor: [JobID]
    /// Whether a file that it takes has yet to be uploaded.
    package let waitsForUpload: Bool
    /// Why the last try to upload one failed, if it did.
    package let uploadTrouble: String?

    package init(
        id: JobID,
        state: JobState,
        queue: String,
        batch: String?,
        model: String,
        priority: Int64,
        runAt: Instant?,
        prompt: String?,
        input: String,
        labels: String?,
        uniqueKey: String?,
        attemptCount: Int,
        maxAttempts: Int,
        taskID: TaskID?,
        providerState: String?,
        estimated: Credits?,
        estimateBasis: Estimate.Kind?,
        charged: Credits?,
        errorCode: String?,
        errorMessage: String?,
        createdAt: Instant,
        submittedAt: Instant?,
        finishedAt: Instant?,
        prunedAt: Instant?,
        files: [String],
        waitsFor: [JobID] = [],
        waitsForUpload: Bool = false,
        uploadTrouble: String? = nil
    ) {
        self.id = id
        self.state = state
        self.queue = queue
        self.batch = batch
        self.model = model
        self.priority = priority
        self.runAt = runAt
        self.prompt = prompt
        self.input = input
        self.labels = labels
        self.uniqueKey = uniqueKey
        self.attemptCount = attemptCount
        self.maxAttempts = maxAttempts
        self.taskID = taskID
        self.providerState = providerState
        self.estimated = estimated
        self.estimateBasis = estimateBasis
        self.charged = charged
        self.errorCode = errorCode
        self.errorMessage = errorMessage
        self.createdAt = createdAt
        self.submittedAt = submittedAt
        self.finishedAt = finishedAt
        self.prunedAt = prunedAt
        self.files = files
        self.waitsFor = waitsFor
        self.waitsForUpload = waitsForUpload
        self.uploadTrouble = uploadTrouble
    }
}

/// A row of `attempts`: one request.
package struct AttemptRecord: Sendable {
    package let id: AttemptID
    /// The account that it was sent under, which pays for it.
    package let account: AccountName
    package let state: AttemptState
    package let taskID: TaskID?
    /// Who said so; nil if nobody did, or somebody by SQL.
    package let taskSource: TaskSource?
    /// The task that a callback named when the answer was not there, or lost.
    package let hintedTask: TaskID?
    package let sentAt: Instant
    package let answeredAt: Instant?
    package let finishedAt: Instant?
    package let httpStatus: Int?
    package let apiCode: Int?
    package let errorCode: String?
    package let message: String?
    package let reserved: Credits
    /// What was reserved at the claim; `nil` if a version that did not note it made the claim.
    package let estimated: Credits?
    package let estimateBasis: Estimate.Kind?
    package let charged: Credits?
    /// Whether `charged` is what the provider reported; if not, it is what was reserved.
    package let isChargeReported: Bool
    /// What the account's balance says of a request whose answer was lost.
    package let evidence: String?
    /// What that comes to: whether it was charged.
    package let wasCharged: Bool?
    /// What was sent, a JSON object; nil if an older version sent it.
    package let input: String?
    /// What the provider gave as the result, where it holds more than the rows of `results` do.
    package let unread: String?

    package init(
        id: AttemptID,
        account: AccountName = .standard,
        state: AttemptState,
        taskID: TaskID?,
        taskSource: TaskSource?,
        hintedTask: TaskID?,
        sentAt: Instant,
        answeredAt: Instant?,
        finishedAt: Instant?,
        httpStatus: Int?,
        apiCode: Int?,
        errorCode: String?,
        message: String?,
        reserved: Credits,
        estimated: Credits?,
        estimateBasis: Estimate.Kind?,
        charged: Credits?,
        isChargeReported: Bool,
        evidence: String?,
        wasCharged: Bool?,
        input: String?,
        unread: String?
    ) {
        self.id = id
        self.account = account
        self.state = state
        self.taskID = taskID
        self.taskSource = taskSource
        self.hintedTask = hintedTask
        self.sentAt = sentAt
        self.answeredAt = answeredAt
        self.finishedAt = finishedAt
        self.httpStatus = httpStatus
        self.apiCode = apiCode
        self.errorCode = errorCode
        self.message = message
        self.reserved = reserved
        self.estimated = estimated
        self.estimateBasis = estimateBasis
        self.charged = charged
        self.isChargeReported = isChargeReported
        self.evidence = evidence
        self.wasCharged = wasCharged
        self.input = input
        self.unread = unread
    }
}

/// A row of `results`.
package struct ResultRecord: Sendable {
    package let ordinal: Int
    /// `result`, or the provider's field without `Url`.
    package let role: String
    package let state: ResultState
    package let url: String?
    /// JSON that came in the answer itself.
    package let content: String?
    package let path: String?
    package let contentType: String?
    package let bytes: Int64?
    package let sha256: String?
    package let errorMessage: String?
    package let createdAt: Instant
    package let savedAt: Instant?

    package init(
        ordinal: Int,
        role: String,
        state: ResultState,
        url: String?,
        content: String?,
        path: String?,
        contentType: String?,
        bytes: Int64?,
        sha256: String?,
        errorMessage: String?,
        createdAt: Instant,
        savedAt: Instant?
    ) {
        self.ordinal = ordinal
        self.role = role
        self.state = state
        self.url = url
        self.content = content
        self.path = path
        self.contentType = contentType
        self.bytes = bytes
        self.sha256 = sha256
        self.errorMessage = errorMessage
        self.createdAt = createdAt
        self.savedAt = savedAt
    }
}
