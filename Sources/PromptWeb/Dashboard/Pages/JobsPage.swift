import PromptQueue

/// What the list of jobs shows.
struct JobsView {
    struct Row {
        let id: String
        let rowHref: String
        let state: StateView
        let prompt: String
        let rowQueue: String
        let rowBatch: String?
        let rowModel: String
        let credits: String
        let isEstimate: Bool
        let added: TimeView
        let preview: ResultView?
        let rowError: String?

        init(_ found: ExportedJob, now: Instant) {
            let job = found.job
            id = job.id.description
            rowHref = "/jobs/\(job.id)"
            state = StateView(job.state)
            prompt =
                job.prompt.map { PlainText.oneLine(String($0.prefix(200))) }
                ?? (job.prunedAt == nil ? "(no prompt)" : "(removed)")
            rowQueue = job.queue
            rowBatch = job.batch
            rowModel = job.model
            credits = (job.charged ?? job.estimated)?.grouped ?? "–"
            isEstimate = job.charged == nil && job.estimated != nil
            added = TimeView(job.createdAt, now: now)
            preview = found.results.lazy.map { ResultView($0, of: job) }.first { $0.isImage }
            rowError =
                job.state == .failed || job.state == .queued
                ? job.errorCode.map { code in code + (job.errorMessage.map { ": \($0.prefix(160))" } ?? "") } : nil
        }
    }

    let frame: Frame
    let filter: JobFilterView
    let jobs: [Row]
    let pager: PagerView
    let emptyText: String
    let galleryHref: String?
    /// What the page shows, as its address says it.
    let filterText: String
    let canTakeAll: Bool
    let canSettle: Bool
}

/// The form that says which jobs.
struct JobFilterView {
    struct State {
        let word: String
        let sign: String
        let isOn: Bool
    }

    let action: String
    let states: [State]
    let search: String
    let queue: StoredText
    let batch: StoredText
    let label: StoredText
    let model: StoredText
    let queues: [String]
    let models: [String]
    let isSet: Bool

    init(_ query: JobQuery, action: String, queues: [String], models: [String]) {
        let filter = query.filter
        self.action = action
        states = JobState.allCases.map { state in
            let view = StateView(state)
            return State(word: view.word, sign: view.sign, isOn: filter.states.contains(state))
        }
        search = filter.words.joined(separator: " ")
        queue = StoredText(filter.queue ?? "")
        batch = StoredText(filter.batch ?? "")
        label = StoredText(query.fields["label"] ?? "")
        model = StoredText(filter.model ?? "")
        self.queues = StoredText.suggestions(queues)
        self.models = models
        isSet = !filter.isEmpty
    }
}

extension Dashboard {
    func jobs(_ fields: FormFields) async throws -> PageContent {
        let query = try JobQuery(fields)
        let (filter, position, now) = (query.filter, query.position, now())
        let (slice, queues) = try await source.read { reader in
            (
                try reader.page(PageRequest(filter, at: position, limit: 50)),
                try reader.queues().map(\.name)
            )
        }
        var gallery: String?
        if filter.batch != nil || filter.queue != nil {
            gallery = "/gallery" + fields.setting("state", nil).setting("before", nil).setting("after", nil).query
        }
        return PageContent(
            "jobs",
            JobsView(
                frame: Frame("Jobs", at: "/jobs"),
                filter: JobFilterView(
                    query,
                    action: "/jobs",
                    queues: Array(queues.prefix(200)),
                    models: Catalogue.builtIn.models.keys.sorted()
                ),
                jobs: slice.jobs.map { JobsView.Row($0, now: now) },
                pager: PagerView(slice, path: "/jobs", fields: fields),
                emptyText: filter.isEmpty
                    ? "There is no job yet."
                    : slice.isCutShort ? "None among those that were looked at." : "No job is like that.",
                galleryHref: gallery,
                filterText: String(
                    fields.setting("before", nil).setting("after", nil).withoutEmpty.query.dropFirst()
                ),
                canTakeAll: !filter.isEmpty,
                canSettle: filter.states.contains(.unconfirmed)
            )
        )
    }
}
