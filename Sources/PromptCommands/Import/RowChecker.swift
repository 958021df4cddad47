import PromptQueue

/// Makes jobs of lines, or says what is wrong with them.
struct RowChecker {
    private struct Key: Hashable {
        var model: String
        var hasPrompt: Bool
        var input: [UInt8]
    }

    let context: ImportContext
    private var templates: [Key: [InputTemplate]] = [:]
    /// `flux-2/flex-text-to-image: fps`; no more than a few are worth a warning.
    private(set) var unknownFields: Set<String> = []

    /// What was taken for something else than it says.
    private(set) var guesses = Guesses()

    init(_ context: ImportContext) { self.context = context }

    /// - Returns: a job for each combination of the matrix; none if there are problems.
    mutating func jobs(
        of row: ImportRow,
        _ reader: some ImportReader
    ) -> (jobs: [NewJob], problems: [String]) {
        guard !row.isUnreadable else { return ([], row.problems) }
        let defaults = context.defaults
        var problems = row.problems
        let runAt = runAt(of: row, &problems)
        if row.model != nil, context.matrix.hasModel { problems.append("model: is given by the line and by --matrix") }
        for (key, _) in row.ownLabels where context.matrix.labels.contains(key) {
            problems.append("label.\(BoundedText.word(key)): is given by the line and by --matrix")
        }
        var jobs: [NewJob] = []
        for (template, combination) in zip(templates(of: row, reader), context.matrix.combinations) {
            let model = combination.model ?? row.model ?? defaults.model
            guard let prompt = prompt(of: row, combination, &problems) else { continue }
            do throws(InputRefused) {
                let estimate = try template.estimate(prompt: prompt, context)
                guard problems.isEmpty else { continue }
                var job = NewJob(
                    prompt: prompt,
                    model: model,
                    input: template.json,
                    queue: row.queue ?? defaults.queue
                )
                job.priority = row.priority ?? defaults.priority
                job.runAt = runAt ?? defaults.runAt
                job.batch = row.batch ?? defaults.batch
                job.labels = labels(of: row, combination)
                job.maxAttempts = row.maxAttempts ?? defaults.maxAttempts
                job.uniqueKey = row.uniqueKey.map { combination.pairs.isEmpty ? $0 : combination.extend($0) }
                job.allowsUnknownFields = context.allowsUnknownFields
                job.estimate = estimate
                jobs.append(job)
                for guess in template.guesses { guesses.note(guess, row.line) }
            } catch {
                for problem in error.problems where !problems.contains(problem) { problems.append(problem) }
            }
        }
        return problems.isEmpty ? (jobs, []) : ([], problems)
    }

    private mutating func runAt(of row: ImportRow, _ problems: inout [String]) -> Instant? {
        guard let local = row.localRunAt else { return row.runAt }
        let instants = local.instants(context.secondsFromUTC)
        guard let instant = instants.first, instants.count == 1 else {
            problems.append(
                "run_at: \"\(local.text)\" is \(instants.isEmpty ? "no time" : "there twice") in local time, "
                    + "as the clocks change; add the zone, like \(local.example)"
            )
            return nil
        }
        if problems.isEmpty {
            let zone = local.iso8601(at: instant).suffix(6)
            guesses.note("run_at has no zone, and is read in local time, UTC\(zone)", row.line)
        }
        return instant
    }

    /// The prompt of a line, by the template if there is one.
    ///
    /// - Returns: `nil` if the template cannot be filled.
    private func prompt(
        of row: ImportRow,
        _ combination: Matrix.Combination,
        _ problems: inout [String]
    ) -> String?? {
        guard let template = context.columns.template else { return .some(row.prompt) }
        var found: [String] = []
        if row.prompt != nil, !template.uses(ImportColumn.prompt.rawValue) {
            found.append("prompt: is not used by --template; put {prompt} into it, or leave it out with --columns")
        }
        var values: [String] = []
        for (place, name) in template.names.enumerated() {
            let key = template.keys[place]
            var value = place < row.values.count ? row.values[place] : nil
            if value == nil, key == ImportColumn.prompt.rawValue { value = row.prompt }
            if let axis = context.matrix.axis(key) {
                if value != nil { found.append("\(name): is given by the line and by --matrix") }
                value = combination.pairs[axis].value
            }
            if value == nil || value == "" { found.append("\(name): is missing or empty, and --template needs it") }
            values.append(value ?? "")
        }
        for problem in found where !problems.contains(problem) { problems.append(problem) }
        return found.isEmpty ? template.prompt(values) : nil
    }

    private func labels(of row: ImportRow, _ combination: Matrix.Combination) -> String? {
        let base = row.labels ?? context.defaults.labels
        let own = row.ownLabels + combination.labels.map { ($0.key, .string($0.value)) }
        guard !own.isEmpty else { return base }
        var object = base.flatMap { try? JSONValue(parsing: $0) }?.objectValue ?? [:]
        for (key, value) in own { object[key] = value }
        return JSONValue.object(object).json
    }

    private mutating func templates(of row: ImportRow, _ reader: some ImportReader) -> [InputTemplate] {
        let model = row.model ?? context.defaults.model
        let hasPrompt = row.prompt != nil || context.columns.template != nil
        let key = Key(model: model, hasPrompt: hasPrompt, input: row.input)
        if let found = templates[key] { return found }
        let made = context.matrix.combinations.map { combination in
            makeTemplate(of: row, combination.model ?? model, hasPrompt, combination, reader)
        }
        // Files with an input of its own in each line would fill the memory for nothing.
        if templates.count >= 2_000 { templates.removeAll(keepingCapacity: true) }
        templates[key] = made
        if unknownFields.count < 10 {
            for (template, combination) in zip(made, context.matrix.combinations) {
                for field in template.unknownFields {
                    unknownFields.insert("\(combination.model ?? model) does not list the field \(field)")
                }
            }
        }
        return made
    }

    private func makeTemplate(
        of row: ImportRow,
        _ name: String,
        _ hasPrompt: Bool,
        _ combination: Matrix.Combination,
        _ reader: some ImportReader
    ) -> InputTemplate {
        let model =
            context.catalogue.model(named: name) ?? CatalogueModel(name: name, media: .image, fields: nil, source: "")
        let own: RowInput
        do throws(MalformedInput) {
            own = try reader.input(of: row.input, model: model)
        } catch {
            return InputTemplate(malformed: error.message)
        }
        let fields = context.matrix.fields(combination, model, context.columns.template)
        if let twice = fields.map(\.key).filter({ own.object[$0] != nil }).min() {
            return InputTemplate(malformed: "\(twice): is given by the line and by --matrix")
        }
        var object: JSONObject
        do throws(CommandError) {
            let given = try context.catalogue.input(context.input + fields, model: name)
            object = try context.files.replacing(given, model, from: context.ownDirectory)
            object.merge(try context.files.replacing(own.object, model, from: context.directory)) { $1 }
        } catch {
            return InputTemplate(malformed: error.message)
        }
        var template = InputTemplate(object, model: name, hasPrompt: hasPrompt, context)
        template.guesses = own.guesses
        return template
    }
}
