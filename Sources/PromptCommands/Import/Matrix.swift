import PromptQueue

/// `--matrix aspect_ratio=1:1,16:9`, once or several times: every line becomes a job for each combination.
struct Matrix: Sendable {
    typealias Combination = [(key: String, value: String)]

    /// At least one; the only one is empty without `--matrix`.
    let combinations: [Combination]
    let fields: Set<String>

    /// - Throws: `CommandError` when a field is there twice or has no values, or there are too many combinations.
    init(_ axes: [KeyValue]) throws(CommandError) {
        var fields: Set<String> = []
        var combinations: [Combination] = [[]]
        for axis in axes {
            guard fields.insert(axis.key).inserted else {
                throw CommandError(.usage, "--matrix: \(axis.key) is there twice; give all its values at once")
            }
            let values = axis.value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard !values.contains(""), Set(values).count == values.count else {
                throw CommandError(.usage, "--matrix: \(axis.key) has an empty value, or one twice")
            }
            combinations = combinations.flatMap { begun in values.map { begun + [(axis.key, $0)] } }
            guard combinations.count <= 1_000 else {
                throw CommandError(.usage, "--matrix: makes more than 1,000 jobs of a line; import in several steps")
            }
        }
        self.combinations = combinations
        self.fields = fields
    }

    /// Tells the jobs of one line apart, where the line has a unique key: `sku-1 aspect_ratio=16:9`.
    static func key(_ key: String, _ combination: Combination) -> String {
        ([key] + combination.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
    }
}
