import Testing

/// What is spent, what is held back, and what stops spending.
@Suite(.timeLimit(.minutes(2)))
struct MoneyTests {
    @Test func `a budget holds the jobs that would pass it, and raising it lets them go on`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            // A job costs 14 credits.
            try await stage.ledger(
                """
                INSERT INTO budgets (name, period, limit_millicredits) VALUES ('trial', 'total', 30000);
                INSERT INTO jobs (prompt) VALUES ('a fox, one'), ('a fox, two'), ('a fox, three'), ('a fox, four');
                """
            )
            try await stage.ledger.wait(for: "2", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
            #expect(try await stage.ledger("SELECT queued, blocked_by FROM queue_status") == "2|budget:trial")
            #expect(try await stage.ledger("SELECT spent, remaining FROM budget_status") == "28.0|2.0")
            #expect(try await sandbox.statistics().tasks.made == 2)

            try await stage.ledger("UPDATE budgets SET limit_millicredits = 56000")
            try await stage.ledger.wait(for: "4", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
            #expect(try await sandbox.statistics().credits.consumed == 56)
            try await stage.stop(daemon)
        }
    }

    @Test func `cancelling a running job books what it cost and fetches nothing`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "6s", "--jitter", "0s")
            let daemon = try await stage.daemon(sandbox)
            let job = try await stage.ledger.insert("a fox nobody wants any more")
            try await stage.ledger.wait(job: job, is: "running")
            try await stage.ledger("UPDATE jobs SET state = 'cancelled'")
            try await stage.ledger.wait(for: "1", from: "SELECT count(*) FROM attempts WHERE finished_at IS NOT NULL")
            #expect(
                try await stage.ledger("SELECT state, charged_millicredits, reserved_millicredits FROM attempts")
                    == "accepted|14000|0"
            )
            #expect(try await stage.ledger("SELECT state, charged_millicredits FROM jobs") == "cancelled|14000")
            try await stage.stop(daemon)
            #expect(try await sandbox.statistics().media.requests == 0)
            try await stage.expectMediaMatchesResults()
        }
    }

    @Test func `a task that fails is refunded, and one that is worth it is tried again`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
            try await sandbox.next("fail-content")
            let daemon = try await stage.daemon(sandbox)
            let refused = try await stage.ledger.insert("a fox that offends")
            try await stage.ledger.wait(job: refused, is: "failed")
            #expect(
                try await stage.ledger("SELECT error_code, attempt_count, charged_millicredits FROM jobs")
                    == "content_refused|1|0"
            )
            try await sandbox.next("fail")
            let unlucky = try await stage.ledger.insert("a fox out of luck")
            try await stage.ledger.wait(job: unlucky, is: "succeeded")
            #expect(
                try await stage.ledger.lines("SELECT charged_millicredits FROM attempts WHERE job_id = \(unlucky)")
                    == ["0", "14000"]
            )
            let (charged, reserved) = try await stage.money()
            #expect(Double(charged) == (try await sandbox.statistics()).credits.consumed * 1_000)
            #expect(reserved == 0)
            try await stage.stop(daemon)
        }
    }
}
