import Foundation
import Glibc
import Testing

/// Hooks with real programs: one that is run, and one that listens.
@Suite(.timeLimit(.minutes(2)))
struct HookTests {
    private func lines(_ path: String) -> [String] {
        let text = (try? String(contentsOf: URL(filePath: path), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Configures a program that notes what it is told once `gate` is there, and a webhook for the same.
    private func configure(_ stage: Stage, receiver: RunningProgram) async throws -> (told: String, gate: String) {
        let (told, gate, secret) = ("\(stage.folder)/told", "\(stage.folder)/gate", "\(stage.folder)/secret")
        let line = try await receiver.line(with: "listening on http://")
        let url = try #require(line.split(separator: " ").last)
        try stage.write(
            """
            hooks:
              program:
                on: [succeeded, failed, batch.done]
                command:
                  - /bin/sh
                  - -c
                  - 'until [ -e \(gate) ]; do sleep 0.1; done; read -r job; echo "$PROMPTD_EVENT $PROMPTD_JOB $PROMPTD_DELIVERY $KIE_API_KEY" >>\(told)'
              listener:
                on: [succeeded, failed, batch.done]
                url: \(url)/promptd
                allowHost: 127.0.0.1
                secretFile: \(secret)
            """,
            to: stage.configuration
        )
        return (told, gate)
    }

    @Test func `what hooks are to be told outlives kill -9 of the daemon, and comes in order`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
            try stage.write(secret + "\n", to: "\(stage.folder)/secret")
            let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path
            let receiver = try stage.start(
                "/usr/bin/env",
                ["python3", root + "/examples/webhook.py", "\(stage.folder)/secret"]
            )
            let (told, gate) = try await configure(stage, receiver: receiver)
            let first = try await stage.daemon(sandbox)
            // The hooks count from the first look on.
            try await stage.ledger.wait(for: "1", from: "SELECT hooks_read IS NOT NULL FROM daemon")
            try await stage.ledger("INSERT INTO jobs (prompt, batch) VALUES ('a fox', 'b'), ('a hen', 'b')")
            try await stage.ledger.wait(for: "succeeded", from: "SELECT DISTINCT state FROM jobs")
            first.send(SIGKILL)
            #expect(try await first.end() == .signal(SIGKILL))
            #expect(lines(told).isEmpty)
            try stage.write("", to: gate)

            let second = try await stage.daemon(sandbox)
            try await stage.ledger.wait(
                for: "6|delivered",
                from: "SELECT count(*), min(state) FROM hook_deliveries WHERE state = 'delivered'"
            )
            for found in [lines(told), receiver.output.split(separator: "\n").dropFirst().map(String.init)] {
                let events = Set(found.map { $0.split(separator: " ").prefix(2).joined(separator: " ") })
                #expect(events.count == 3, "\(found)")
                #expect(events.isSuperset(of: ["succeeded 1", "succeeded 2"]), "\(found)")
                #expect(found.allSatisfy { !$0.contains("sandbox-key") })
            }
            try await stage.stop(second)
        }
    }

    @Test func `a hook that hangs delays nothing, and SIGTERM does not wait for it`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            try stage.write(
                "hooks:\n  slow:\n    on: [succeeded]\n    command: [/bin/sleep, '600']\n    timeout: 10m\n",
                to: stage.configuration
            )
            let daemon = try await stage.daemon(sandbox)
            try await stage.ledger.wait(for: "1", from: "SELECT hooks_read IS NOT NULL FROM daemon")
            for number in 1...3 { try await stage.ledger.insert("fox number \(number)") }
            try await stage.ledger.wait(
                for: "3|succeeded",
                from: "SELECT count(*), state FROM jobs WHERE state = 'succeeded'"
            )
            try await stage.ledger.wait(for: "3", from: "SELECT count(*) FROM hook_deliveries")
            try await stage.stop(daemon)
            #expect(try await stage.ledger("SELECT DISTINCT state, attempts FROM hook_deliveries") == "pending|0")
        }
    }
}
