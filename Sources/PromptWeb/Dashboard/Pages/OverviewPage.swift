import PromptQueue

/// What the overview shows.
struct OverviewView {
    struct Tile {
        let label: String
        let value: String
        let unit: String
        let note: String
        var slots: Bool = false
        var slotsWidth = "0"
        var slotsLabel = ""
        var places: [Place] = []
        var meter: MeterView?
    }

    struct Place {
        let x: String
        let kind: String
    }

    struct Queue {
        let name: String
        /// The very name, for forms.
        let encodedName: String
        let href: String
        let cells: [CountCell]
        let blockedBy: String?
        let blockedKind: String
        let queueAction: String
        let queueVerb: String
        let queueLabel: String
    }

    let frame: Frame
    let notices: [NoticeView]
    let calm: String
    let calmNote: String
    let tiles: [Tile]
    let latest: [ResultView]
    let queues: [Queue]
    let charts: [ChartView]
    let budgets: [BudgetView]

    let isCalm: Bool
    let hasLatest: Bool
    let hasBudgets: Bool
}

/// Something that somebody may have to do.
struct NoticeView {
    let kind: String
    let sign: String
    let title: String
    let text: String?
    let next: String
    let noticeHref: String?
    let hrefText: String

    init(
        _ kind: String,
        _ title: String,
        text: String? = nil,
        next: String,
        href: String? = nil,
        _ hrefText: String = ""
    ) {
        self.kind = kind
        sign = kind == "bad" ? "!" : kind == "warn" ? "!" : "i"
        self.title = title
        self.text = text.flatMap { $0.isEmpty ? nil : $0 }
        self.next = next
        noticeHref = href
        self.hrefText = hrefText
    }
}

/// How many jobs, with a way to them.
struct CountCell {
    let kind: String
    let text: String
    let cellHref: String?

    init(_ count: Int, isCut: Bool = false, _ state: JobState, _ group: (name: String, value: String)) {
        kind = count == 0 ? "" : state == .failed ? "bad" : state == .unconfirmed ? "warn" : ""
        text = grouped(count) + (isCut ? "+" : "")
        cellHref =
            count == 0
            ? nil : "/jobs?state=\(state.rawValue)&\(group.name)=\(URLText.encoded(group.value))"
    }
}

extension Dashboard {
    func overview() async throws -> PageContent {
        let now = now()
        let processID = processID
        var succeeded = JobFilter()
        succeeded.states = [.succeeded]
        let filter = succeeded
        let (status, latest, charts) = try await source.read { reader in
            let status = Status(try reader.status(sample: 1_000), processID: processID, now: now)
            let latest = try reader.page(PageRequest(filter, limit: 8, looks: 200)).jobs
            return (status, latest, try SpendingCharts.read(reader, now: now))
        }
        let results = latest.flatMap { found in found.results.prefix(1).map { ResultView($0, of: found.job) } }
        let notices = Self.notices(status)
        let queues = status.record.queues.map { queue in
            let states: [JobState] = [.queued, .running, .succeeded, .failed, .cancelled, .unconfirmed]
            return OverviewView.Queue(
                name: queue.name,
                encodedName: URLText.encoded(queue.name),
                href: "/jobs?queue=\(URLText.encoded(queue.name))",
                cells: states.map { CountCell(queue.counts[$0] ?? 0, $0, ("queue", queue.name)) },
                blockedBy: queue.blockedBy?.rawValue,
                blockedKind: queue.blockedBy?.isOrdinary == true ? "" : "warn",
                queueAction: queue.isPaused ? "resume" : "pause",
                queueVerb: queue.isPaused ? "Resume" : "Pause",
                queueLabel: "\(queue.isPaused ? "Resume" : "Pause") queue \(queue.name)"
            )
        }
        let budgets = status.record.budgets.prefix(6).map { BudgetView($0, now: now) }
        return PageContent(
            "overview",
            OverviewView(
                frame: Frame("Overview", at: "/"),
                notices: notices,
                calm: status.forecast.jobs + status.record.daemon.running > 0 ? "At work." : "All done.",
                calmNote: "Nothing needs you.",
                tiles: Self.tiles(status),
                latest: results,
                queues: queues,
                charts: charts,
                budgets: budgets,
                isCalm: notices.isEmpty,
                hasLatest: !results.isEmpty,
                hasBudgets: !budgets.isEmpty
            )
        )
    }

    private static func notices(_ status: Status) -> [NoticeView] {
        var notices = status.record.gates.map { gate in
            let reason = BlockReason(rawValue: gate.name)
            let again = gate.reopensAt.map {
                $0 > status.now ? " promptd tries again in \(($0 - status.now).inWords)." : ""
            }
            let several = status.record.accounts.count > 1
            let account = several ? gate.account.map { " (account \($0))" } ?? "" : ""
            let queue = account + (gate.queue.isEmpty ? "" : " (queue \(gate.queue))")
            return NoticeView(
                reason.holdsAll && !reason.isBudget ? "bad" : "warn",
                reason.title + queue,
                text: gate.message,
                next: reason.whatToDo + (again ?? "")
            )
        }
        notices += status.record.queues.filter(\.isPaused).map { queue in
            NoticeView(
                "info",
                "Queue \(queue.name) is paused",
                next: "Nothing new of it is submitted; \(Advice.resumeQueue(queue.name)).",
                href: "/jobs?queue=\(URLText.encoded(queue.name))",
                "Its jobs"
            )
        }
        let unconfirmed = status.total(.unconfirmed)
        if unconfirmed > 0 {
            notices.append(
                NoticeView(
                    "warn",
                    unconfirmed == 1 ? "1 job is unconfirmed" : "\(grouped(unconfirmed)) jobs are unconfirmed",
                    next: "They were sent and the answer was lost: they may have been charged. Look at each, and "
                        + "\(Advice.settle).",
                    href: "/jobs?state=unconfirmed",
                    "Show"
                )
            )
        }
        let daemon = status.record.daemon
        if let balance = daemon.available, status.forecast.jobs > 0, status.forecast.credits > balance {
            let missing = status.forecast.credits - balance
            let about = status.forecast.isExact ? "" : "about "
            notices.append(
                NoticeView(
                    "warn",
                    "The backlog costs \(about)\(missing.inWords) more than the account holds",
                    next: "What it cannot pay waits. Top up the account, or cancel jobs."
                )
            )
        }
        if let error = daemon.lastError, let at = daemon.lastErrorAt, status.now - at < .seconds(86_400),
            daemon.lastResultAt.map({ $0 < at }) ?? true
        {
            notices.append(NoticeView("warn", "The last error", text: error, next: "At \(at.utcDayAndMinutes)."))
        }
        return notices
    }

    /// One of several accounts.
    private static func tile(_ account: AccountStatus) -> OverviewView.Tile {
        var parts: [String] = []
        if let rate = account.rate {
            parts.append("\(grouped(account.rateUsed)) of \(grouped(rate.count)) requests in \(rate.window.inWords)")
        }
        if let limit = account.runningLimit { parts.append("\(grouped(account.running)) of \(grouped(limit)) run") }
        return OverviewView.Tile(
            label: "Account \(account.name)",
            value: account.available?.grouped ?? "–",
            unit: "credits",
            note: account.isConfigured
                ? parts.joined(separator: ", ") : "not in the configuration: nothing is sent under it"
        )
    }

    private static func tiles(_ status: Status) -> [OverviewView.Tile] {
        let daemon = status.record.daemon
        let several = status.record.accounts.count > 1
        var tiles: [OverviewView.Tile] = []
        let reserved = daemon.rules.creditReserve
        let about = daemon.available == daemon.balance ? "" : "about this much is "
        tiles.append(
            .init(
                label: several ? "All accounts" : "Account",
                value: daemon.available?.grouped ?? "–",
                unit: "credits",
                note: about + "left at the provider" + (reserved > .zero ? ", \(reserved.grouped) kept in reserve" : "")
            )
        )
        if several { tiles += status.record.accounts.map(tile) }
        if let rate = daemon.rate {
            var tile = OverviewView.Tile(
                label: "Rate",
                value: grouped(daemon.rateUsed),
                unit: "of \(grouped(rate.count))",
                note: "requests in the last \(rate.window.inWords)"
            )
            if rate.count <= 30 {
                tile.slots = true
                tile.slotsWidth = "\(rate.count * 10 - 2)"
                tile.slotsLabel = "\(daemon.rateUsed) of \(rate.count) used"
                tile.places = (0..<rate.count).map {
                    .init(x: "\($0 * 10)", kind: $0 < daemon.rateUsed ? "used" : "free")
                }
            } else {
                tile.meter = MeterView(
                    "\(daemon.rateUsed) of \(rate.count) used",
                    used: Double(daemon.rateUsed),
                    of: Double(rate.count)
                )
            }
            tiles.append(tile)
        }
        let last = daemon.lastResultAt.map { "last result \((status.now - $0).inWords) ago" } ?? "no result yet"
        var running = OverviewView.Tile(
            label: "Running",
            value: grouped(daemon.running),
            unit: daemon.runningLimit.map { "of \(grouped($0))" } ?? "",
            note: last
        )
        running.meter = daemon.runningLimit.map {
            MeterView("\(daemon.running) of \($0) run", used: Double(daemon.running), of: Double($0))
        }
        tiles.append(running)
        let forecast = status.forecast
        let sum = (forecast.isExact ? "" : "about ") + forecast.credits.inWords
        let finish = forecast.finish.map {
            (forecast.knowsDurations ? ", done by about " : ", not before ") + TimeView($0, now: status.now).text
        }
        tiles.append(
            .init(
                label: "Backlog",
                value: grouped(forecast.jobs),
                unit: forecast.jobs == 1 ? "job" : "jobs",
                note: forecast.jobs == 0
                    ? "nothing waits"
                        + (forecast.running > 0 ? finish.map { "; what runs is" + $0.dropFirst() } ?? "" : "")
                    : sum + (finish ?? "")
            )
        )
        return tiles
    }
}
