import PromptQueue

/// What the list of batches shows.
struct BatchesView {
    struct Group {
        let title: String
        let groupID: String
        let batches: [Batch]
    }

    struct Batch {
        let name: String
        let href: String
        let galleryHref: String
        let meter: MeterView
        let total: String
        let cells: [CountCell]
        let charged: String

        init(_ batch: BatchRecord) {
            name = batch.name
            let encoded = URLText.encoded(batch.name)
            href = "/jobs?batch=\(encoded)"
            galleryHref = "/gallery?batch=\(encoded)"
            let more = batch.isCountCut ? "+" : ""
            meter = MeterView(
                "\(grouped(batch.ended)) of \(grouped(batch.total))\(more) ended",
                used: Double(batch.ended),
                of: Double(batch.total)
            )
            total = grouped(batch.total) + more
            let states: [JobState] = [.queued, .running, .succeeded, .failed, .unconfirmed]
            cells = states.map { state in
                let jobs = batch.counts[state] ?? 0
                return CountCell(jobs, isCut: jobs >= BatchRecord.countLimit, state, ("batch", batch.name))
            }
            charged = batch.charged?.grouped ?? "–"
        }
    }

    let frame: Frame
    let groups: [Group]
    let pager: PagerView
}

extension Dashboard {
    func batches(_ fields: FormFields) async throws -> PageContent {
        let (after, limit) = (fields["after"], 25)
        let (latest, all) = try await source.read { reader in
            (
                after == nil ? try reader.latestBatches(limit: 10) : [],
                try reader.batchPage(after: after, limit: limit + 1)
            )
        }
        let shown = all.prefix(limit)
        var groups: [BatchesView.Group] = []
        if !latest.isEmpty, all.count > latest.count {
            groups.append(.init(title: "The latest", groupID: "latest", batches: latest.map(BatchesView.Batch.init)))
        }
        groups.append(.init(title: "By name", groupID: "all", batches: shown.map(BatchesView.Batch.init)))
        let next = all.count > limit ? shown.last.map { "/batches?after=\(URLText.encoded($0.name))" } : nil
        return PageContent(
            "batches",
            BatchesView(frame: Frame("Batches", at: "/batches"), groups: groups, pager: PagerView(next: next))
        )
    }
}
