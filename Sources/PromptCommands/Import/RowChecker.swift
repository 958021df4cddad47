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

    init(_ context: ImportContext) { self.context = context }

    /// - Returns: a job for each combination of the matrix; none if there are problems.
    mutating func jobs(
        of row: ImportRow,
        _ reader: some ImportReader
    ) -> (jobs: [NewJob], problems: [String]) {
        guard !row.isUnreadable else { return ([], row.problems) }
        let defaults = context.defaults
        let model = row.model ?? defaults.model
        var problems = row.problems
        var jobs: [NewJob] = []
        for (template, combination) in zip(templates(of: row, model, reader), context.matrix.combinations) {
            do throws(InputRefused) {
                let estimate = try template.estimate(prompt: row.prompt, context)
                guard problems.isEmpty else { continue }
                var job = NewJob(
                    prompt: row.prompt,
                    model: model,
                    input: template.json,
                    queue: row.queue ?? defaults.queue
                )
                job.priority = row.priority ?? defaults.priority
                job.runAt = row.runAt ?? defaults.runAt
                job.batch = row.batch ?? defaults.batch
                job.labels = row.labels ?? defaults.labels
                job.maxAttempts = row.maxAttempts ?? defaults.maxAttempts
                job.uniqueKey = row.uniqueKey.map { combination.isEmpty ? $0 : Matrix.key($0, combination) }
                job.allowsUnknownFields = context.allowsUnknownFields
                job.estimate = estimate
                jobs.append(job)
            } catch {
                for problem in error.problems where !problems.contains(problem) { problems.append(problem) }
            }
        }
        return problems.isEmpty ? (jobs, []) : ([], problems)
    }

    private mutating func templates(
        of row: ImportRow,
        _ model: String,
        _ reader: some ImportReader
    ) -> [InputTemplate] {
        let key = Key(model: model, hasPrompt: row.prompt != nil, input: row.input)
        if let found = templates[key] { return found }
        let made = makeTemplates(of: row, model, reader)
        // Files with an input of its own in each line would fill the memory for nothing.
        if templates.count >= 2_000 { templates.removeAll(keepingCapacity: true) }
        templates[key] = made
        if unknownFields.count < 10 {
            for field in made.flatMap(\.unknownFields) {
                unknownFields.insert("\(model) does not list the field \(field)")
            }
        }
        return made
    }

    private func makeTemplates(
        of row: ImportRow,
        _ name: String,
        _ reader: some ImportReader
    ) -> [InputTemplate] {
        let model =
            context.catalogue.model(named: name) ?? CatalogueModel(name: name, media: .image, fields: nil, source: "")
        let own: JSONObject
        do throws(MalformedInput) {
            own = try reader.input(of: row.input, model: model)
        } catch {
            return context.matrix.combinations.map { _ in InputTemplate(malformed: error.message) }
        }
        if let twice = context.matrix.fields.intersection(own.keys).min() {
            let message = "\(twice): is given by the line and by --matrix"
            return context.matrix.combinations.map { _ in InputTemplate(malformed: message) }
        }
        return context.matrix.combinations.map { combination in
            var object: JSONObject
            do throws(CommandError) {
                object = try context.catalogue.input(context.input + combination, model: name)
            } catch {
                return InputTemplate(malformed: error.message)
            }
            object.merge(own) { $1 }
            return InputTemplate(object, model: name, hasPrompt: row.prompt != nil, context)
        }
    }
}
