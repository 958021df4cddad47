import Hummingbird
import PromptQueue

// The form that adds jobs, made of what the catalogue says a model takes.
extension Dashboard {
    func addForm(to router: Router<BasicRequestContext>) {
        page(router, "add") { pages, fields, _ in
            guard Visitor.current.session != nil else {
                throw PageProblem(.unauthorized, "Log in first: jobs are added with the token.")
            }
            return try await pages.addPage(try await pages.prefilled(fields), problems: [])
        }
        post(router, "add") { pages, changes, fields, session, _ in
            // The fields of another model are shown first: what it takes and costs is none of this one's.
            let model = PlainText.oneLine(AddFields(fields).model)
            if fields["fields"] != nil || fields["shown"] != nil && fields["shown"] != model {
                return pages.html(.ok, try await pages.addPage(fields, problems: []))
            }
            let (jobs, notes, problems) = try await pages.jobs(asked: fields, changes)
            guard problems.isEmpty else {
                return pages.html(.badRequest, try await pages.addPage(fields, problems: problems))
            }
            return pages.keep(
                try await changes.plan(adding: jobs, notes: notes, now: pages.now(), back: "/add"),
                changes,
                session
            )
        }
    }

    /// - Parameter fields: may name a job that another one is to be like.
    private func prefilled(_ fields: FormFields) async throws -> FormFields {
        guard let id = try JobQuery.job(fields["like"], "like") else { return fields }
        guard let job = try await source.read({ try $0.details(of: id) })?.job else {
            throw PageProblem.notFound("There is no job \(id).")
        }
        var filled = FormFields()
        filled.append("model", stored: job.model)
        filled.append("prompt", stored: job.prompt ?? "")
        filled.append("queue", stored: job.queue)
        filled.append("batch", stored: job.batch ?? "")
        filled.append("priority", "\(job.priority)")
        for (name, value) in parsed(job.input).objectValue?.sorted(by: { $0.key < $1.key }) ?? [] {
            for item in value.arrayValue ?? [value] { filled.append("input.\(name)", item.stringValue ?? item.json) }
            filled.append(AddFields.kept("input.\(name)"), URLText.encoded(value.json))
        }
        if let labels = job.labels, let object = parsed(labels).objectValue {
            filled.append("labels", AddFields.lines(of: object).joined(separator: "\n"))
            filled.append(AddFields.kept("labels"), URLText.encoded(labels))
        }
        return filled
    }

    private func addPage(_ fields: FormFields, problems: [String]) async throws -> PageContent {
        let (prices, queues) = try await source.read { reader in (try ModelPrices(reader), try reader.queues()) }
        return PageContent("add", AddView(fields, prices, queues.prefix(200).map(\.name), problems))
    }

    private static let mostCopies = 1_000

    /// The jobs that a form asks for, each with a key of its own: what is confirmed twice is added once.
    private func jobs(
        asked fields: FormFields,
        _ changes: WebChanges
    ) async throws -> (jobs: [NewJob], notes: [String], problems: [String]) {
        let number = Int(fields["count"] ?? "1") ?? 0
        guard (1...Self.mostCopies).contains(number) else {
            return ([], [], ["How many: takes a number from 1 to \(grouped(Self.mostCopies))"])
        }
        let asked = try await changes.look { file -> (JobRequest.Checked, [String]) in
            let status = try file.status()
            let form = AddFields(fields)
            var request = JobRequest(prompts: [form.prompt], model: form.model)
            do {
                let kept = form.keptInput()
                let written = form.input().filter { kept[$0.key] == nil }
                request.input = try status.catalogue.input(of: written, model: form.model).merging(kept) { $1 }
                request.priority = try form.priority
                request.runAt = try form.runAt
                request.labels = try form.labels
            } catch let error as RepeatedField {
                return (JobRequest.Checked(), [error.description])
            } catch let error as PageProblem {
                return (JobRequest.Checked(), [error.message])
            }
            request.queue = fields.written("queue") ?? request.queue
            request.batch = fields.written("batch")
            request.allowsUnknownFields = fields["allow_unknown"] != nil
            let checked = request.checked(status.catalogue, status.prices, unknownModels: changes.unknownModels())
            guard let job = checked.jobs.first else { return (checked, checked.problems) }
            return (checked, try ReferenceCheck(catalogue: status.catalogue, file: file).problems(of: job))
        }
        guard asked.1.isEmpty, let job = asked.0.jobs.first else { return ([], [], asked.1) }
        let key = "web-" + Hex.text(WebAccess.random(8))
        let jobs = (1...number).map { copy in
            var job = job
            job.uniqueKey = "\(key)-\(copy)"
            return job
        }
        let notes = asked.0.unknownFields.map { "\(job.model) does not list the field \($0); it is sent as it is." }
        return (jobs, notes, [])
    }
}

/// What the form shows.
struct AddView {
    struct Choice {
        let value: String
        let isOn: Bool
    }

    /// What another job has, as it is stored.
    struct KeptField {
        let keptName: String
        let keptValue: String
    }

    struct FieldView {
        let fieldName: String
        let formName: String
        let isRequired: Bool
        let isChoice: Bool
        let isLong: Bool
        let isShort: Bool
        let standard: String
        let text: String
        let options: [Choice]
        let hint: String?

        init(_ field: Field, _ text: String) {
            fieldName = field.name
            formName = "input.\(field.name)"
            isRequired = field.isRequired && field.defaultValue == nil
            self.text = text
            let values =
                field.type == .boolean
                ? ["true", "false"] : field.allowedValues.map { $0.stringValue ?? $0.json }
            isChoice = !values.isEmpty && field.type != .array
            isLong = !isChoice && (field.type == .array || field.type == .object)
            isShort = !isChoice && !isLong
            options = values.map { Choice(value: $0, isOn: $0 == text) }
            standard = field.defaultValue.map { "default: \($0.stringValue ?? $0.json)" } ?? (isChoice ? "not set" : "")
            let list = field.type == .array ? "a list, one on each line" : nil
            hint = list ?? field.note
        }
    }

    let frame: Frame
    let problems: [String]
    let hasProblems: Bool
    let model: StoredText
    let models: [String]
    let price: String
    let promptLabel: String
    let prompt: StoredText
    let fields: [FieldView]
    let other: String
    let queue: StoredText
    let queues: [String]
    let batch: StoredText
    let number: String
    let priority: String
    let runAt: String
    let labels: String
    let kept: [KeptField]
    let allowsUnknown: Bool

    init(_ fields: FormFields, _ prices: ModelPrices, _ queues: [String], _ problems: [String]) {
        frame = Frame("Add jobs", at: "/add")
        let form = AddFields(fields)
        model = StoredText(form.model)
        let known = prices.catalogue.model(named: form.model)
        self.problems = problems
        hasProblems = !problems.isEmpty
        models = prices.catalogue.models.keys.sorted()
        price = known?.priceInBrief(prices) ?? "not in the catalogue"
        let promptField = known?.promptField ?? "prompt"
        promptLabel = promptField == "prompt" ? "Prompt" : "Prompt (\(promptField))"
        prompt = StoredText(form.prompt ?? "", hasLines: true)
        let shown = (known?.fields ?? []).filter { $0.name != promptField }
        self.fields = shown.map { FieldView($0, form.text(of: $0.name)) }
        other = form.others(than: shown.map(\.name))
        self.queues = StoredText.suggestions(queues)
        queue = StoredText(fields.written("queue") ?? "default")
        batch = StoredText(fields.written("batch") ?? "")
        number = fields["count"] ?? "1"
        priority = fields["priority"] ?? "0"
        runAt = fields["run_at"] ?? ""
        labels = fields["labels"] ?? ""
        kept = fields.all.filter { AddFields.isKept($0.name) }.map { KeptField(keptName: $0.name, keptValue: $0.value) }
        allowsUnknown = fields["allow_unknown"] != nil
    }
}
