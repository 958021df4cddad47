import Foundation
import Testing

/// Rows that no job can be made of, and changes that nobody may make, from the `sqlite3` shell.
@Suite(.timeLimit(.minutes(2)))
struct BadRowTests {
    @Test func `an input that cannot succeed fails before it is sent, and costs nothing`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            let short = try await stage.ledger.insert("ab")
            let unknown = try await stage.ledger.number(
                "INSERT INTO jobs (prompt, model) VALUES ('a red fox', 'flux-2/flex-txt-to-image'); SELECT last_insert_rowid()"
            )
            let ratio = try await stage.ledger.number(
                """
                INSERT INTO jobs (prompt, input) VALUES ('a red fox', '{"aspect_ratio":"7:5"}');
                SELECT last_insert_rowid()
                """
            )
            for job in [short, unknown, ratio] { try await stage.ledger.wait(job: job, is: "failed") }
            let problem = "SELECT error_code, error_message FROM jobs WHERE id = "
            let first = try await stage.ledger(problem + "\(short)")
            #expect(first.hasPrefix("invalid_input|"))
            #expect(first.contains("prompt"))
            #expect(first.contains("3"))
            let second = try await stage.ledger(problem + "\(unknown)")
            #expect(second.hasPrefix("unknown_model|"))
            #expect(second.contains("flux-2/flex-text-to-image"))
            let third = try await stage.ledger(problem + "\(ratio)")
            #expect(third.hasPrefix("invalid_input|"))
            #expect(third.contains("aspect_ratio"))
            #expect(third.contains("16:9"))

            // A good job goes on past them, and is all that was sent.
            let good = try await stage.ledger.insert("a red fox")
            try await stage.ledger.wait(job: good, is: "succeeded")
            #expect(try await sandbox.statistics().createTask.arrivals == 1)
            #expect(try await stage.ledger("SELECT DISTINCT job_id FROM attempts") == "\(good)")
            try await stage.stop(daemon)
        }
    }

    @Test(arguments: [
        (
            "INSERT INTO jobs (prompt, input) VALUES ('a fox', '{\"aspect_ratio\":')",
            "jobs.input: must be a JSON object"
        ),
        ("INSERT INTO jobs (prompt, input) VALUES ('a fox', '[1]')", "jobs.input: must be a JSON object"),
        ("INSERT INTO jobs (prompt, labels) VALUES ('a fox', 'red')", "jobs.labels: NULL or a JSON object"),
        ("INSERT INTO jobs (prompt, max_attempts) VALUES ('a fox', 21)", "jobs.max_attempts: 1 to 20"),
        ("INSERT INTO jobs (prompt, run_at) VALUES ('a fox', 1700000000)", "milliseconds (seconds times 1000)"),
        ("INSERT INTO jobs (prompt, priority) VALUES ('a fox', 'high')", "jobs.priority"),
        ("INSERT INTO jobs (prompt, state) VALUES ('a fox', 'running')", "a new job is queued; leave the column out"),
        ("INSERT INTO jobs (prompt, task_id) VALUES ('a fox', 'abc')", "are written by promptd; leave them out"),
        ("UPDATE jobs SET state = 'succeeded'", "illegal transition queued -> succeeded"),
        ("UPDATE jobs SET state = 'done'", "queued, submitting, running, succeeded, failed, cancelled or unconfirmed"),
        ("UPDATE jobs SET state = 'submitting'", "only promptd sets submitting"),
        ("UPDATE jobs SET state = 'running', task_id = 'abc'", "only promptd sets running"),
        ("UPDATE jobs SET state = 'failed'", "to stop a job set cancelled"),
        ("UPDATE jobs SET model = 'flux-2/pro-text-to-image'", "cancel the job and insert another"),
        ("INSERT INTO jobs (prompt, unique_key) VALUES ('a fox', 'fox')", "UNIQUE constraint failed: jobs.unique_key"),
    ])
    func `the shell is refused with a message that says what is wrong`(statement: String, message: String) async throws
    {
        try await Stage.with { stage in
            try await stage.stop(try await stage.daemon(nil))
            try await stage.ledger(
                "INSERT INTO jobs (prompt, run_at, unique_key) VALUES ('a fox that waits', 4102444800000, 'fox')"
            )
            let before = try await stage.ledger("SELECT * FROM jobs")
            let refused = try await #require(throws: Ledger.Refused.self) { try await stage.ledger(statement) }
            #expect(refused.description.contains(message))
            #expect(try await stage.ledger("SELECT * FROM jobs") == before)
        }
    }

    /// Each of these held the write lock for 20 to 150 seconds once: the whole input was decoded inside the transaction.
    @Test func `an input that is nested deeply, or has many parts, holds up nobody`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            let deep = String(repeating: "[", count: 480) + String(repeating: "]", count: 480)
            let files = [
                "deep.json": Array(repeating: deep, count: 100), "wide.json": Array(repeating: "[]", count: 30_000),
            ]
            for (name, parts) in files {
                try stage.write("{\"a\":[\(parts.joined(separator: ","))]}", to: "\(stage.folder)/\(name)")
            }
            for name in ["deep.json", "wide.json"] {
                try await stage.ledger(
                    """
                    INSERT INTO jobs (prompt, unique_key, input)
                    VALUES ('a fox', '\(name)', CAST(readfile('\(stage.folder)/\(name)') AS TEXT))
                    """
                )
            }
            let plain = try await stage.ledger.insert("a plain fox")
            try await stage.ledger.wait(job: plain, is: "succeeded")
            let deepJob = try await stage.ledger("SELECT state, error_code, error_message FROM jobs WHERE id = 1")
            #expect(deepJob.hasPrefix("failed|invalid_input|"))
            #expect(deepJob.contains("32"), "the message says how deep an input may be")
            try await stage.ledger.wait(job: 2, is: "succeeded")
            let slow = daemon.errors.split(separator: "\n").filter { $0.contains("claimed") && $0.contains(" s ") }
            #expect(slow.isEmpty, "no claim took a second: \(slow)")
            try await stage.stop(daemon)
        }
    }

    @Test func `what is finished, and what is paid for, cannot be changed from the shell`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a finished fox")
            try await stage.ledger.wait(job: job, is: "succeeded")
            for (statement, message) in [
                ("UPDATE jobs SET state = 'queued'", "illegal transition succeeded -> queued"),
                ("UPDATE jobs SET state = 'cancelled'", "illegal transition succeeded -> cancelled"),
                ("UPDATE jobs SET prompt = 'another fox'", "only while the job is queued"),
                ("UPDATE attempts SET state = 'rejected'", "attempts"),
                ("DELETE FROM attempts", "the ledger is kept for ever"),
            ] {
                let refused = try await #require(throws: Ledger.Refused.self) { try await stage.ledger(statement) }
                #expect(refused.description.contains(message))
            }
            try await stage.stop(daemon)
        }
    }
}
