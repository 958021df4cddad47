import ContactSheets
import PromptQueue

/// What is fetched as a file, for the description of the interface.
struct FileRoute {
    let path: String
    let summary: String
    let contentTypes: [String]
    let takesChoice: Bool
    let canWait: Bool

    static let all = [
        FileRoute("/media/{job}/{ordinal}", "The file of a result, whole or in part.", ["*/*"]),
        FileRoute(
            "/media/{job}/{ordinal}/small",
            "A small picture of a result; the file itself where none can be made.",
            ["image/webp", "image/svg+xml", "*/*"]
        ),
        FileRoute("/gallery.zip", "The files of results, as one archive.", ["application/zip"], takesChoice: true),
        FileRoute(
            "/gallery.html",
            "A contact sheet of results: a page with everything in it, of at most \(Dashboard.mostOnPage) results.",
            ["text/html"],
            takesChoice: true
        ),
        FileRoute(
            "/gallery.png",
            "A contact sheet of results: one picture, of at most \(ContactSheet.mostItems) results.",
            ["image/png"],
            takesChoice: true,
            canWait: true
        ),
    ]

    private init(
        _ path: String,
        _ summary: String,
        _ contentTypes: [String],
        takesChoice: Bool = false,
        canWait: Bool = false
    ) {
        self.path = path
        self.summary = summary
        self.contentTypes = contentTypes
        self.takesChoice = takesChoice
        self.canWait = canWait
    }

    /// As OpenAPI describes it.
    var operation: JSONObject {
        let inPath = path.split(separator: "/").filter { $0.hasPrefix("{") }.map { name -> JSONValue in
            .object([
                "name": .string(String(name.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": .object(["type": "integer"]),
            ])
        }
        let file: JSONValue = .object(["schema": .object(["type": "string", "format": "binary"])])
        var responses: JSONObject = [
            "200": .object([
                "description": "The file.",
                "content": .object(Dictionary(uniqueKeysWithValues: contentTypes.map { ($0, file) })),
            ]),
            "default": .object([
                "description": "Why not, as a page.",
                "content": .object(["text/html": .object(["schema": .object(["type": "string"])])]),
            ]),
        ]
        if canWait {
            responses["503"] = .object([
                "description": """
                Not now: with Retry-After, small pictures are still being made, and what was made is kept for whoever asks again; \
                without, the page says why.
                """
            ])
        }
        return [
            "summary": .string(summary), "parameters": .array(inPath + (takesChoice ? Self.choice : [])),
            "responses": .object(responses),
        ]
    }

    private static let choice: [JSONValue] = [
        ("item", "a result, like 12-0; any number of them, and then nothing else counts", true),
        ("batch", "those of one batch", false), ("queue", "those of one queue", false),
        ("model", "those of one model", false), ("label", "those with a label, like sku=A-1", true),
        ("search", "those whose prompts have these words", false),
    ]
    .map { name, summary, isList in
        .object([
            "name": .string(name), "in": "query", "description": .string(summary),
            "schema": .object(
                isList ? ["type": "array", "items": .object(["type": "string"])] : ["type": "string"]
            ),
        ])
    }
}
