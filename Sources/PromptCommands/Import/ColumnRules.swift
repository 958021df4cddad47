import ArgumentParser
import PromptQueue

/// What the columns of a file mean.
struct ColumnRules: Sendable {
    /// What becomes of columns that are none.
    enum Extra: String, CaseIterable, Sendable, ExpressibleByArgument {
        case refuse, labels, ignore
    }

    enum Meaning: Equatable {
        case job(ImportColumn)
        /// `input.NAME`.
        case field(String)
        /// The name of a field, without `input.` before it.
        case flatField(String)
        case label(String)
        /// Only `--template` uses it.
        case template
        case ignored
        /// Without a name.
        case blank
    }

    var extra = Extra.refuse
    /// The columns that count, as `--columns` names them; empty: all.
    var only: [String] = []
    var template: PromptTemplate?
    /// What of the template `--matrix` gives.
    var given: Set<String> = []
    /// `,`, `;` or a tab; `nil` to find it out.
    var separator: UInt8?
    /// The fields of the model that lines without one are for.
    private var modelFields: Set<String> = []
    /// The fields of all models.
    private var allFields: Set<String> = []
    /// Their names by what they are when case and spaces do not count.
    private var namesByKey: [String: String] = [:]

    init() {}

    /// - Parameter model: that of lines without one; `nil` if there are several.
    init(_ catalogue: Catalogue, model: String?) {
        allFields = Set(catalogue.models.values.flatMap { $0.fields ?? [] }.map(\.name))
        modelFields = model.map { Set((catalogue.model(named: $0)?.fields ?? []).map(\.name)) } ?? allFields
        let groups = Dictionary(grouping: allFields, by: Self.key)
        namesByKey = groups.compactMapValues { $0.count == 1 ? $0.first : nil }
    }

    /// A title without what does not count: `" Run At"` is `run_at`.
    static func key(_ title: some StringProtocol) -> String {
        let text = String(title).trimmingSpaces().lowercased()
        if text.utf8.allSatisfy({ $0 != 0x20 && $0 != UInt8(ascii: "-") && $0 < 0x80 }) { return text }
        return text.split { $0.isWhitespace || $0 == "-" || $0 == "_" }.joined(separator: "_")
    }

    /// - Parameter hasModel: whether the file has models of its own, so that a field may be that of any.
    /// - Returns: `nil` for what is no column.
    func meaning(of title: String, hasModel: Bool) -> Meaning? {
        let text = title.trimmingSpaces()
        let key = Self.key(text)
        guard !text.isEmpty else { return .blank }
        let isUsed = template?.uses(key) ?? false
        if !only.isEmpty, !only.contains(where: { Self.key($0) == key }) { return isUsed ? .template : .ignored }
        if let column = ImportColumn(rawValue: key) { return .job(column) }
        if key.hasPrefix("input."), key.utf8.count > 6 { return .field(field(text.dropFirst(6))) }
        for prefix in ["label.", "labels."] where key.hasPrefix(prefix) && key.utf8.count > prefix.utf8.count {
            return .label(String(text.dropFirst(prefix.count)).trimmingSpaces())
        }
        let name = field(text[...])
        if (hasModel ? allFields : modelFields).contains(name) { return .flatField(name) }
        if isUsed { return .template }
        switch extra {
        case .refuse: return nil
        case .labels: return .label(key)
        case .ignore: return .ignored
        }
    }

    private func field(_ text: Substring) -> String {
        let name = String(text).trimmingSpaces()
        return allFields.contains(name) ? name : namesByKey[Self.key(name)] ?? name
    }

    /// What to do about columns that are none.
    func refusal(of titles: [String]) -> String {
        let names = titles.prefix(5).map { "\"\(BoundedText.word($0))\"" }.joined(separator: ", ")
        let more = titles.count > 5 ? " and \(grouped(titles.count - 5)) more" : ""
        let known = ImportColumn.allCases.map(\.rawValue)
        let near = titles.count == 1 ? Self.nearest(to: titles.first ?? "", among: known + modelFields.sorted()) : nil
        return "\(names)\(more) \(titles.count == 1 ? "is no column" : "are no columns"); "
            + (near.map { "did you mean \($0)? " } ?? "")
            + "There are \(ImportColumn.names), input.NAME and label.NAME. "
            + "--extra labels keeps others as labels, --extra ignore or --columns A,B leaves them out"
    }

    /// What a title that becomes a label, or nothing, may have been meant for.
    func nearMiss(of title: String) -> String? {
        Self.nearest(to: title, among: ImportColumn.allCases.map(\.rawValue) + modelFields.sorted())
    }

    private static func nearest(to title: String, among names: [String]) -> String? {
        let key = Array(Self.key(title).utf8)
        guard (4...100).contains(key.count) else { return nil }
        let near = names.map { (EditDistance.distances(from: key, toPrefixesOf: Array($0.utf8)).last ?? .max, $0) }
            .min { $0 < $1 }
        return near.flatMap { $0.0 <= max(1, key.count / 5) ? $0.1 : nil }
    }
}

extension ColumnRules.Meaning {
    /// What two columns must not both be; `nil` for those that may be there several times.
    var target: String? {
        switch self {
        case .job(let column): column.rawValue
        case .field(let name), .flatField(let name): "input.\(name)"
        case .label(let name): "label.\(name)"
        case .template, .ignored, .blank: nil
        }
    }

    /// `SKU → label sku`, for people; `nil` for a column without a name.
    func description(of title: String) -> String? {
        let title = oneLine(BoundedText.word(title.trimmingSpaces()))
        switch self {
        case .job(let column): return title == column.rawValue ? title : "\(title) → \(column.rawValue)"
        case .field(let name), .flatField(let name):
            return title == "input.\(name)" ? title : "\(title) → input.\(name)"
        case .label(let name): return title == "label.\(name)" ? title : "\(title) → label \(oneLine(name))"
        case .template: return "\(title) → the template"
        case .ignored: return "\(title) left out"
        case .blank: return nil
        }
    }
}
