import Hummingbird
import Logging
import PromptQueue

// A change is asked for, shown with what it costs, confirmed, and shown again: each step a page of its own, and no reload does
// anything twice.
extension Dashboard {
    func addChanges(to router: Router<BasicRequestContext>) {
        addLogin(to: router)
        addForm(to: router)
        addAgain(to: router)
        post(router, "changes") { pages, changes, fields, session, _ in
            try await pages.plan(fields, changes, session)
        }
        post(router, "changes/:id") { pages, changes, _, session, parameters in
            try await pages.confirm(try parameters.require("id"), changes, session)
        }
        page(router, "changes/:id") { pages, _, parameters in
            try pages.changePage(try parameters.require("id"))
        }
    }

    /// Shows what was asked for; pausing is done at once.
    private func plan(_ fields: FormFields, _ changes: WebChanges, _ session: Session) async throws -> Response {
        let back = Self.place(fields["back"])
        let action = fields["action"] ?? ""
        let queues = fields.values("queue") + fields.values("queue-encoded").map { FormFields.decoded($0) }
        switch action {
        case "pause", "pause-all":
            note("pause", try await changes.pause(action == "pause" ? queues : nil), by: "page")
            return Self.seeOther(back)
        case "resume", "resume-all":
            let names =
                action == "resume" ? queues : try await source.read { try $0.queues() }.filter(\.isPaused).map(\.name)
            return keep(try await changes.plan(resuming: names, now: now(), back: back), changes, session)
        default: break
        }
        let chosen = { () throws(PageProblem) in try Self.chosen(fields, all: action.hasSuffix("-all")) }
        let plan =
            switch action {
            case "retry", "retry-all": try await changes.plan(.retry, try chosen(), back: back)
            case "cancel", "cancel-all": try await changes.plan(.cancel, try chosen(), back: back)
            case "resubmit", "resubmit-all":
                try await changes.plan(.resubmit, try chosen(), now: now(), back: back)
            case "give-up", "give-up-all": try await changes.plan(.fail, try chosen(), now: now(), back: back)
            case "resubmit-uncharged":
                try await changes.plan(.resubmit, Self.uncharged(fields), now: now(), back: back)
            case "again":
                try await changes.plan(again: Self.ids(fields), now: now(), back: back)
            case "follow":
                try await changes.plan(.task(try Self.task(fields, try chosen())), try chosen(), now: now(), back: back)
            default: throw PageProblem.badRequest("action: \"\(action)\" is none that there is")
            }
        return keep(plan, changes, session)
    }

    func keep(_ plan: ChangePlan, _ changes: WebChanges, _ session: Session) -> Response {
        Self.seeOther("/changes/\(changes.plans.keep(plan, session, now: now()))")
    }

    private func confirm(_ id: String, _ changes: WebChanges, _ session: Session) async throws -> Response {
        guard changes.plans.stage(id, session, now: now()) != nil else { throw PageProblem.noPlan }
        // A second press of the button finds it begun, and only looks.
        if let plan = changes.plans.begin(id, session) {
            do {
                let result = try await changes.carryOut(plan, now: now())
                changes.plans.finish(id, result)
                note(plan.name, result, by: "page")
            } catch is PlanOutdated {
                await showAgain(id, plan, changes)
            } catch {
                changes.plans.giveBack(id, note: "Nothing was changed. " + problem(Self.told(error)).message)
            }
        }
        return Self.seeOther("/changes/\(id)")
    }

    /// What means more for money by now than was shown is shown as it is now.
    private func showAgain(_ id: String, _ plan: ChangePlan, _ changes: WebChanges) async {
        do {
            changes.plans.giveBack(
                id,
                try await again(plan, changes),
                note:
                    "It would cost more by now than was shown, or give up more that is paid for. Nothing was changed; look once "
                    + "more."
            )
        } catch {
            changes.plans.giveBack(id, note: "Nothing was changed. " + problem(Self.told(error)).message)
        }
    }

    private func again(_ plan: ChangePlan, _ changes: WebChanges) async throws -> ChangePlan {
        switch plan.action {
        case .change(let change, let ids): return try await changes.plan(change, .ids(ids), back: plan.back)
        case .resolve(let resolution, let ids):
            return try await changes.plan(resolution, .ids(ids), now: now(), back: plan.back)
        case .add(let jobs):
            let priced = try await changes.look { try changes.priced(jobs, try $0.status()) }
            return try await changes.plan(adding: priced, notes: [], now: now(), back: plan.back)
        case .resume(let queues): return try await changes.plan(resuming: queues, now: now(), back: plan.back)
        }
    }

    /// What the database refuses is told in its words.
    static func told(_ error: any Error) -> any Error {
        guard let error = error as? LedgerError, error.code == .constraint else { return error }
        return PageProblem(.conflict, error.message)
    }

    private func changePage(_ id: String) throws -> PageContent {
        guard let changes, let session = Visitor.current.session,
            let stage = changes.plans.stage(id, session, now: now())
        else {
            throw PageProblem.noPlan
        }
        return PageContent("change", ChangeView(id, stage))
    }

    /// Which jobs a form means: those that were chosen, or all that its page shows.
    private static func chosen(_ fields: FormFields, all: Bool) throws(PageProblem) -> ChosenJobs {
        guard all else { return .ids(try ids(fields)) }
        let filter = try JobQuery.meant(fields["filter"] ?? "")
        guard !filter.isEmpty else {
            throw .badRequest("Choose jobs, or show those of a batch, a queue or a state first.")
        }
        return .matching(filter)
    }

    /// Of the lost requests, those of which the account's balance shows no charge.
    private static func uncharged(_ fields: FormFields) throws(PageProblem) -> ChosenJobs {
        var filter = try JobQuery.meant(fields["filter"] ?? "")
        filter.isUncharged = true
        return .matching(filter)
    }

    private static func ids(_ fields: FormFields) throws(PageProblem) -> [JobID] {
        var ids: [JobID] = []
        for text in fields.values("job") {
            if let id = try JobQuery.job(text, "job"), !ids.contains(id) { ids.append(id) }
        }
        guard !ids.isEmpty else { throw .badRequest("Choose jobs first.") }
        return ids
    }

    private static func task(_ fields: FormFields, _ chosen: ChosenJobs) throws(PageProblem) -> TaskID {
        guard let task = fields["task"]?.trimmingSpaces() else {
            throw .badRequest("Say which task it is, by the id that the provider shows.")
        }
        guard case .ids(let ids) = chosen, ids.count == 1 else { throw .badRequest("A task is one job's.") }
        return TaskID(task)
    }

    /// Who spends money is to be found in the log.
    func note(_ action: String, _ result: ChangeResult, by: String) {
        var metadata: Logger.Metadata = [
            "action": "\(action)", "by": "\(by)", "jobs": "\(result.jobs)", "credits": "\(result.credits)",
        ]
        if !result.queues.isEmpty { metadata["queues"] = "\(result.queues.joined(separator: ", "))" }
        if !result.refused.isEmpty { metadata["refused"] = "\(result.refused.count)" }
        logger.notice("changed from the pages", metadata: metadata)
    }
}

extension PageProblem {
    static let noPlan = PageProblem.notFound(
        "That is not there any more: it was asked for long ago, or promptd was started anew. Ask for it once more."
    )
}

/// What the page of a change shows.
struct ChangeView {
    struct Link {
        let href: String
        let text: String
    }

    private static let shownJobs = 24

    let frame: Frame
    let title: String
    let lines: [String]
    /// The jobs that are meant.
    let jobs: [Link]
    let hasJobs: Bool
    let moreJobs: String?
    let refused: [String]
    let hasRefused: Bool
    let note: String?
    let action: String?
    let button: String
    let buttonKind: String
    let back: String
    let links: [Link]
    let isDone: Bool
    let isUnderWay: Bool

    init(_ id: String, _ stage: ChangePlans.Stage) {
        switch stage {
        case .planned(let plan, let note):
            title = plan.title
            (lines, refused, self.note) = (plan.lines, plan.refused, note)
            action = plan.button.map { _ in "/changes/\(id)" }
            button = plan.button ?? ""
            buttonKind = plan.isGrave ? "danger" : ""
            back = plan.back
            links = []
            (isDone, isUnderWay) = (false, false)
        case .underWay:
            title = "At work"
            (lines, refused, note) = ([], [], nil)
            (action, button, buttonKind, back, links) = (nil, "", "", "/", [])
            (isDone, isUnderWay) = (false, true)
        case .done(let result, let place):
            title = result.title
            (lines, refused, note) = (result.lines, result.refused, nil)
            (action, button, buttonKind, back) = (nil, "", "", place)
            links = result.links.map { Link(href: $0.href, text: $0.text) }
            (isDone, isUnderWay) = (true, false)
        }
        hasRefused = !refused.isEmpty
        let ids: [JobID]
        switch stage {
        case .planned(let plan, _): ids = plan.action.jobs
        case .underWay, .done: ids = []
        }
        jobs = ids.prefix(Self.shownJobs).map { Link(href: "/jobs/\($0)", text: "\($0)") }
        hasJobs = !jobs.isEmpty
        moreJobs = ids.count > Self.shownJobs ? "and \(grouped(ids.count - Self.shownJobs)) more" : nil
        frame = Frame(title)
    }
}
