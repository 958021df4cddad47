import Foundation
import Testing

/// A program and a webhook that are told of every job, while the daemon is killed.
struct KillHooks {
    private let stage: Stage
    private let told: String
    private let receiver: RunningProgram

    /// Writes them into the configuration of the stage.
    init(_ stage: Stage) async throws {
        self.stage = stage
        told = "\(stage.folder)/told"
        let secret = "\(stage.folder)/secret"
        try stage.write("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", to: secret)
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized.path
        receiver = try stage.start("/usr/bin/env", ["python3", root + "/examples/webhook.py", secret])
        let url = try #require(try await receiver.line(with: "listening on http://").split(separator: " ").last)
        try stage.write(
            """
            hooks:
              program:
                on: [succeeded, failed, unconfirmed]
                command: [/bin/sh, -c, 'read -r job; echo "$PROMPTD_EVENT $PROMPTD_JOB $PROMPTD_DELIVERY" >>\(told)']
              listener:
                on: [succeeded, failed, unconfirmed]
                url: \(url)/promptd
                allowHost: 127.0.0.1
                secretFile: \(secret)
            """,
            to: stage.configuration
        )
    }

    private struct Event: Decodable {
        let job_id: Int
        let state: String
    }

    /// Each change that hooks ask for was told to both at least once, and each job's in order.
    ///
    /// - Returns: the figures, for people.
    func holdsAtTheEnd() async throws -> String {
        let events: [Event] = try await stage.ledger.rows(
            """
            SELECT job_id, state FROM events WHERE state IN ('succeeded', 'failed', 'unconfirmed')
                AND sequence > coalesce((SELECT min(sequence) FROM hook_deliveries), 0) - 1 ORDER BY sequence
            """
        )
        let expected = Dictionary(grouping: events, by: { "\($0.job_id)" }).mapValues { $0.map(\.state) }
        #expect(try await stage.ledger("SELECT count(*) FROM hook_deliveries WHERE state <> 'delivered'") == "0")
        #expect(try await stage.ledger.number("SELECT count(*) FROM hook_deliveries") == events.count * 2)
        var repeated = 0
        for (name, text) in [
            ("program", try String(contentsOf: URL(filePath: told), encoding: .utf8)), ("listener", receiver.output),
        ] {
            let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                .filter { $0.count >= 3 && ["succeeded", "failed", "unconfirmed"].contains($0[0]) }
            var seen: Set<String> = []
            var found: [String: [String]] = [:]
            for line in lines {
                // What is told again after a crash bears the same id.
                guard seen.insert(line[2]).inserted else {
                    repeated += 1
                    continue
                }
                found[line[1], default: []].append(line[0])
            }
            #expect(found == expected, "\(name) was told something else")
        }
        return
            "\(events.count * 2) deliveries of two hooks, each told, and in order for each job, \(repeated) of them again"
    }
}
