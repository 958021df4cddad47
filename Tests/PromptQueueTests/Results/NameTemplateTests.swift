import Testing

@testable import PromptQueue

/// What results are named.
@Suite struct NameTemplateTests {
    private static func fields(
        _ labels: JSONObject = ["sku": "TEA-002"],
        batch: String? = "tea",
        key: String? = nil,
        prompt: String? = "A tin of green tea, on a stone table!",
        job: Int64 = 41
    ) -> NameFields {
        NameFields(
            result: ResultID(job: JobID(job), ordinal: 0),
            origin: JobOrigin(queue: "shop", batch: batch),
            model: "flux-2/flex-text-to-image",
            uniqueKey: key,
            labels: labels,
            prompt: prompt,
            createdAt: Instant(milliseconds: 1_796_000_000_000)
        )
    }

    private static func name(_ template: String, _ fields: NameFields) throws -> String {
        try #require(ResultName(try NameTemplate(template), fields).candidates(extension: "png").first)
    }

    static let names: [(String, String)] = [
        ("{batch}/{id}-{ordinal}.{ext}", "tea/41-0.png"),
        ("{batch}/{label.sku}-{ordinal}.{ext}", "tea/TEA-002-0.png"),
        (
            "{queue}/{date}/{model}/{prompt}_{ordinal}.{ext}",
            "shop/2026-11-30/flux-2_flex-text-to-image/a-tin-of-green-tea-on-a-stone-table_0.png"
        ),
        ("{label.client}/{id}-{ordinal}.{ext}", "none/41-0.png"),
        ("{batch}/{label.none}-{ordinal}.{ext}", "tea/41-0.png"),
        ("{batch}/{label.none|key|label.sku}-{ordinal}.{ext}", "tea/TEA-002-0.png"),
        ("shop pictures/{id}.{ordinal}.{ext}", "shop pictures/41.0.png"),
    ]

    @Test(arguments: names)
    func `fields stand for what the job has`(template: String, expected: String) throws {
        #expect(try Self.name(template, Self.fields()) == expected)
    }

    @Test func `what is made without a setting stays as it was`() throws {
        #expect(try NameTemplate(NameTemplate.standard.text) == .standard)
        #expect(try Self.name(NameTemplate.standard.text, Self.fields(batch: nil)) == "shop/41-0.png")
        for (name, _) in PathPartTests.names where !name.isEmpty {
            let found = try Self.name(NameTemplate.standard.text, Self.fields(batch: name))
            let isBlank = name.trimmingSpaces().isEmpty
            #expect(found == "\(isBlank ? "none" : PathPart.safe(name.trimmingSpaces()))/41-0.png", "\(name)")
        }
    }

    static let mistakes: [(String, String)] = [
        ("{batch}/{id}-{ordinal}.png", "does not end in .{ext}"),
        ("/{batch}/{id}-{ordinal}.{ext}", "begins with a slash"),
        ("{id}-{ordinal}.{ext}", "names no folder"),
        ("{batch}//{id}-{ordinal}.{ext}", "two slashes"),
        ("{batch}/.{ext}", "two slashes in a row, or one before .{ext}"),
        ("../{id}-{ordinal}.{ext}", "begins with a dot"),
        ("a/../{id}-{ordinal}.{ext}", "begins with a dot"),
        (".partial/{id}-{ordinal}.{ext}", "begins with a dot"),
        ("-rf/{id}-{ordinal}.{ext}", "begins with a dot, a hyphen"),
        ("a./{id}-{ordinal}.{ext}", "ends in a dot"),
        ("{batch}/{id}.{ext}", "has no {ordinal}"),
        ("{batch}/{label.n|ordinal}.{ext}", "has no {ordinal}"),
        ("{ordinal}/{id}-{ordinal}.{ext}", "{ordinal} in a folder's name"),
        ("{batch}/{colour}-{ordinal}.{ext}", "unknown field {colour}"),
        ("{batch}/{label.}-{ordinal}.{ext}", "unknown field {label.}"),
        ("{batch}/{ext}-{ordinal}.{ext}", "{ext} elsewhere"),
        ("{batch/{id}-{ordinal}.{ext}", "{ without its }"),
        ("{batch}/a:b-{ordinal}.{ext}", "U+3A"),
        ("{batch}/a\u{1B}[31m-{ordinal}.{ext}", "U+1B"),
        ("a/b/c/d/e/f/g/h/i/{id}-{ordinal}.{ext}", "9 folders"),
        (String(repeating: "x", count: 120) + "/{id}-{ordinal}.{ext}", "shorten it"),
    ]

    @Test(arguments: mistakes)
    func `what cannot name every result is refused`(template: String, reason: String) {
        let problem = #expect(throws: NameTemplate.Problem.self) { try NameTemplate(template) }
        #expect(problem?.description.contains(reason) == true, "\(problem?.description ?? "")")
    }

    @Test func `values of producers lead nowhere, and leave room for what follows`() throws {
        let hostile = [
            "../../etc", "/abs", "..", ".hidden", "a\u{0}b", "\u{202E}gnp", "CON", "-rf", " ", "🦊",
            String(repeating: "日", count: 400),
        ]
        let templates = [
            "{label.x}/{label.x}-{ordinal}.{ext}", "{label.x}{ordinal}/../{id}.{ext}",
            "{label.x}-{label.x}-{key}-{prompt}/{label.x}{label.x}{label.x}{key}{model}-{id}-{ordinal}.{ext}",
        ].compactMap { try? NameTemplate($0) }
        #expect(templates.count == 2)
        for template in templates {
            for value in hostile {
                let fields = Self.fields(["x": .string(value)], batch: value, key: value, prompt: value, job: .max)
                for path in ResultName(template, fields).candidates(extension: "webp") {
                    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
                    #expect(parts.count == 2)
                    for part in parts {
                        #expect(
                            !part.isEmpty && !part.hasPrefix(".") && !part.hasPrefix("-") && part.utf8.count <= 255,
                            "\(path)"
                        )
                        #expect(part.unicodeScalars.allSatisfy { PathPart.isPlain($0) || $0 == "~" }, "\(path)")
                    }
                    #expect(parts[0].utf8.count <= 100)
                    #expect(path.contains("0.webp") || path.contains("\(Int64.max)"), "\(path)")
                }
            }
        }
    }

    @Test func `a name that is taken gets the job's number, then a count`() throws {
        let names = ResultName(try NameTemplate("{batch}/{label.sku}-{ordinal}.{ext}"), Self.fields())
            .candidates(extension: "jpg")
        #expect(names.prefix(3) == ["tea/TEA-002-0.jpg", "tea/TEA-002-0-41.jpg", "tea/TEA-002-0-41~2.jpg"])
        let own = ResultName(.standard, Self.fields()).candidates(extension: "jpg")
        #expect(own.prefix(2) == ["tea/41-0.jpg", "tea/41-0~2.jpg"])
        #expect(names.count == 100 && own.count == 100)
    }

    @Test func `no result is named like a sidecar`() throws {
        let template = try NameTemplate("{batch}/{label.n}{ordinal}.{ext}")
        let fields = Self.fields(["n": 12])
        #expect(ResultName(template, fields).candidates(extension: "json").first == "tea/_120.json")
        #expect(ResultName(template, fields).candidates(extension: "png").first == "tea/120.png")
    }
}
