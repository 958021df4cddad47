/// What is known of a result when it gets its name.
package struct NameFields: Sendable {
    package var result: ResultID
    package var origin: JobOrigin
    package var model: String
    package var uniqueKey: String?
    package var labels: JSONObject
    package var prompt: String?
    /// When its job was added.
    package var createdAt: Instant

    package init(
        result: ResultID,
        origin: JobOrigin,
        model: String = "",
        uniqueKey: String? = nil,
        labels: JSONObject = [:],
        prompt: String? = nil,
        createdAt: Instant
    ) {
        self.result = result
        self.origin = origin
        self.model = model
        self.uniqueKey = uniqueKey
        self.labels = labels
        self.prompt = prompt
        self.createdAt = createdAt
    }

    /// What a download knows itself.
    package init(_ download: PendingDownload) {
        self.init(result: download.result, origin: download.origin, createdAt: download.createdAt)
    }

    /// With what the ledger knows of its job.
    package init(_ download: PendingDownload, _ provenance: JobProvenance) {
        self.init(
            result: download.result,
            origin: JobOrigin(queue: provenance.job.queue, batch: provenance.batch),
            model: provenance.job.model,
            uniqueKey: provenance.uniqueKey,
            labels: provenance.labels.flatMap(JSONValue.object(in:)) ?? [:],
            prompt: provenance.job.prompt,
            createdAt: provenance.createdAt
        )
    }

    /// How long a value may be, in bytes.
    private static let limit = 80

    /// A field's value in plain signs; nil where the job has none.
    func value(_ field: NameField) -> String? {
        let text: String?
        switch field {
        case .id: return "\(result.job)"
        case .ordinal: return "\(result.ordinal)"
        case .date: return date
        case .prompt: return prompt.flatMap(Self.slug)
        case .batch: text = origin.batch ?? origin.queue
        case .queue: text = origin.queue
        case .model: text = model
        case .key: text = uniqueKey
        case .label(let name): text = labels[name].flatMap(Self.text)
        }
        guard let text = text?.trimmingSpaces(), !text.isEmpty else { return nil }
        return PathPart.plain(text, field == .batch || field == .queue ? 99 : Self.limit)
    }

    /// In UTC, so that it does not change with the machine.
    private var date: String { CivilTime(milliseconds: createdAt.milliseconds).date }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer, .unsigned, .number, .bool: value.json
        case .null, .array, .object: nil
        }
    }

    /// The first words, in lower case, with hyphens between them.
    private static func slug(_ prompt: String) -> String? {
        var slug = ""
        for word in prompt.lowercased().unicodeScalars.split(whereSeparator: { !PathPart.isWord($0) }) {
            let next = slug.isEmpty ? String(word) : "\(slug)-\(String(word))"
            guard next.utf8.count <= 50 else {
                return slug.isEmpty ? PathPart.plain(String(word), 50) : slug
            }
            slug = next
        }
        return slug.isEmpty ? nil : slug
    }
}

/// What a name may be made of.
enum NameField: Sendable, Hashable {
    case id, ordinal, queue, batch, model, key, date, prompt
    case label(String)

    init?(_ text: String) {
        let plain: [String: NameField] = [
            "id": .id, "ordinal": .ordinal, "queue": .queue, "batch": .batch, "model": .model, "key": .key,
            "date": .date, "prompt": .prompt,
        ]
        if let field = plain[text] {
            self = field
        } else if text.hasPrefix("label."), text.count > 6 {
            self = .label(String(text.dropFirst(6)))
        } else {
            return nil
        }
    }

    /// Whether a value is as it is, or nothing: a part of a number is another number.
    var isNeverCut: Bool { [.id, .ordinal, .date].contains(self) }
}
