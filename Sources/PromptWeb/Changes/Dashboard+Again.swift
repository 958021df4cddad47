import Hummingbird
import PromptQueue

// Jobs whose results were chosen in the gallery, made once more.
extension Dashboard {
    func addAgain(to router: Router<BasicRequestContext>) {
        page(router, "again") { _, fields, _ in
            guard Visitor.current.session != nil else {
                throw PageProblem(.unauthorized, "Log in first: jobs are added with the token.")
            }
            var jobs: [String] = []
            for item in fields.values("item") {
                guard let id = try JobQuery.job(item.split(separator: "-").first.map(String.init), "item") else {
                    continue
                }
                if !jobs.contains(id.description) { jobs.append(id.description) }
            }
            guard !jobs.isEmpty else { throw PageProblem.badRequest("Choose pictures first.") }
            return PageContent("again", AgainView(jobs: jobs))
        }
    }
}

struct AgainView {
    let frame: Frame
    let title: String
    let jobs: [String]

    init(jobs: [String]) {
        self.jobs = jobs
        title = "Make \(count(jobs.count, "job")) again?"
        frame = Frame(title)
    }
}

extension WebChanges {
    /// New jobs that ask for what others asked for, each held against the catalogue as it is now.
    func plan(again ids: [JobID], now: Instant, back: String) async throws -> ChangePlan {
        try Self.checkCount(ids.count)
        let (jobs, problems) = try await look { file in
            let status = try file.status()
            var (jobs, problems): ([NewJob], [String]) = ([], [])
            for id in ids {
                guard let before = try file.details(of: id)?.job, before.prunedAt == nil else {
                    problems.append("job \(id): what it asked for is not there any more")
                    continue
                }
                let (job, found) = try self.job(JobRequest(like: before), status, file)
                jobs += [job].compactMap(\.self)
                problems += found.map { "job \(id): \($0)" }
            }
            return (jobs, problems)
        }
        guard problems.isEmpty else { throw PageProblem.badRequest(problems.joined(separator: "; ")) }
        let key = "web-" + Hex.text(WebAccess.random(8))
        let keyed = jobs.enumerated().map { index, job in
            var job = job
            job.uniqueKey = "\(key)-\(index + 1)"
            return job
        }
        return try await plan(adding: keyed, notes: [], now: now, back: back)
    }
}

extension JobRequest {
    init(like job: JobRecord) {
        self.init(prompts: [job.prompt], model: job.model)
        input = parsed(job.input).objectValue ?? [:]
        queue = job.queue
        priority = job.priority
        batch = job.batch
        labels = job.labels
        maxAttempts = job.maxAttempts
    }
}
