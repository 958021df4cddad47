import GRDB
import PromptQueue
import StateFiles
import Synchronization

extension SQLiteLedger {
    /// How often a claim is tried again because rows were changed meanwhile, or had to be set aside.
    private static let maximumPasses = 8

    func claim(
        _ account: AccountName,
        _ request: ClaimRequest,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) async throws(LedgerError) -> Claim {
        try checkLog()
        // Preparing reads texts of any length and shape: it is done outside the transaction, which others wait for. The
        // first pass finds the jobs, the next claims those that are still as they were prepared.
        var prepared: [JobID: PreparedJob] = [:]
        var refused: [RefusedJob] = []
        var aside: [SetAside] = []
        // Of what does not fit a budget many jobs may be skipped: each pass looks further.
        var lookahead = request.limit
        for _ in 0..<Self.maximumPasses {
            // What fails is undone, and done again by itself (`GroupCommit`).
            let isRepeated = Atomic(false)
            let (found, missing, models) = try await commits.commit {
                [self, prepared, lookahead] db -> (Claim, [QueuedJob], Int64) in
                guard try RestoredCopies(db: db).current() == nil else { return (Claim(), [], 0) }
                var plan = ClaimPlan(
                    request,
                    rotation: rotations.withLock { $0[account] ?? QueueRotation() },
                    prepared: prepared,
                    lookahead: lookahead
                )
                let claim = try ClaimTransaction.run(
                    &plan,
                    account,
                    request,
                    lateArrival: lateArrival,
                    isRepeated: isRepeated.exchange(true, ordering: .relaxed),
                    db
                )
                // A transaction that fails afterwards has only moved a turn.
                if plan.missing.isEmpty || !claim.jobs.isEmpty {
                    rotations.withLock { [plan] in $0[account] = plan.rotation }
                }
                return (claim, plan.missing, plan.missing.isEmpty ? 0 : try ProviderModelRows.version(db))
            }
            // Before anything of it is sent.
            if let attempt = found.jobs.map(\.attempt.rawValue).max(), let job = found.jobs.map(\.job.rawValue).max() {
                marks.withLock { $0?.note(attempt: attempt, job: job) }
            }
            var claim = found
            refused += found.refused
            aside += found.setAside
            claim.refused = refused
            claim.setAside = aside
            guard !missing.isEmpty else { return claim }
            // What is claimed is not kept waiting for the others.
            claim.hasMore = true
            if !claim.jobs.isEmpty || refused.count >= ClaimPlan.maximumRefusals { return claim }
            // `prepare` is to know the models that somebody has just had read.
            if knownModels.withLock({ $0.version != models }) { try await readModels() }
            for job in missing { prepared[job.id] = PreparedJob(job: job, preparation: prepare(job)) }
            lookahead = min(lookahead * 2 + 8, 512)
        }
        var claim = Claim()
        claim.refused = refused
        claim.setAside = aside
        claim.hasMore = true
        return claim
    }
}
