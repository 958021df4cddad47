import Foundation
import Testing

extension SystemTests {
    /// The daemon may die at any moment: nothing is paid for twice, nothing is forgotten.
    ///
    /// `make kill-test` is the long form. `PROMPTD_TEST_KILLS` and `PROMPTD_TEST_JOBS` say how long, `PROMPTD_TEST_SEED`
    /// repeats the choices of a run, as far as the scheduling of real processes does.
    @Suite(.timeLimit(.minutes(KillPlan.minutes)))
    struct KillTests {
        /// Requests are lost before the provider made a task of them, and answers after it; some tasks fail, with and
        /// without refund; polls and downloads break.
        private static let faults = [
            "lost-before=1%", "lost=1%", "fail=2%", "fail-content=1%", "fail-charged=1%", "poll-lost=1%", "poll-500=1%",
            "media-cut=2%", "media-500=1%",
        ]

        @Test func `kill -9 at random moments loses no job, pays for none twice and passes no limit`() async throws {
            try await run(KillPlan(), faults: Self.faults)
        }

        /// A tenth of the kills. What a front holds is charged minutes later, when nobody waits for it any more.
        @Test func `nor does it while the provider's front holds requests for minutes`() async throws {
            try await run(KillPlan(heldSeconds: 150), faults: Self.faults + ["held=5%"])
        }

        private func run(_ plan: KillPlan, faults: [String]) async throws {
            SystemTests.progress("PROMPTD_TEST_SEED=\(plan.seed) repeats the choices of this run")
            try await Stage.with { stage in
                let sandbox = try await stage.sandbox(
                    [
                        "--rate", "\(plan.submissions)/\(KillPlan.windowSeconds)s", "--poll-rate", "1000/1s",
                        "--duration", "1s", "--jitter", "1s", "--latency", "30ms", "--credits", "1000000",
                        "--seed", "\(plan.seed)", "--held", "\(plan.heldSeconds)s",
                    ] + faults.flatMap { ["--fault", $0] }
                )
                let hooks = try await KillHooks(stage)
                let run = KillRun(plan, stage, sandbox)
                try await run.run()
                let checks = KillChecks(ledger: stage.ledger, sandbox: sandbox, limit: plan.submissions)
                let figures = try await checks.holdsAtTheEnd(jobs: run.inserted, stage)
                let told = try await hooks.holdsAtTheEnd()
                SystemTests.report("\(run.tally.text); \(figures); \(told)")
            }
        }
    }
}
