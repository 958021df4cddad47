import PromptQueue

/// Which results an address means: those that were chosen one by one, or all of a filter.
struct ResultChoice {
    /// A filter that no index serves is looked for among so many slices of jobs at most.
    private static let mostSlices = 200

    private let ids: [ResultID]
    private let filter: JobFilter
    /// What they are called together.
    let title: String
    /// The same, as a file is called.
    let fileName: String

    /// - Throws: `PageProblem` if it means none, or is not understood.
    init(_ fields: FormFields) throws(PageProblem) {
        var ids: [ResultID] = []
        for item in fields.values("item") where !item.isEmpty {
            let parts = item.split(separator: "-").compactMap { Int64($0) }
            guard parts.count == 2, let ordinal = Int(exactly: parts[1]) else {
                throw .badRequest("item: \"\(item)\" is no result; write it like 12-0")
            }
            ids.append(ResultID(job: JobID(parts[0]), ordinal: ordinal))
        }
        var filter = try JobQuery(fields).filter
        filter.states = []
        guard !ids.isEmpty || !filter.isEmpty else {
            throw .badRequest("Choose pictures first, or a batch or a queue.")
        }
        filter.states = [.succeeded]
        (self.ids, self.filter) = (ids, filter)
        let words = filter.words.isEmpty ? nil : filter.words.joined(separator: " ")
        title = filter.batch ?? filter.queue ?? words ?? "Results"
        let name = (filter.batch ?? filter.queue ?? "results").map { character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
        }
        fileName = String(name.prefix(80))
    }

    /// The jobs in the order in which they were added, with those of their results that are meant and were saved.
    ///
    /// - Parameter most: there are no more results than this and those of one job more.
    func jobs(_ source: PageSource, most: Int) async throws -> [ExportedJob] {
        let jobs = ids.isEmpty ? try await filtered(source, most) : try await chosen(source, most)
        return jobs.map { ExportedJob(job: $0.job, results: Self.saved($0.results)) }.filter { !$0.results.isEmpty }
            .sorted { $0.job.id.rawValue < $1.job.id.rawValue }
    }

    private static func saved(_ results: [ResultRecord]) -> [ResultRecord] {
        results.filter { $0.state == .saved && $0.path != nil && $0.content == nil }
    }

    private func chosen(_ source: PageSource, _ most: Int) async throws -> [ExportedJob] {
        let ordinals = Dictionary(grouping: ids.prefix(most + 1), by: \.job).mapValues { Set($0.map(\.ordinal)) }
        return try await source.read { reader in
            try ordinals.compactMap { job, ordinals in
                guard let details = try reader.details(of: job) else { return nil }
                return ExportedJob(job: details.job, results: details.results.filter { ordinals.contains($0.ordinal) })
            }
        }
    }

    private func filtered(_ source: PageSource, _ most: Int) async throws -> [ExportedJob] {
        var (jobs, count): ([ExportedJob], Int) = ([], 0)
        var position = PageRequest.Position.newest
        for _ in 0..<Self.mostSlices {
            let request = PageRequest(filter, at: position, limit: 500)
            let slice = try await source.read { try $0.page(request) }
            for job in slice.jobs where count <= most {
                jobs.append(job)
                count += Self.saved(job.results).count
            }
            guard count <= most, let older = slice.older else { return jobs }
            position = .before(older)
        }
        throw PageProblem.badRequest("There are too many jobs to look through: name a batch or a queue as well.")
    }
}
