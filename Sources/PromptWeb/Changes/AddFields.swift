import PromptQueue

/// What the form holds.
struct AddFields {
    private let fields: FormFields
    let model: String
    /// nil: what to make stands in the input alone.
    let prompt: String?

    init(_ fields: FormFields) {
        self.fields = fields
        model = fields.written("model") ?? JobRequest.defaultModel
        prompt = fields["prompt"].map { fields.isExact("prompt") ? $0 : Self.withPlainLines($0) }
    }

    /// Names and texts; a list has a pair for each line.
    func input() -> [(key: String, value: String)] {
        let own = fields.all.filter { $0.name.hasPrefix("input.") }.flatMap { field in
            Self.lines(field.value).map { (key: String(field.name.dropFirst(6)), value: $0) }
        }
        let other = Self.lines(fields["other"] ?? "").map { line -> (key: String, value: String) in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]).trimmingSpaces(), parts.count > 1 ? String(parts[1]) : "")
        }
        return own + other
    }

    func text(of field: String) -> String { fields.values("input.\(field)").joined(separator: "\n") }

    /// What is no field of the model.
    func others(than known: [String]) -> String {
        let more = fields.all.filter {
            $0.name.hasPrefix("input.") && !$0.value.isEmpty && !known.contains(String($0.name.dropFirst(6)))
        }
        .flatMap { field in Self.lines(field.value).map { "\(field.name.dropFirst(6))=\($0)" } }
        return (more + [fields["other"]].compactMap(\.self)).joined(separator: "\n")
    }

    /// A form's lines end in two characters.
    private static func withPlainLines(_ text: String) -> String { text.replacing("\r\n", with: "\n") }

    private static func lines(_ text: String) -> [String] {
        withPlainLines(text).split(separator: "\n").map { String($0).trimmingSpaces() }.filter { !$0.isEmpty }
    }

    // MARK: - What stays as it is stored

    /// The name of the field that bears what another one shows of a stored value: its JSON.
    static func kept(_ name: String) -> String { StoredText.prefix + name }

    static func isKept(_ name: String) -> Bool {
        name.hasPrefix(kept("input.")) || name == kept("labels")
    }

    private func stored(_ name: String) -> JSONValue? {
        fields.all.first { $0.name == Self.kept(name) }.flatMap {
            try? JSONValue(parsing: FormFields.decoded($0.value))
        }
    }

    /// Fields of the input that are as they were shown, with their stored values: in a text, a line that ends or a number that is
    /// a text could not be told from others.
    func keptInput() -> JSONObject {
        let given = Dictionary(grouping: input(), by: \.key).mapValues { $0.map(\.value) }
        var kept: JSONObject = [:]
        let names = fields.all.map(\.name).filter { $0.hasPrefix(Self.kept("input.")) }
        for name in names.map({ String($0.dropFirst(Self.kept("input.").count)) }) {
            guard let value = stored("input.\(name)") else { continue }
            let texts = (value.arrayValue ?? [value]).map { $0.stringValue ?? $0.json }
            let now = given[name] ?? []
            let isSame =
                now == texts.flatMap { Self.lines(PlainText.lines($0)) }
                || value.arrayValue == nil && now == texts.map { PlainText.oneLine($0).trimmingSpaces() }
            if isSame { kept[name] = value }
        }
        return kept
    }

    // MARK: - Labels, priority and time

    /// `name=value`, by name.
    static func lines(of labels: JSONObject) -> [String] {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.stringValue ?? $0.value.json)" }
    }

    /// As the column holds them.
    var labels: String? {
        get throws(PageProblem) {
            let lines = Self.lines(fields["labels"] ?? "")
            if let value = stored("labels"), let object = value.objectValue,
                lines == Self.lines(of: object).flatMap({ Self.lines(PlainText.lines($0)) })
            {
                return value.json
            }
            var labels: JSONObject = [:]
            for line in lines {
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(parts[0]).trimmingSpaces()
                guard parts.count == 2, !name.isEmpty else {
                    throw .badRequest("Labels: \"\(line)\" is no label; write it like sku=A-1")
                }
                let value = JSONValue.string(String(parts[1]).trimmingSpaces())
                guard labels.updateValue(value, forKey: name) == nil else {
                    throw .badRequest("Labels: \(name) stands there twice")
                }
            }
            return labels.isEmpty ? nil : JSONValue.object(labels).json
        }
    }

    var priority: Int64 {
        get throws(PageProblem) {
            guard let text = fields.written("priority") else { return 0 }
            guard let priority = Int64(text) else {
                throw .badRequest("Priority: \"\(text)\" is no whole number")
            }
            return priority
        }
    }

    /// nil: at once.
    var runAt: Instant? {
        get throws(PageProblem) {
            guard let text = fields.written("run_at") else { return nil }
            guard let instant = Instant(iso8601: text) else {
                throw .badRequest(
                    "Not before: \"\(text)\" is no instant; write it like 2026-12-24T18:00Z or 2026-12-24T18:00+01:00"
                )
            }
            return instant
        }
    }
}
