import PromptQueue

// Jobs that take the results of others.

extension World {
    /// Some jobs that take results of any others, and now and then another input for one that waits. What the schema refuses
    /// is not added: a source that has failed, or a circle.
    func addChains(_ count: Int) throws {
        let queue = chains.pick(plan.queues)
        for _ in 0..<count where chains.happens(plan.chains) {
            let model = chains.pick(Prices.models)
            let input = references(among: jobs)
            let batch = chains.happens(0.3) ? "chain" : nil
            guard
                try place.run(
                    "INSERT INTO jobs (prompt, model, queue, input, batch) VALUES ('a running fox', ?, ?, ?, ?)",
                    [model, queue, input, batch]
                )
            else { continue }
            trace.note(now, "chain", text: input)
            try countJobs()
        }
        guard chains.happens(0.3) else { return }
        let job = chains.whole(1...max(jobs, 1))
        try place.run(
            "UPDATE jobs SET input = ? WHERE id = ? AND state = 'queued'",
            [chains.happens(0.3) ? "{}" : references(among: jobs), job]
        )
    }

    private func references(among jobs: Int) -> String {
        let sources = (0..<chains.draw([(4, 1), (1, 2)])).map { _ in
            // Mostly of what was added lately, which has yet to be made.
            let least = chains.happens(0.7) ? max(1, jobs - 10) : 1
            let ordinal = chains.happens(0.9) ? "" : "/\(chains.whole(0...2))"
            return "\"job:\(chains.whole(least...max(jobs, 1)))\(ordinal)\""
        }
        return "{\"input_urls\":[\(sources.joined(separator: ","))]}"
    }

    /// A job is sent once all that it takes is there.
    func checkSources(_ job: JobID) throws {
        // A stranger's input may be no text.
        guard !isTampered, let source = try unfinishedSource(of: job.rawValue) else { return }
        throw Violation(.claim, "job \(job) was claimed before job \(source), whose result it takes, had succeeded")
    }

    /// Nothing was ever sent for a job whose source has not succeeded, and none waits for what does not come.
    func checkChains() throws {
        guard !isTampered else { return }
        let rows = try place.rows(
            """
            SELECT id, state, EXISTS (SELECT 1 FROM attempts WHERE job_id = jobs.id) AS was_sent, waits FROM jobs
            WHERE waits IS NOT NULL ORDER BY id
            """
        )
        for row in rows {
            let (job, state): (Int64, String) = (row["id"], row["state"])
            guard state == "queued", let source = try unfinishedSource(of: job) else { continue }
            let ended = try place.number(
                "SELECT count(*) FROM jobs WHERE id = ? AND state NOT IN ('failed', 'cancelled')",
                [source]
            )
            if ended == 0 {
                throw Violation(.ending, "job \(job) waits for job \(source), which has ended without a result")
            }
        }
    }

    /// Of the jobs that the input of one names, the first that has not succeeded.
    private func unfinishedSource(of job: Int64) throws -> Int64? {
        guard let text = try place.rows("SELECT input FROM jobs WHERE id = ?", [job]).first?[0] as String?,
            let input = JSONValue.object(in: text)
        else { return nil }
        for reference in InputReference.all(in: .object(input)) {
            guard case .job(let source)? = reference.source else { continue }
            let succeeded = try place.number(
                "SELECT count(*) FROM jobs WHERE id = ? AND state = 'succeeded'",
                [source.rawValue]
            )
            if succeeded == 0 { return source.rawValue }
        }
        return nil
    }
}
