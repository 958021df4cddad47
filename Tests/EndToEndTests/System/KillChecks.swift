import Foundation
import Testing

/// What has to hold between the ledger and the provider, whatever was killed.
struct KillChecks {
    let ledger: Ledger
    let sandbox: Sandbox
    /// Requests in any window, those that arrive late included.
    let limit: Int

    /// Counts what must never be, in one snapshot: budgets that were passed, jobs with two attempts that are not settled,
    /// running sums that are not those of the ledger.
    static let broken = """
        SELECT
            (SELECT count(*) FROM budgets AS b WHERE b.limit_millicredits < (
                SELECT coalesce(sum(a.reserved_millicredits + coalesce(a.charged_millicredits, 0)), 0)
                FROM attempts AS a WHERE b.queue IS NULL OR b.queue = a.queue)),
            (SELECT count(*) FROM (
                SELECT 1 FROM attempts WHERE finished_at IS NULL GROUP BY job_id HAVING count(*) > 1)),
            (SELECT coalesce(sum(reserved_millicredits + charged_millicredits), 0) FROM spending WHERE period = 'total')
                - (SELECT coalesce(sum(reserved_millicredits + coalesce(charged_millicredits, 0)), 0) FROM attempts)
        """
    static let nothingBroken = "0|0|0"

    struct Attempt: Decodable {
        let job_id: Int
        let prompt: String
        let state: String
        let task_id: String?
        let sent_at: Int
        let finished_at: Int?
        let reserved_millicredits: Int
        let charged_millicredits: Int?

        /// Whether a task of it may be at the provider without the ledger knowing its id.
        var mayHaveTask: Bool { state == "unknown" || state == "sending" }
    }

    /// Attempts in the order of their sending, and the provider's tasks in the order of their making.
    struct Books {
        let attempts: [Attempt]
        let tasks: [Sandbox.Task]
    }

    /// What has to hold at any moment. The daemon is dead or at rest.
    @discardableResult
    func holds() async throws -> Books {
        #expect(try await ledger("PRAGMA integrity_check") == "ok")
        #expect(try await ledger(Self.broken) == Self.nothingBroken)
        let attempts: [Attempt] = try await ledger.rows(
            """
            SELECT a.job_id, j.prompt, a.state, a.task_id, a.sent_at, a.finished_at, a.reserved_millicredits,
                a.charged_millicredits
            FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id ORDER BY a.id
            """
        )
        // Asked for after the ledger was read: what the ledger knows has to be there.
        let tasks = try await sandbox.tasks().sorted { $0.createTime < $1.createTime }
        expectEveryTaskIsKnown(tasks, attempts)
        expectNothingIsPaidTwice(tasks, attempts)

        let requests = try await sandbox.statistics().createTask
        #expect(requests.windowMilliseconds == KillPlan.windowSeconds * 1_000)
        #expect(requests.mostInWindow <= limit)
        #expect(requests.refusedByRate == 0)
        return Books(attempts: attempts, tasks: tasks)
    }

    /// Each task belongs to exactly one attempt: to the one that names it, or to one of its job whose answer was lost.
    private func expectEveryTaskIsKnown(_ tasks: [Sandbox.Task], _ attempts: [Attempt]) {
        let owners = Dictionary(grouping: attempts.filter { $0.state == "accepted" }, by: \.task_id)
        var unowned: [String: Int] = [:]
        for task in tasks {
            if let owners = owners[task.taskId] {
                #expect(owners.map(\.prompt) == [task.prompt])
            } else {
                unowned[task.prompt, default: 0] += 1
            }
        }
        let lost = Dictionary(grouping: attempts.filter(\.mayHaveTask), by: \.prompt).mapValues(\.count)
        for (prompt, count) in unowned {
            #expect(count <= lost[prompt, default: 0], "nobody knows of a task for \(prompt)")
        }
        #expect(Set(owners.keys).isSubset(of: Set(tasks.map(\.taskId))))
    }

    /// No second request for a job while an earlier one may be billed: it had failed at the provider, or made no task.
    private func expectNothingIsPaidTwice(_ tasks: [Sandbox.Task], _ attempts: [Attempt]) {
        for tasks in Dictionary(grouping: tasks, by: \.prompt).values {
            for (earlier, later) in zip(tasks, tasks.dropFirst()) {
                #expect(earlier.state == "fail", "\(earlier.prompt) was made twice")
                #expect((earlier.completeTime ?? .max) <= later.createTime)
            }
        }
        for attempts in Dictionary(grouping: attempts, by: \.job_id).values {
            for (earlier, later) in zip(attempts, attempts.dropFirst()) {
                #expect(earlier.state == "accepted" || earlier.state == "rejected", "job \(earlier.job_id)")
                #expect((earlier.finished_at ?? .max) <= later.sent_at, "job \(earlier.job_id)")
            }
        }
    }
}
