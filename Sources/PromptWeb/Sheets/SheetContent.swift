import ContactSheets
import PromptQueue

/// What is on a contact sheet.
struct SheetContent {
    struct Part: Sendable {
        var item: GalleryItem
        let sha256: String?

        var id: ResultID { ResultID(job: item.job.id, ordinal: item.ordinal) }
    }

    private static let partsAtOnce = 25

    let title: String
    let summary: String
    let parts: [Part]

    /// - Parameter most: so many fit.
    /// - Throws: `PageProblem` if they are more, or none.
    init(_ choice: ResultChoice, most: Int, on place: String, _ source: PageSource) async throws {
        title = choice.title
        parts = try await choice.jobs(source, most: most).flatMap { found in
            found.results.map { result in
                Part(
                    item: GalleryItem(
                        job: found.job,
                        ordinal: result.ordinal,
                        path: result.path ?? "",
                        contentType: result.contentType ?? "application/octet-stream",
                        bytes: result.bytes ?? 0
                    ),
                    sha256: result.sha256
                )
            }
        }
        guard !parts.isEmpty else { throw PageProblem.notFound("None of these results has a file.") }
        guard parts.count <= most else {
            throw PageProblem.badRequest(
                "These are more than \(grouped(most)) results, and no more fit on \(place): narrow the filter, or choose some."
            )
        }
        summary = GalleryItem.summary(parts.map(\.item)) { CivilTime(milliseconds: $0.milliseconds).date }
    }

    /// The next parts, with their jobs whole: lists cut prompts short, and leave inputs out.
    ///
    /// - Returns: none after the last.
    func next(from index: Int, _ source: PageSource) async throws -> [Part] {
        let chunk = parts[index..<min(index + Self.partsAtOnce, parts.count)]
        let ids = Set(chunk.map(\.item.job.id))
        let jobs = try await source.read { reader in
            try ids.reduce(into: [JobID: JobRecord]()) { $0[$1] = try reader.details(of: $1)?.job }
        }
        return chunk.map { part in
            var part = part
            part.item.job = jobs[part.item.job.id] ?? part.item.job
            return part
        }
    }
}
