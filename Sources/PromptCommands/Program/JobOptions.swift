import ArgumentParser
import PromptQueue

/// What `add` and `import` say of jobs.
struct JobOptions: ParsableArguments {
    static let defaultModel = JobRequest.defaultModel

    @Option(
        name: .shortAndLong,
        help: "The model. (default: \(JobOptions.defaultModel))",
        completion: .list(Catalogue.builtIn.models.keys.sorted())
    )
    var model: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A field of the model's input. Repeatable; again for a list's next item.",
            valueName: "key=value"
        )
    )
    var input: [KeyValue] = []

    @Flag(help: "Send fields as they are that are spelt almost like one of the model's.")
    var allowUnknown = false

    @Option(
        name: .shortAndLong,
        help: "The queue; it comes into being when first named. (default: default)",
        completion: .queues
    )
    var queue: String?

    @Option(help: "Higher goes first. (default: 0)")
    var priority: Int64?

    @Option(
        help: ArgumentHelp(
            "Not before: 18:00, \"2026-12-24 18:00\" (local time), 2026-12-24T18:00Z, or 2h for two hours from now.",
            valueName: "time"
        )
    )
    var at: String?

    @Option(name: .shortAndLong, help: "A name for jobs that belong together.", completion: .batches)
    var batch: String?

    @Option(help: ArgumentHelp("A label of your own. Repeatable.", valueName: "key=value"))
    var label: [KeyValue] = []

    @Option(help: "How often it may be tried, 1 to 20. (default: 3)")
    var maxAttempts: Int?

    /// How a field is sent that looks misspelt.
    static let allowance = "A field that is meant as it is written is sent with --allow-unknown."

    func validate() throws {
        if let maxAttempts, !(1...20).contains(maxAttempts) {
            throw ValidationError("--max-attempts: \(maxAttempts) is not within 1 to 20.")
        }
        if let queue, !(1...100).contains(queue.unicodeScalars.count) {
            throw ValidationError("--queue: takes 1 to 100 characters.")
        }
        if let batch, !(1...200).contains(batch.unicodeScalars.count) {
            throw ValidationError("--batch: takes 1 to 200 characters.")
        }
    }

    /// When the jobs may start; `nil`: at once.
    func runAt(now: Instant) throws(CommandError) -> Instant? {
        try at.map { text throws(CommandError) in try Self.instant(text, now: now) }
    }

    static func instant(_ text: String, now: Instant) throws(CommandError) -> Instant {
        if let wait = Duration(text: text) { return now + wait }
        if let instant = Instant(iso8601: text) ?? Console.current.instant(local: text, now: now) { return instant }
        throw CommandError(
            .usage,
            "--at: \"\(text)\" is no time; write it like 18:00 or \"2026-12-24 18:00\" in local time, 2026-12-24T18:00Z, "
                + "2026-12-24T18:00+01:00, or 2h from now"
        )
    }

    /// The labels as the column holds them.
    var labels: String? {
        guard !label.isEmpty else { return nil }
        return JSONValue.object(Dictionary(label.map { ($0.key, .string($0.value)) }) { $1 }).json
    }
}

/// `KEY=VALUE`.
struct KeyValue: ExpressibleByArgument, Sendable {
    var key: String
    var value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        key = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}

extension Catalogue {
    /// Reads `KEY=VALUE` texts as the model's fields take them. A list's field given again is its next item.
    ///
    /// - Throws: `CommandError` for another field that is given twice: one of the two would be lost.
    func input(
        _ pairs: some Sequence<(key: String, value: String)>,
        model: String,
        option: String = "--input"
    ) throws(CommandError) -> JSONObject {
        do throws(RepeatedField) {
            return try input(of: pairs, model: model)
        } catch {
            throw CommandError(.usage, "\(option): \(error)")
        }
    }
}
