import Foundation
import Testing

/// What programs change over HTTP, in a daemon at work.
@Suite struct WebTokenTests {
    private func post(_ web: CallbackAddress, _ path: String, _ body: String, token: String) async throws -> Int {
        let headers = ["Authorization": "Bearer \(token)", "Content-Type": "application/json"]
        return try await web.status("POST", "/api/v1/\(path)", headers, body: body)
    }

    @Test func `a job that is added over HTTP is made, and another token takes over at a reload`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox()
            let web = try CallbackAddress()
            let file = stage.folder + "/web-token"
            let (first, second) = ("first-0123456789abcdef", "second-0123456789abcdef")
            try stage.write(first + "\n", to: file)
            let daemon = try await stage.daemon(
                sandbox,
                ["PROMPTD_WEB_LISTEN": "127.0.0.1:\(web.port)", "PROMPTD_WEB_TOKEN_FILE": file]
            )
            let body = "{\"jobs\":[{\"prompt\":\"a fox over HTTP\"}]}"
            #expect(try await post(web, "jobs", body, token: second) == 401)
            #expect(try await post(web, "jobs", body, token: first) == 200)
            try await stage.ledger.wait(job: 1, is: "succeeded")

            try stage.write("short\n", to: file)
            daemon.send(SIGHUP)
            _ = try await daemon.line(with: "nothing was reloaded")
            #expect(try await post(web, "pause", "{\"all\":true}", token: first) == 200)
            try stage.write(second + "\n", to: file)
            daemon.send(SIGHUP)
            _ = try await daemon.line(with: "configuration and API key reloaded")
            #expect(try await post(web, "resume", "{\"all\":true}", token: first) == 401)
            #expect(try await stage.ledger("SELECT paused FROM queues WHERE name = 'default'") == "1")
            #expect(try await post(web, "resume", "{\"all\":true}", token: second) == 200)
            try await stage.stop(daemon)
            #expect(!daemon.errors.contains(first) && !daemon.errors.contains(second))
        }
    }

    @Test func `promptd does not start with a token that could be guessed`() async throws {
        try await Stage.with { stage in
            let file = stage.folder + "/web-token"
            try stage.write("secret\n", to: file)
            func refusal(_ file: String) async throws -> Stage.Said {
                try await stage.refusal(["PROMPTD_WEB_LISTEN": "127.0.0.1:0", "PROMPTD_WEB_TOKEN_FILE": file])
            }
            let short = try await refusal(file)
            #expect(short.end == .exit(78))
            #expect(short.errors.contains("web.tokenFile: the token has fewer than 20 characters"))
            let missing = try await refusal(file + "x")
            #expect(missing.end == .exit(78))
            #expect(missing.errors.contains("\(file)x cannot be read"))
        }
    }
}
