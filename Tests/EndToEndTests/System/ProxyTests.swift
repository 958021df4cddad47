import Foundation
import Testing

extension SystemTests {
    /// Callbacks through a real nginx, set up as in `examples/nginx-callbacks.conf`.
    @Suite(.timeLimit(.minutes(2)))
    struct ProxyTests {
        private static let nginx = "/usr/sbin/nginx"
        private static let example = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "examples/nginx-callbacks.conf")

        @Test func `the provider reaches promptd through nginx, and nothing else does`() async throws {
            guard FileManager.default.isExecutableFile(atPath: Self.nginx) else {
                try Test.cancel("nginx is not installed")
            }
            try await Stage.with { stage in
                let daemonSide = try CallbackAddress()
                let outside = try CallbackAddress()
                let folder = "\(stage.folder)/nginx"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
                let configuration = "\(stage.folder)/nginx.conf"
                try stage.write(try configure(folder, outside, daemonSide), to: configuration)
                let nginx = try stage.start(
                    Self.nginx,
                    ["-p", folder, "-c", configuration, "-e", "\(folder)/start.log"]
                )
                _ = try await eventually("nginx answers") { try? await outside.status("GET", "/") }

                let sandbox = try await stage.sandbox("--duration", "1s", "--jitter", "0s", "--hmac-key", "key")
                try await sandbox.next("lost")
                let daemon = try await stage.daemon(
                    sandbox,
                    daemonSide.settings(key: "key", publicURL: outside.url + "/")
                )
                let job = try await stage.ledger.insert("a fox whose answer is lost")
                // Only the callback can settle it.
                try await stage.ledger.wait(job: job, is: "succeeded")
                #expect(try await sandbox.statistics().callbacks.delivered == 1)

                let token = try await stage.ledger("SELECT token FROM attempts")
                let path = "/callbacks/kie/\(token)"
                #expect(try await outside.status("POST", path, body: #"{"data":{"taskId":"x"}}"#) == 401)
                #expect(try await outside.status("GET", path) == 405)
                #expect(try await outside.status("POST", "\(path)/x", body: "{}") == 404)
                #expect(try await outside.status("GET", "/healthz") == 404)
                let large = String(repeating: "x", count: 257 * 1_024)
                #expect(try await outside.status("POST", path, body: large) == 413)
                try await stage.stop(daemon)
                #expect(try await outside.status("POST", path, body: "{}") == 502, "promptd is down")

                nginx.send(SIGTERM)
                #expect(try await nginx.end() == .exit(0))
                let access = try String(contentsOfFile: "\(folder)/promptd-callbacks.log", encoding: .utf8)
                #expect(access.contains(" POST 200 "))
                #expect(access.contains(" POST 413 "))
                let logs = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".log") }
                #expect(logs.count >= 2)
                for log in logs {
                    let text = try String(contentsOfFile: "\(folder)/\(log)", encoding: .utf8)
                    #expect(!text.contains(token), "\(log)")
                }
            }
        }

        /// The example without TLS, on free ports, with everything it writes in `folder`.
        private func configure(
            _ folder: String,
            _ outside: CallbackAddress,
            _ daemon: CallbackAddress
        ) throws -> String {
            var text = try String(contentsOf: Self.example, encoding: .utf8)
            for (old, new) in [
                ("listen 443 ssl;", "listen 127.0.0.1:\(outside.port);"),
                ("http://127.0.0.1:8788;", "http://127.0.0.1:\(daemon.port);"), ("/var/log/nginx/", "\(folder)/"),
            ] {
                try #require(text.contains(old), "the example has no \(old)")
                text = text.replacing(old, with: new)
            }
            text = text.split(separator: "\n").filter { !$0.contains(" ssl_") }.joined(separator: "\n")
            let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
                "    \($0)_temp_path \(folder)/\($0);"
            }
            return """
                daemon off;
                master_process off;
                pid \(folder)/nginx.pid;
                error_log \(folder)/error.log notice;
                events {}
                http {
                \(paths.joined(separator: "\n"))
                \(text)
                }

                """
        }
    }
}
