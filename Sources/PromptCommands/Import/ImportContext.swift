import PromptQueue

/// What holds for all lines of an import.
struct ImportContext {
    var catalogue: Catalogue
    var prices: PriceBook
    var budgets: [BudgetRecord] = []
    var unknownModels: UnknownModelPolicy
    var allowsUnknownFields = false
    /// What lines that do not say are given.
    var defaults: NewJobDefaults
    /// Fields of the input, for lines that do not have them.
    var input: [(key: String, value: String)]
    var matrix: Matrix
    /// What the columns mean, and the template.
    var columns: ColumnRules
    /// For times without a zone.
    var secondsFromUTC: @Sendable (Instant) -> Int64

    /// Files of this machine that lines name.
    var files: LocalFiles
    /// Where the paths of lines begin, and those of options.
    var directory: String
    var ownDirectory: String

    func prepare(_ model: String, prompt: String?, _ input: JSONObject) -> Preparation {
        catalogue.prepareAhead(
            model: model,
            prompt: prompt,
            input: input,
            unknownModels: unknownModels,
            allowsUnknownFields: allowsUnknownFields
        )
    }
}

struct NewJobDefaults {
    var model = JobOptions.defaultModel
    var queue = "default"
    var priority: Int64 = 0
    var runAt: Instant?
    var batch: String?
    var labels: String?
    var maxAttempts = 3
}
