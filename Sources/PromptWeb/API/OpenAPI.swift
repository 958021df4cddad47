import PromptQueue

/// The description of the interface (https://spec.openapis.org/oas/v3.1.0), made of its routes.
enum OpenAPI {
    static var document: JSONObject {
        [
            "openapi": "3.1.0",
            "info": .object([
                "title": "promptd", "version": .string(Version.current),
                "description": """
                What is in promptd's queue, and what may be done to it with the token of web.tokenFile. Instants are ISO 8601 in UTC, money is in credits, and the words are those of \
                promptctl --json.
                """,
            ]),
            "paths": .object(
                API.actions.reduce(
                    into: API.routes.reduce(into: files.merging(["/api/v1/\(API.live)": live]) { $1 }) { paths, route in
                        paths["/api/v1/\(route.path)"] = .object(["get": .object(operation(route))])
                    }
                ) { paths, action in
                    let place = "/api/v1/\(action.path)"
                    var operations = paths[place]?.objectValue ?? [:]
                    operations["post"] = .object(operation(action))
                    paths[place] = .object(operations)
                }
            ),
            "components": .object([
                "schemas": .object(["Error": error]),
                "securitySchemes": .object(["token": .object(["type": "http", "scheme": "bearer"])]),
            ]),
        ]
    }

    private static var files: JSONObject {
        FileRoute.all.reduce(into: [:]) { $0[$1.path] = .object(["get": .object($1.operation)]) }
    }

    private static var live: JSONValue {
        .object([
            "get": .object([
                "summary": "The status whenever somebody has committed, at most twice a second, as server-sent events.",
                "responses": .object([
                    "200": .object([
                        "description": """
                        An endless stream; each event `status` has the answer of /api/v1/status, each event `jobs` the jobs \
                        whose states have changed since the one before: `{"jobs": [{"job", "state", "queue", "batch"}], \
                        "complete"}`; if not complete, there were more.
                        """,
                        "content": .object(["text/event-stream": .object(["schema": .object(["type": "string"])])]),
                    ])
                ]),
            ])
        ])
    }

    private static func operation(_ route: APIRoute) -> JSONObject {
        let inPath = route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { name -> JSONValue in
            .object([
                "name": .string(String(name.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": .object(["type": "integer"]),
            ])
        }
        let inQuery = route.parameters.map { parameter -> JSONValue in
            var schema: JSONObject = ["type": parameter.name == "limit" ? "integer" : "string"]
            if !parameter.values.isEmpty { schema["enum"] = .array(parameter.values.map { .string($0) }) }
            let isList = ["state", "label"].contains(parameter.name)
            return .object([
                "name": .string(parameter.name), "in": "query", "description": .string(parameter.summary),
                "schema": .object(isList ? ["type": "array", "items": .object(schema)] : schema),
            ])
        }
        return [
            "summary": .string(route.summary),
            "parameters": .array(inPath + inQuery),
            "responses": .object([
                "200": .object(["description": "As asked.", "content": content(schema(route.answers))]),
                "default": .object([
                    "description": "Why not.",
                    "content": content(.object(["$ref": "#/components/schemas/Error"])),
                ]),
            ]),
        ]
    }

    private static func operation(_ action: APIAction) -> JSONObject {
        let properties = action.fields.reduce(into: JSONObject()) { $0[$1.name] = .object($1.schema) }
        let key: JSONValue = .object([
            "name": "Idempotency-Key", "in": "header",
            "description": .string(
                "1 to 200 visible ASCII characters, for this request alone: repeated with it after a lost answer, nothing is added "
                    + "twice; the same ids come back, with already: true"
            ),
            "schema": .object(["type": "string", "pattern": "^[!-~]{1,200}$"]),
        ])
        return [
            "summary": .string(action.summary),
            "parameters": .array(action.takesKey ? [key] : []),
            "security": .array([.object(["token": .array([])])]),
            "requestBody": .object([
                "required": true,
                "content": content(
                    .object([
                        "type": "object", "properties": .object(properties), "additionalProperties": false,
                    ])
                ),
            ]),
            "responses": .object([
                "200": .object([
                    "description": "What was done, or would be.", "content": content(.object(["type": "object"])),
                ]),
                "default": .object([
                    "description": "Why not.",
                    "content": content(.object(["$ref": "#/components/schemas/Error"])),
                ]),
            ]),
        ]
    }

    private static func content(_ schema: JSONValue) -> JSONValue {
        .object(["application/json": .object(["schema": schema])])
    }

    private static func schema(_ answer: APIRoute.Answer) -> JSONValue {
        switch answer {
        case .object: .object(["type": "object"])
        case .list(let name):
            .object([
                "type": "object", "required": .array([.string(name), "next"]),
                "properties": .object([
                    name: .object(["type": "array", "items": .object(["type": "object"])]),
                    "next": .object(["type": .array(["string", "null"])]),
                ]),
            ])
        }
    }

    private static var error: JSONValue {
        .object([
            "type": "object", "required": .array(["error"]),
            "properties": .object([
                "error": .object([
                    "type": "object", "required": .array(["code", "message"]),
                    "properties": .object([
                        "code": .object(["type": "string"]), "message": .object(["type": "string"]),
                    ]),
                ])
            ]),
        ])
    }
}
