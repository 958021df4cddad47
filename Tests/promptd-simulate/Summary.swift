import Glibc
import PromptQueue
import Simulation

/// What all seeds together came to.
struct Summary {
    let store: Store
    private(set) var failed = 0
    private var seeds = 0
    private var jobs = 0
    private var submissions = 0
    private var tasks = 0
    private var billed = Credits.zero
    private var crashes = 0
    private var commits = 0
    private var time: Duration = .zero
    /// All traces in one number, in whatever order the seeds end.
    private var hash: UInt64 = 0

    init(store: Store) { self.store = store }

    /// Counts a seed, and says at once how to replay one that failed.
    mutating func add(_ report: SeedReport) {
        seeds += 1
        jobs += report.jobs
        submissions += report.submissions
        tasks += report.tasks
        billed += report.billed
        crashes += report.crashes
        commits += report.commits
        time += report.time
        hash ^= report.hash &* (report.seed | 1)
        guard let violation = report.violation else { return }
        failed += 1
        print("seed \(report.seed) (\(report.scale)): \(violation)")
        print("    replay: swift run promptd-simulate --seed \(report.seed)\(store.option) --verbose")
        // Into a pipe or a file, too, at once.
        fflush(nil)
    }

    func text(elapsed: Duration) -> String {
        let days = time.milliseconds / 86_400_000
        let verdict = failed == 0 ? "no promise broken" : "\(failed) seeds broke a promise"
        return """
            \(seeds) seeds: \(jobs) jobs, \(submissions) requests, \(tasks) tasks billed for \(billed) credits, \
            \(crashes) crashes, \(commits) commits, \(days) days, in \(elapsed.milliseconds / 1_000) s; \
            trace \(String(hash, radix: 16)); \(verdict)
            """
    }
}
