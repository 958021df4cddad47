import PromptQueue

/// What the gallery shows.
struct GalleryView {
    struct WholeView {
        let title: String
        let zip: String
        let page: String
        let picture: String

        init?(_ filter: JobFilter) {
            var asked = filter
            asked.states = []
            guard !asked.isEmpty else { return nil }
            var fields = FormFields().setting("batch", filter.batch).setting("queue", filter.queue)
                .setting("model", filter.model)
                .setting("search", filter.words.isEmpty ? nil : filter.words.joined(separator: " "))
            for (name, value) in filter.labels.sorted(by: { $0.key < $1.key }) {
                fields.append("label", "\(name)=\(value)")
            }
            (zip, page, picture) = (
                "/gallery.zip\(fields.query)", "/gallery.html\(fields.query)", "/gallery.png\(fields.query)"
            )
            asked.batch = nil
            if filter.batch == nil { asked.queue = nil }
            title = asked.isEmpty ? filter.batch ?? filter.queue ?? "" : "what is found"
        }
    }

    let frame: Frame
    let heading: String
    let headingNote: String
    let batch: StoredText
    let queue: StoredText
    let search: String
    let isSet: Bool
    let batches: [String]
    let queues: [String]
    let items: [ResultView]
    let hasItems: Bool
    /// All that is shown, together; nil: nothing was asked for in particular.
    let whole: WholeView?
    let emptyText: String
    /// The jobs of the batch or queue.
    let jobsHref: String?
    let pager: PagerView
}

extension Dashboard {
    func gallery(_ fields: FormFields) async throws -> PageContent {
        var query = try JobQuery(fields)
        query.filter.states = [.succeeded]
        let (filter, position) = (query.filter, query.position)
        let (slice, batches, queues) = try await source.read { reader in
            (
                try reader.page(PageRequest(filter, at: position, limit: 48)),
                try reader.latestBatches(limit: 20).map(\.name),
                try reader.queues().prefix(200).map(\.name)
            )
        }
        let items = slice.jobs.flatMap { found in found.results.map { ResultView($0, of: found.job) } }
        let group = filter.batch ?? filter.queue
        return PageContent(
            "gallery",
            GalleryView(
                frame: Frame("Gallery", at: "/gallery"),
                heading: group ?? "Gallery",
                headingNote: items.isEmpty ? "" : count(items.count, "result") + " on this page, the newest first",
                batch: StoredText(filter.batch ?? ""),
                queue: StoredText(filter.queue ?? ""),
                search: filter.words.joined(separator: " "),
                isSet: fields.all.contains { !$0.value.isEmpty },
                batches: StoredText.suggestions(batches),
                queues: StoredText.suggestions(queues),
                items: items,
                hasItems: !items.isEmpty,
                whole: GalleryView.WholeView(filter),
                emptyText: "No result is here yet.",
                jobsHref: group == nil
                    ? nil
                    : "/jobs" + FormFields().setting("batch", filter.batch).setting("queue", filter.queue).query,
                pager: PagerView(slice, path: "/gallery", fields: fields)
            )
        )
    }
}
