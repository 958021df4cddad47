import FoundationEssentials
import PromptQueue

/// The JSON that lies beside the results of a job; docs/results.md describes it.
struct Sidecar: Sendable {
    /// Counts up when a key changes its meaning or goes.
    static let format: Int64 = 1

    let json: JSONObject

    /// - Parameter savedAt: when the last of the results was saved.
    init(_ provenance: JobProvenance, savedAt: Instant) {
        let job = provenance.job
        var object: JSONObject = [
            "format": .integer(Self.format),
            "job": .integer(job.id.rawValue),
            "batch": Self.text(provenance.batch),
            "queue": .string(job.queue),
            "model": .string(job.model),
            "prompt": Self.text(job.prompt),
            "input": (try? JSONValue(parsing: provenance.sent ?? job.input)) ?? .null,
            "labels": provenance.labels.flatMap { try? JSONValue(parsing: $0) } ?? .null,
            "unique_key": Self.text(provenance.uniqueKey),
            "task_id": Self.text(provenance.task),
            "credits_estimated": Self.credits(provenance.estimated),
            "credits_charged": Self.credits(provenance.charged),
            "created_at": Self.time(provenance.createdAt),
            "submitted_at": Self.time(provenance.submittedAt),
            "task_finished_at": Self.time(provenance.taskFinishedAt),
            "saved_at": Self.time(savedAt),
        ]
        object["results"] = .array(provenance.results.map(Self.result))
        json = object
    }

    /// Indented, with sorted keys and a line feed at the end, for people and for `diff`.
    var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(JSONValue.object(json))) + [UInt8(ascii: "\n")]
        }
    }

    /// A result that is not saved (yet) has its URL alone.
    private static func result(_ result: JobProvenance.Result) -> JSONValue {
        var object: JSONObject = [
            "ordinal": .integer(Int64(result.ordinal)), "role": .string(result.role), "url": text(result.url),
        ]
        object["path"] = text(result.file?.path)
        object["content_type"] = text(result.file?.contentType)
        object["bytes"] = result.file.map { .integer($0.bytes) } ?? .null
        object["sha256"] = text(result.file?.sha256)
        return .object(object)
    }

    private static func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }

    private static func credits(_ credits: Credits?) -> JSONValue { credits.map { .number($0.doubleValue) } ?? .null }

    private static func time(_ instant: Instant?) -> JSONValue {
        guard let instant else { return .null }
        let date = Date(timeIntervalSince1970: Double(instant.milliseconds) / 1_000)
        return .string(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}
