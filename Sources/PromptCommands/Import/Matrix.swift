import PromptQueue

/// `--matrix aspect_ratio=1:1,16:9`, once or several times: every line becomes a job for each combination.
struct Matrix: Sendable {
    /// A value of each axis.
    struct Combination: Sendable {
        /// As they were given.
        var pairs: [(key: String, value: String)] = []

        /// The model, if that is an axis.
        var model: String? { pairs.first { Role($0.key) == .model }?.value }

        var labels: [(key: String, value: String)] {
            pairs.compactMap { pair in
                guard case .label(let name) = Role(pair.key) else { return nil }
                return (name, pair.value)
            }
        }

        /// What the jobs of one line are told apart by, where the line has a unique key: `sku-1 aspect_ratio=16:9`.
        func extend(_ key: String) -> String {
            ([key] + pairs.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
        }
    }

    /// What the values of an axis are for.
    enum Role: Equatable {
        case model
        case label(String)
        case field(String)

        init(_ key: String) {
            if key == ImportColumn.model.rawValue {
                self = .model
            } else if key.hasPrefix("label."), key.utf8.count > 6 {
                self = .label(String(key.dropFirst(6)))
            } else {
                self = .field(key)
            }
        }
    }

    /// At least one; the only one is empty without `--matrix`.
    let combinations: [Combination]
    let keys: [String]

    var hasModel: Bool { keys.contains { Role($0) == .model } }
    var labels: [String] { keys.compactMap { if case .label(let name) = Role($0) { name } else { nil } } }

    /// - Throws: `CommandError` when a field is there twice or has no values, or there are too many combinations.
    init(_ axes: [KeyValue]) throws(CommandError) {
        var roles: [Role] = []
        var combinations = [Combination()]
        for axis in axes {
            let role = Role(axis.key)
            guard !roles.contains(role) else {
                throw CommandError(.usage, "--matrix: \(axis.key) is there twice; give all its values at once")
            }
            roles.append(role)
            if let column = ImportColumn(rawValue: axis.key), column != .model, column != .prompt {
                throw CommandError(
                    .usage,
                    "--matrix: \(axis.key) is a column; takes fields of the input, model, label.NAME and what --template names"
                )
            }
            let values = axis.value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard !values.contains(""), Set(values).count == values.count else {
                throw CommandError(.usage, "--matrix: \(axis.key) has an empty value, or one twice")
            }
            combinations = combinations.flatMap { begun in
                values.map { Combination(pairs: begun.pairs + [(axis.key, $0)]) }
            }
            guard combinations.count <= 1_000 else {
                throw CommandError(.usage, "--matrix: makes more than 1,000 jobs of a line; import in several steps")
            }
        }
        self.combinations = combinations
        keys = axes.map(\.key)
    }

    /// The axis that a template means; `nil` for a column.
    func axis(_ key: String) -> Int? {
        keys.firstIndex { axis in
            let own = ColumnRules.key(axis)
            return own == key || own == "label.\(key)"
        }
    }

    /// What goes into the input of a model: not what it does not know, if that is for the template.
    func fields(
        _ combination: Combination,
        _ model: CatalogueModel,
        _ template: PromptTemplate?
    ) -> [(key: String, value: String)] {
        combination.pairs.enumerated().compactMap { place, pair in
            guard case .field(let name) = Role(pair.key) else { return nil }
            let isForTemplate = template?.keys.contains { axis($0) == place } ?? false
            return isForTemplate && model.field(named: name) == nil ? nil : (name, pair.value)
        }
    }
}
