import PromptQueue

/// What one line of an imported file says of a job. What it does not say is `nil`.
struct ImportRow {
    /// Where it begins; the first line of the file is 1.
    var line = 0
    var prompt: String?
    var model: String?
    var queue: String?
    var priority: Int64?
    var runAt: Instant?
    /// `run_at` without a zone.
    var localRunAt: LocalTime?
    var uniqueKey: String?
    var batch: String?
    var labels: String?
    /// Labels that have columns of their own.
    var ownLabels: [(key: String, value: JSONValue)] = []
    var maxAttempts: Int?
    /// What the template names, in its order; empty without one.
    var values: [String?] = []
    /// The part of the line that becomes the input, in the form of the file. Equal bytes mean equal inputs.
    var input: [UInt8] = []
    /// What is wrong with the line itself: `priority: "high" is not a whole number`.
    var problems: [String] = []
    /// Whether so much is wrong that the rest says nothing: it is not checked then.
    var isUnreadable = false

    static let notUTF8 = "is not UTF-8; save the file with that encoding, or say which it has with --encoding"

    /// One prompt or two: nobody can tell.
    static let mixedLineEnds = """
        has a line end of another kind (CR or LF alone) than the lines before; save the file with one kind of line ends
        """

    mutating func giveUp(_ problem: String) {
        problems.append(problem)
        isUnreadable = true
    }

    /// Sets a column from text, as CSV has it.
    mutating func set(_ column: ImportColumn, text: String) {
        // Spaces around a comma are nobody's intention: " shop" would be a queue of its own, beyond the budget of "shop".
        let text = column == .prompt ? text : text.trimmingSpaces()
        guard !text.isEmpty else { return }
        switch column {
        case .prompt: prompt = text
        case .model: model = text
        case .queue: queue = limited(text, 100, "queue")
        case .batch: batch = limited(text, 200, "batch")
        case .uniqueKey: uniqueKey = text
        case .priority:
            priority = Int64(text)
            if priority == nil { problems.append("priority: \"\(text.prefix(40))\" is not a whole number") }
        case .maxAttempts:
            maxAttempts = Int(text).flatMap { (1...20).contains($0) ? $0 : nil }
            if maxAttempts == nil { problems.append("max_attempts: \"\(text.prefix(40))\" is not within 1 to 20") }
        case .runAt:
            runAt = Self.instant(text)
            if runAt == nil { localRunAt = LocalTime(text) }
            if runAt == nil, localRunAt == nil {
                problems.append(
                    "run_at: \"\(text.prefix(40))\" is no instant; write it like 2026-12-24T18:00Z, or in Unix milliseconds"
                )
            }
        case .labels:
            do {
                guard case .object = try JSONValue(parsing: text) else { throw NotAnObject() }
                labels = text
            } catch {
                guard !CellReader.hasTypographicQuotes(text) else {
                    problems.append("labels: \(CellReader.typographicQuotes)")
                    return
                }
                problems.append("labels: is not a JSON object, like {\"sku\":\"A-1\"}")
            }
        case .input: break
        }
    }

    private struct NotAnObject: Error {}

    /// 0, as in the table, is at once; smaller numbers were meant as seconds.
    private static func instant(_ text: String) -> Instant? {
        if let number = Int64(text) {
            return number == 0 || number >= 100_000_000_000 ? Instant(milliseconds: number) : nil
        }
        return Instant(iso8601: text)
    }

    private mutating func limited(_ text: String, _ maximum: Int, _ column: String) -> String? {
        // No text has more characters than bytes.
        if text.utf8.count > maximum, text.unicodeScalars.count > maximum {
            problems.append("\(column): \(grouped(text.unicodeScalars.count)) characters; takes 1 to \(maximum)")
        }
        return text
    }
}

/// The columns that a file may have, by the names of those of `jobs`.
enum ImportColumn: String, CaseIterable {
    case prompt, model, input, queue, priority, batch, labels
    case runAt = "run_at"
    case uniqueKey = "unique_key"
    case maxAttempts = "max_attempts"

    static var names: String { allCases.map(\.rawValue).joined(separator: " ") }
}

/// Reads one file format.
protocol ImportReader {
    /// Bytes read so far.
    var offset: Int64 { get }

    /// What was made of the file, so far.
    var reading: Reading { get }

    /// Reads the next job into `row`; false at the end.
    /// - Throws: `CommandError` when the file cannot be read on.
    mutating func next(into row: inout ImportRow) throws(CommandError) -> Bool

    /// Makes an input of a row's bytes.
    /// - Throws: `MalformedInput`.
    func input(of bytes: [UInt8], model: CatalogueModel) throws(MalformedInput) -> RowInput
}

/// The input of a line.
struct RowInput {
    var object: JSONObject = [:]
    /// What was taken for something else than it says: `duration: "5,0" is taken for 5`.
    var guesses: [String] = []
}

extension CatalogueModel {
    /// - Throws: `MalformedInput` when a name that stands where columns do is no field of this model.
    func checkFlat(_ name: String) throws(MalformedInput) {
        guard fields != nil, field(named: name) == nil else { return }
        throw MalformedInput(
            message: "\(name): is no field of \(self.name); name it input.\(name) to send it all the same"
        )
    }
}

/// The part of a line that becomes the input is none.
struct MalformedInput: Error {
    var message: String
}

extension ImportRow {
    /// Decodes text from a file; notes what no text may hold.
    mutating func text(_ bytes: some Collection<UInt8>, _ column: String) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            giveUp("\(column): \(ImportRow.notUTF8)")
            return nil
        }
        // SQLite's texts end at the first.
        if text.utf8.contains(0) { problems.append("\(column): holds a NUL character") }
        return text
    }

    mutating func reset(line: Int) {
        self = ImportRow(recycling: input)
        self.line = line
    }

    private init(recycling input: [UInt8]) {
        self.init()
        self.input = input
        self.input.removeAll(keepingCapacity: true)
    }
}
