import FoundationEssentials
import Postgres
import PromptQueue
import Synchronization

extension PostgresLedger {
    /// How often a claim is tried again because rows were changed meanwhile.
    private static let maximumPasses = 8
    /// How many jobs that have become due get their turn in one claim.
    private static let maximumTurns: Int64 = 500

    /// Jobs to be sent. Preparing them is done outside of the transaction, which others wait for: the first pass finds them, the next
    /// claims those that are still as they were prepared.
    func claim(
        _ account: AccountName,
        _ request: ClaimRequest,
        prepare: @escaping @Sendable (QueuedJob) -> Preparation
    ) async throws(LedgerError) -> Claim {
        try await giveBackAbandoned()
        var prepared: [JobID: PreparedJob] = [:]
        var claim = Claim()
        // Of what does not fit a budget many jobs may be skipped: each pass looks further.
        var lookahead = request.limit
        for _ in 0..<Self.maximumPasses {
            var plan = ClaimPlan(
                request,
                rotation: standing.withLock { $0.rotations[account] ?? QueueRotation() },
                prepared: prepared,
                lookahead: lookahead
            )
            let found = try await pass(&plan, account, request)
            if plan.missing.isEmpty || !found.claim.jobs.isEmpty {
                standing.withLock { [plan] in $0.rotations[account] = plan.rotation }
            }
            claim = found.claim.following(claim)
            guard !plan.missing.isEmpty else { return claim }
            // What is claimed is not kept waiting for the others.
            claim.hasMore = true
            if !claim.jobs.isEmpty || claim.refused.count >= ClaimPlan.maximumRefusals { return claim }
            // `prepare` is to know the models that somebody has just had read.
            if standing.withLock({ $0.models.version != found.catalogueVersion }) { try await readModels() }
            for job in plan.missing { prepared[job.id] = PreparedJob(job: job, preparation: prepare(job)) }
            lookahead = min(lookahead * 2 + 8, 512)
        }
        claim.hasMore = true
        return claim
    }

    /// One transaction under the account's lock.
    private func pass(
        _ plan: inout ClaimPlan,
        _ account: AccountName,
        _ request: ClaimRequest
    ) async throws(LedgerError) -> (claim: Claim, catalogueVersion: Int64) {
        let number = UUID().uuidString
        var options = TransactionOptions()
        options.proof = .init(
            "SELECT EXISTS (SELECT 1 FROM promptd.attempts WHERE claim_id = $1::uuid)",
            [.text(number)]
        )
        let before = plan
        do {
            let (claim, after, version) = try await claims.connection().transaction(options) { [self] transaction in
                var plan = before
                var reader = ClaimReader(transaction, account, request)
                guard let start = try await reader.begin(epoch, turns: Self.maximumTurns) else {
                    return (Claim(), plan, Int64(0))
                }
                let (claim, writes) = try await plan.run(over: start.basis) { question, snapshot in
                    try await reader.answer(question, &snapshot)
                }
                let written = try await reader.write(claim, writes, by: epoch, number)
                return (written, plan, start.catalogueVersion)
            }
            plan = after
            if let last = claim.jobs.map(\.attempt.rawValue).max() {
                let job = claim.jobs.map(\.job.rawValue).max() ?? 0
                claimMarks.note(.init(number: number, attempt: last, job: job))
            }
            return (claim, version)
        } catch {
            // What may have been taken all the same was not sent, and is given back before the next claim.
            if (error as? PostgresError)?.outcome.map({ $0 != .rolledBack }) ?? false {
                standing.withLock { $0.abandonedClaims.append(number) }
            }
            throw LedgerError(error)
        }
    }

    /// Gives back what was taken by claims of which it was not known whether they were committed.
    private func giveBackAbandoned() async throws(LedgerError) {
        let abandoned = standing.withLock(\.abandonedClaims)
        guard !abandoned.isEmpty else { return }
        let message = "the claim's COMMIT was not answered, so nothing was sent"
        try await change { [self] transaction in
            _ = try await transaction.pipeline { pipeline in
                for number in abandoned {
                    pipeline.add(
                        "SELECT give_back($1, $2::uuid, $3, $4)",
                        [
                            .int(epoch.rawValue), .text(number), .text(FailureCode.notSent.rawValue), .text(message),
                        ]
                    )
                }
            }
        }
        standing.withLock { standing in standing.abandonedClaims.removeAll { abandoned.contains($0) } }
    }
}

extension Claim {
    /// With what an earlier pass refused or set aside.
    fileprivate func following(_ earlier: Claim) -> Claim {
        var claim = self
        claim.refused = earlier.refused + refused
        claim.setAside = earlier.setAside + setAside
        return claim
    }
}
