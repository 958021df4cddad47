import Foundation
import Testing

extension KillChecks {
    /// Those that take the result of a job of which nobody knows what became.
    static let waiting = """
        SELECT j.id FROM jobs AS j JOIN job_inputs AS i ON i.job_id = j.id JOIN jobs AS s ON s.id = i.source_id
        WHERE j.state = 'queued' AND j.waits > 0 AND s.state = 'unconfirmed'
        """

    /// What has to hold when every job has come to its end: what was charged and what became of the jobs, too.
    ///
    /// - Returns: the figures, for people.
    func holdsAtTheEnd(jobs inserted: Int, _ stage: Stage) async throws -> String {
        let books = try await holds()
        let jobs = try await ledger.number("SELECT count(*) FROM jobs")
        #expect(jobs == inserted)
        let accepted = books.attempts.filter { $0.state == "accepted" }
        let unknown = books.attempts.filter { $0.state == "unknown" }
        let rejected = books.attempts.filter { $0.state == "rejected" }
        #expect(accepted.count + unknown.count + rejected.count == books.attempts.count)
        #expect(accepted.count <= books.tasks.count)
        #expect(books.tasks.count <= accepted.count + unknown.count)

        // What is settled is charged as the provider billed it; what is unconfirmed is held back.
        let tasks = Dictionary(grouping: books.tasks, by: \.taskId)
        for attempt in accepted {
            let task = try #require(tasks[attempt.task_id ?? ""]?.first)
            #expect(attempt.finished_at != nil && attempt.reserved_millicredits == 0)
            #expect(attempt.charged_millicredits == Int(task.creditsConsumed * 1_000), "\(task.prompt)")
        }
        #expect(unknown.allSatisfy { $0.finished_at == nil && $0.reserved_millicredits == KillPlan.price })
        #expect(rejected.allSatisfy { $0.reserved_millicredits == 0 && ($0.charged_millicredits ?? 0) == 0 })
        let owned = Set(accepted.compactMap(\.task_id))
        let unowned = books.tasks.filter { !owned.contains($0.taskId) }
        let (charged, reserved) = try await stage.money()
        let consumed = Int(try await sandbox.statistics().credits.consumed * 1_000)
        #expect(charged == consumed - unowned.reduce(0) { $0 + Int($1.creditsConsumed * 1_000) })
        #expect(charged <= consumed && consumed <= charged + reserved)

        let succeeded = try await ledger.number("SELECT count(*) FROM jobs WHERE state = 'succeeded'")
        #expect(succeeded == accepted.filter { tasks[$0.task_id ?? ""]?.first?.state == "success" }.count)
        #expect(try await ledger.number("SELECT count(*) FROM jobs WHERE state = 'unconfirmed'") == unknown.count)
        let failures = try await ledger.lines(
            "SELECT count(*) || ' ' || error_code FROM jobs WHERE state = 'failed' GROUP BY error_code"
        )
        let failed = try await ledger.number("SELECT count(*) FROM jobs WHERE state = 'failed' AND error_code <> ''")
        let waiting = try await ledger.number("SELECT count(*) FROM (\(Self.waiting))")
        #expect(succeeded + unknown.count + failed + waiting == jobs)
        // Nothing of a chain went before what it takes.
        #expect(
            try await ledger.number(
                """
                SELECT count(*) FROM job_inputs AS i JOIN attempts AS a ON a.job_id = i.job_id JOIN jobs AS s ON s.id = i.source_id
                WHERE s.state <> 'succeeded' OR a.sent_at < s.finished_at
                """
            ) == 0
        )
        #expect(
            try await ledger.number(
                """
                SELECT count(*) FROM queue_counts AS c WHERE jobs <>
                    (SELECT count(*) FROM jobs AS j WHERE j.queue = c.queue AND j.state = c.state)
                """
            ) == 0
        )
        try await stage.expectMediaMatchesResults()
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(stage.media)/.partial").isEmpty)

        let most = try await sandbox.statistics().createTask.mostInWindow
        return """
            \(jobs) jobs: \(succeeded) succeeded, \(unknown.count) unconfirmed, of which \(unowned.count) had made a task, \
            \(waiting) waiting for those, \(failed) failed\(failures.isEmpty ? "" : " (\(failures.joined(separator: ", ")))"); \(books.attempts.count) attempts, \(books.tasks.count) \
            tasks at the provider, none twice, \(consumed / 1_000) credits billed; at most \(most) requests in any \
            \(KillPlan.windowSeconds) s
            """
    }
}
