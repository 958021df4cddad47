import FoundationEssentials
import Glibc
import PromptDaemon
import PromptQueue

@testable import KieAPI
@testable import MediaStore
@testable import PromptCommands
@testable import PromptConfiguration

/// The parsers of bytes that others choose. Each takes any bytes and ends: with a value, or with an error of its own.
///
/// `make fuzz` lets libFuzzer choose them, by what code they reach; the tests run the corpus and seeded changes of it.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// The answer to createTask; the first byte chooses the status.
    case createTask
    /// The answer to recordInfo, and the URLs of its results.
    case recordInfo
    case callback
    /// Headers of a media server and of the API, a line each.
    case headers
    /// The first bytes of a file, and its end.
    case media
    case url
    case json
    /// Texts on their way to a terminal, a log or a label.
    case text
    case csv
    case jsonl
    case txt
    /// An input with its fields, against a model of the catalogue; the first byte chooses the model.
    case template
    /// The OpenAPI document of a model; the first byte chooses the model that it is about.
    case schema
    case configuration
    case durations
    case instants

    /// Does what promptd does with such bytes.
    package func run(_ bytes: [UInt8]) {
        switch self {
        case .createTask:
            _ = CreateTaskAnswer.outcome(httpStatus: Self.status(bytes), body: Array(bytes.dropFirst()))
        case .recordInfo:
            let answer = RecordInfoAnswer.answer(httpStatus: Self.status(bytes), body: Array(bytes.dropFirst()))
            if case .succeeded(let outputs, let charged, let took, let unread) = answer.outcome {
                for case .file(let url) in outputs.map(\.content) { _ = WebURL(url) }
                _ = charged.map { $0 + $0 }
                _ = took.map { Instant(milliseconds: .max) + $0 }
                _ = unread.map(BoundedText.document)
            }
        case .callback:
            _ = CallbackBody(Data(bytes))
        case .headers:
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            let texts = lines.map(String.init) + ["", "", ""]
            _ = ContentRange(text: texts[0])
            _ = AnswerHeaders(retryAfter: texts[0], location: texts[1], date: texts[2])
            _ = MediaRange.validator(entityTag: texts[0], lastModified: texts[1], date: texts[2])
        case .media:
            let head = Array(bytes.prefix(FileType.sniffedBytes))
            _ = try? MediaCheck.problem(head: head, count: Int64(bytes.count), url: "https://x/y.png") {
                offset,
                count in
                Array(bytes.dropFirst(Int(clamping: offset)).prefix(Int(clamping: count)))
            }
        case .url:
            if let url = WebURL(String(decoding: bytes, as: UTF8.self)) { precondition(url.port ?? 1 > 0) }
        case .json:
            for parsed in [try? JSONValue(parsing: Data(bytes)), try? JSONValue(answer: bytes)] {
                guard let value = parsed else { continue }
                // What was read is written so that it reads the same.
                let again = try? JSONValue(answer: Array(value.json.utf8))
                precondition(again != nil, "what was written cannot be read")
            }
        case .text:
            let text = String(decoding: bytes, as: UTF8.self)
            let line = PlainText.oneLine(text)
            precondition(!line.unicodeScalars.contains(where: PlainText.isHarmful), "harmful")
            precondition(BoundedText.message(text).utf8.count <= 8_192, "not bounded")
            _ = PlainText.escaped(text)
            _ = Suggestion.nearest(to: BoundedText.word(text), among: ["limits.submissions"])
        case .csv: Self.read(bytes) { try CSVReader($0, name: "f", Self.rules) }
        case .jsonl: Self.read(bytes) { JSONLineReader($0, Self.rules) }
        case .txt: Self.read(bytes) { TextReader($0) }
        case .template:
            guard let first = bytes.first else { return }
            let model = Self.models[Int(first) % Self.models.count]
            guard let object = (try? JSONValue(parsing: Data(bytes.dropFirst())))?.objectValue else { return }
            let job = Catalogue.builtIn.prepare(
                model: model.name,
                prompt: "a red fox",
                input: object,
                unknownModels: .allow
            )
            if case .ready(let prepared) = job { _ = PriceBook().estimate(of: prepared, model: model.name) }
        case .schema:
            guard let first = bytes.first, let value = try? JSONValue(answer: Array(bytes.dropFirst())) else { return }
            let model = Self.models[Int(first) % Self.models.count]
            let said = ProviderModel(
                name: model.name,
                pricing: value.objectValue?["pricingDesc"]?.stringValue,
                inputSchema: OpenAPIDocument(value)?.inputSchema ?? value.objectValue,
                readAt: Catalogue.builtInDate
            )
            let catalogue = Catalogue(models: [model]).with([said])
            _ = CatalogueDifference(from: Catalogue(models: [model]), to: catalogue)
            _ = catalogue.prepare(model: model.name, prompt: "a red fox", input: [:])
        case .configuration:
            Self.withFile(bytes) { path in try? ConfigurationFile.check(path) }
        case .durations:
            if let duration = Duration(text: String(decoding: bytes, as: UTF8.self)) {
                precondition(Duration(text: duration.text) == duration)
            }
        case .instants:
            let text = String(decoding: bytes, as: UTF8.self)
            if let instant = Instant(iso8601: text) { _ = instant.iso8601 }
            _ = HTTPDate.instant(text)
            // A row may hold any number.
            let number = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            _ = Instant(milliseconds: Int64(truncatingIfNeeded: number)).iso8601
        }
    }

    private static func status(_ bytes: [UInt8]) -> Int {
        let statuses = [
            200, 400, 401, 402, 403, 404, 408, 422, 429, 451, 455, 500, 501, 502, 503, 504, 505, 520, 599, 100,
        ]
        return statuses[Int(bytes.first ?? 0) % statuses.count]
    }

    private static func read<Reader: ImportReader>(_ bytes: [UInt8], _ make: (ByteSource) throws -> Reader) {
        withFile(bytes) { path in
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return }
            defer { close(descriptor) }
            var survey = FileSurvey()
            survey.look(at: bytes)
            let encoding = FileSurvey.encoding(bytes) ?? (try? survey.encoding()) ?? .macRoman
            let source = ByteSource(descriptor: descriptor, name: "f", encoding: encoding)
            guard var reader = try? make(source), let model = models.first else { return }
            var row = ImportRow()
            while (try? reader.next(into: &row)) == true {
                if !row.isUnreadable { _ = try? reader.input(of: row.input, model: model) }
            }
        }
    }

    private static let rules: ColumnRules = {
        var rules = ColumnRules(.builtIn, model: models.first?.name ?? "")
        rules.extra = .labels
        rules.template = try? PromptTemplate("a {colour} {prompt}")
        rules.given = ["colour"]
        return rules
    }()
    private static let models = Catalogue.builtIn.models.values.sorted { $0.name < $1.name }

    /// A file in memory, for as long as `body` runs.
    private static func withFile(_ bytes: [UInt8], _ body: (String) -> Void) {
        let path = "/dev/shm/promptd-fuzz-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { return }
        body(path)
        unsafe unlink(path)
    }
}
