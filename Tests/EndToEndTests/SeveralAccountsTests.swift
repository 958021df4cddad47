import Foundation
import Testing

/// Two accounts, each with its key: what one pays, lacks or loses is nothing to the other. A job costs 14 credits.
@Suite(.timeLimit(.minutes(5)))
struct SeveralAccountsTests {
    private static let settings = """
        accounts:
          acme:
            apiKeyFile: KEY
            submissions: 10
            window: 2s
        """

    /// A daemon that works with both; its queue `a` is acme's.
    private func daemon(
        _ stage: Stage,
        _ sandbox: Sandbox,
        _ settings: [String: String] = [:]
    ) async throws
        -> RunningProgram
    {
        let key = stage.folder + "/acme-key"
        try Data("acme-key\n".utf8).write(to: URL(filePath: key))
        try Data(Self.settings.replacing("KEY", with: key).utf8).write(to: URL(filePath: stage.configuration))
        return try await stage.daemon(sandbox, settings)
    }

    private func promptctl(_ stage: Stage, _ arguments: String...) async throws -> Stage.Said {
        try await stage.run("promptctl", arguments, environment: ["PROMPTD_DATABASE": stage.database])
    }

    private static let enqueue = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
        INSERT INTO jobs (prompt, queue) SELECT 'a fox, number ' || i, 'a' FROM n
        UNION ALL SELECT 'a hen, number ' || i, 'b' FROM n
        """

    private static let charged = "SELECT name, charged_millicredits / 1000 FROM accounts ORDER BY name"

    @Test func `each pays for its own jobs, and has a window of its own`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox(
                "--duration",
                "300ms",
                "--jitter",
                "0s",
                "--rate",
                "10/2s",
                "--credits",
                "1000",
                "--account",
                "acme-key=500"
            )
            let daemon = try await daemon(
                stage,
                sandbox,
                ["PROMPTD_LIMITS_SUBMISSIONS": "10", "PROMPTD_LIMITS_WINDOW": "2s"]
            )
            let said = try await promptctl(stage, "queue", "set", "a", "--account", "acme", "--create")
            #expect(said.errors.contains("a: account acme, a new queue"))
            try await stage.ledger(Self.enqueue)
            try await stage.ledger.wait(for: "24", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
            #expect(try await stage.ledger(Self.charged) == "acme|168\ndefault|168")
            let (ours, theirs) = (try await sandbox.statistics(), try await sandbox.statistics(of: "acme-key"))
            #expect(ours.credits.balance == 1_000 - 168 && theirs.credits.balance == 500 - 168)
            #expect(ours.createTask.arrivals == 12 && theirs.createTask.arrivals == 12)
            #expect(ours.createTask.refusedByRate == 0 && theirs.createTask.refusedByRate == 0)
            #expect(
                try await stage.ledger("SELECT count(*), sum(state = 'saved') FROM results") == "24|24",
                "results come with the key of the account that paid for them"
            )
            let status = try await promptctl(stage, "status")
            #expect(status.output.contains("account acme"))
            try await stage.stop(daemon)
        }
    }

    @Test func `what one settles wakes the other: chains, and room in a budget of both`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox(
                "--duration",
                "500ms",
                "--jitter",
                "0s",
                "--credits",
                "1000",
                "--account",
                "acme-key=500"
            )
            let daemon = try await daemon(stage, sandbox)
            // Written at once, so that nobody else commits afterwards: what is read does not wake anybody.
            try await stage.ledger(
                """
                INSERT INTO queues (name, account) VALUES ('a', 'acme');
                INSERT INTO jobs (prompt) VALUES ('a goat');
                INSERT INTO jobs (prompt, model, input, queue) VALUES
                    ('it runs', 'bytedance/v1-lite-image-to-video', '{"image_url":"job:1"}', 'a');
                """
            )
            try await stage.ledger.wait(
                for: "2",
                from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'",
                within: .seconds(30)
            )
            #expect(
                try await stage.ledger("SELECT account FROM attempts ORDER BY id") == "default\nacme"
            )
            // Room for one at a time, whichever account sends it: the task of the first fails and is given back.
            try await sandbox.next("fail-content")
            try await stage.ledger(
                """
                INSERT INTO budgets (name, period, limit_millicredits)
                    SELECT 'b', 'total', sum(charged_millicredits) + 14000 FROM accounts;
                INSERT INTO jobs (prompt, max_attempts) VALUES ('a goat that fails', 1);
                INSERT INTO jobs (prompt, queue) VALUES ('a hen', 'a');
                """
            )
            try await stage.ledger.wait(
                for: "succeeded",
                from: "SELECT state FROM jobs WHERE prompt = 'a hen'",
                within: .seconds(40)
            )
            try await stage.stop(daemon)
        }
    }

    @Test func `one without credits waits, and the other goes on`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox(
                "--duration",
                "100ms",
                "--jitter",
                "0s",
                "--credits",
                "1000",
                "--account",
                "acme-key=20"
            )
            let daemon = try await daemon(stage, sandbox)
            try await stage.ledger("INSERT INTO queues (name, account) VALUES ('a', 'acme')")
            try await stage.ledger(Self.enqueue)
            try await stage.ledger.wait(
                for: "12",
                from: "SELECT count(*) FROM jobs WHERE queue = 'b' AND state = 'succeeded'"
            )
            try await stage.ledger.wait(for: "credits", from: "SELECT blocked_by FROM queue_status WHERE queue = 'a'")
            #expect(try await stage.ledger(Self.charged) == "acme|14\ndefault|168")
            try await stage.stop(daemon)
        }
    }

    @Test
    func `a kill leaves each account's requests to that account, and one that is gone keeps promptd from starting`()
        async throws
    {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox(
                "--duration",
                "4s",
                "--jitter",
                "0s",
                "--credits",
                "1000",
                "--account",
                "acme-key=500"
            )
            let first = try await daemon(stage, sandbox)
            try await stage.ledger("INSERT INTO queues (name, account) VALUES ('a', 'acme')")
            try await stage.ledger(Self.enqueue)
            try await stage.ledger.wait(
                for: "2",
                from: "SELECT count(DISTINCT account) FROM attempts WHERE state = 'accepted'"
            )
            first.send(SIGKILL)
            _ = try await first.end()
            try Data().write(to: URL(filePath: stage.configuration))
            let refused = try await stage.run(
                "promptd",
                ["--config", stage.configuration],
                environment: stage.environment(sandbox)
            )
            #expect(refused.end == .exit(78))
            #expect(refused.errors.contains("accounts.acme: is not in the configuration any more"))
            let second = try await daemon(stage, sandbox)
            try await stage.ledger.wait(
                for: "0",
                from: "SELECT count(*) FROM jobs WHERE state NOT IN ('succeeded', 'unconfirmed')",
                within: .seconds(60)
            )
            let made = try await sandbox.statistics().tasks.made + sandbox.statistics(of: "acme-key").tasks.made
            let accepted = "SELECT count(*) FROM attempts WHERE state = 'accepted'"
            let unknown = "SELECT count(*) FROM attempts WHERE state = 'unknown'"
            let known = Int(try await stage.ledger(accepted)) ?? 0
            let lost = Int(try await stage.ledger(unknown)) ?? 0
            #expect((known...known + lost).contains(made))
            #expect(try await stage.ledger("SELECT count(*) FROM attempts") == "24", "nothing was sent twice")
            try await stage.stop(second)
        }
    }
}
