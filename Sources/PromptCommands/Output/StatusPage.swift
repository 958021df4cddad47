import PromptQueue

/// The status, for people.
struct StatusPage {
    let status: Status
    let console: Console
    var schedules: [ScheduleRecord] = []

    private var daemon: DaemonRecord { status.record.daemon }
    private var hasSeveral: Bool { status.record.accounts.count > 1 }

    var lines: [String] {
        var lines = ([head, load].compactMap(\.self) + accounts + gates).flatMap(console.wrapped)
        lines += [""] + queues
        if !status.record.budgets.isEmpty { lines += [""] + budgets }
        let notes = (backlog + coming + troubles).flatMap(console.wrapped)
        if !notes.isEmpty { lines += [""] + notes }
        return lines
    }

    private var head: String {
        var parts: [String] = []
        if let pid = status.processID {
            let since = daemon.startedAt.map { " since \(console.time($0))" } ?? ""
            parts.append("promptd \(daemon.version ?? "")  running\(since) (pid \(pid))")
        } else {
            parts.append(styled("promptd is not running", .warning))
        }
        if let balance = daemon.available {
            // What was sent since it was read is taken at its price.
            let about = balance == daemon.balance ? "" : "about "
            // While it works promptd reads it every few minutes.
            let isOld = status.processID == nil || daemon.balanceAt.map { status.now - $0 > .seconds(900) } ?? false
            let age = isOld ? daemon.balanceAt.map { " at \(console.time($0))" } ?? "" : ""
            parts.append("account \(about)\(balance.inWords)\(console.money(balance))\(age)")
        }
        if status.processID != nil,
            let gate = status.record.gates.first(where: {
                $0.queue.isEmpty && BlockReason(rawValue: $0.name).holdsAll
            })
        {
            parts.append(styled("held by \(gate.name)", .warning))
        } else if status.processID != nil {
            parts.append("provider ok")
        }
        return parts.joined(separator: "   ")
    }

    private var load: String? {
        guard let rate = daemon.rate else { return nil }
        var parts = ["rate  \(daemon.rateUsed) of \(rate.count) in the last \(rate.window.inWords)"]
        if let limit = daemon.runningLimit { parts.append("running \(grouped(daemon.running)) of \(grouped(limit))") }
        if let last = daemon.lastResultAt { parts.append("last result \((status.now - last).inWords) ago") }
        return parts.joined(separator: "      ")
    }

    /// Each by itself, where there are several.
    private var accounts: [String] {
        let accounts = status.record.accounts
        guard hasSeveral else { return [] }
        return accounts.map { account in
            var parts = ["account \(account.name)"]
            if let balance = account.available { parts.append("\(balance.inWords)\(console.money(balance))") }
            if let rate = account.rate {
                parts.append("rate \(account.rateUsed) of \(rate.count) in \(rate.window.inWords)")
            }
            if let limit = account.runningLimit {
                parts.append("running \(grouped(account.running)) of \(grouped(limit))")
            }
            if !account.isConfigured { parts.append(styled("not in the configuration", .warning)) }
            return parts.joined(separator: "   ")
        }
    }

    private var gates: [String] {
        // A copy is held whether promptd runs or not; other gates end with it.
        let gates = status.record.gates.filter {
            status.processID != nil || BlockReason(rawValue: $0.name) == .restored
        }
        return gates.map { gate in
            let again = gate.reopensAt.map { $0 > status.now ? ", again in \(($0 - status.now).inWords)" : "" } ?? ""
            let queue = gate.queue.isEmpty ? "" : " (queue \(oneLine(gate.queue)))"
            let account = hasSeveral ? gate.account.map { " (account \($0))" } ?? "" : ""
            let message = gate.message.isEmpty ? "" : ": \(oneLine(gate.message))"
            return "held  \(oneLine(gate.name))\(account)\(queue)\(again)\(message)"
        }
    }

    private var queues: [String] {
        let states: [(String, JobState, Style?)] = [
            ("QUEUED", .queued, nil), ("RUNNING", .running, nil), ("DONE", .succeeded, nil), ("FAILED", .failed, .bad),
            ("UNCONFIRMED", .unconfirmed, .warning),
        ]
        var table = Table(
            [Table.Column(title: "QUEUE", isFlexible: true)]
                + states.map { Table.Column(title: $0.0, alignment: .right) }
                + [Table.Column(title: "BLOCKED BY", isFlexible: true)]
        )
        for queue in status.record.queues {
            let counts = states.map { _, state, style in
                let jobs = queue.counts[state] ?? 0
                return Table.Cell(text: grouped(jobs), style: jobs > 0 ? style : nil)
            }
            let blocked = blockedBy(queue)
            table.add(
                [Table.Cell(text: oneLine(queue.name))] + counts
                    + [Table.Cell(text: blocked ?? "–", style: blocked == nil ? nil : .warning)]
            )
        }
        return table.lines(width: width, hasColour: console.hasColour)
    }

    private func blockedBy(_ queue: QueueRecord) -> String? {
        guard let blocked = queue.blockedBy else { return nil }
        let name = blocked.rawValue
        if blocked.isBudget,
            let gate = status.record.gates.first(where: { $0.name == name && $0.queue == queue.name }),
            let reset = gate.reopensAt, reset > status.now
        {
            return "\(oneLine(name)), resets \(reset.utcMinutes) (in \((reset - status.now).inWords))"
        }
        return oneLine(name)
    }

    private var budgets: [String] {
        var table = Table.ofBudgets
        for budget in status.record.budgets { table.add(budget.cells) }
        return table.lines(width: width, hasColour: console.hasColour)
    }

    private var finish: String? {
        guard let finish = status.forecast.finish else { return nil }
        let time = console.time(finish)
        return status.forecast.knowsDurations ? "about \(time)" : "\(time) at the earliest"
    }

    private var backlog: [String] {
        let forecast = status.forecast
        guard forecast.jobs > 0 else {
            guard forecast.running > 0, let finish, status.processID != nil else { return [] }
            return ["backlog   none; what runs is done by \(finish)"]
        }
        let about = forecast.isExact ? "" : "about "
        let credits = forecast.credits.rounded(unless: forecast.isExact)
        var text = "backlog   \(about)\(credits.inWords)\(console.money(credits))"
        text += " for \(count(forecast.jobs, "job"))"
        if forecast.unpricedJobs > 0 { text += ", some by the default price" }
        if let finish, status.processID != nil { text += ", done by \(finish)" }
        if let balance = daemon.available, forecast.credits > balance {
            let missing = (forecast.credits - balance).rounded(unless: forecast.isExact)
            text += styled("   !  \(missing.grouped) more than the account holds", .warning)
        }
        return [text]
    }

    /// The schedules that come next, and whether one is in trouble.
    private var coming: [String] {
        let next = schedules.filter(\.isEnabled).compactMap { schedule in schedule.nextRunAt.map { (schedule.name, $0) }
        }
        .sorted { $0.1 < $1.1 }
        var parts = next.prefix(2).map { name, at in
            "\(oneLine(name)) at \(console.time(at))" + (at > status.now ? " (in \((at - status.now).inWords))" : "")
        }
        if next.count > 2 { parts.append("\(grouped(next.count - 2)) more") }
        let faults = schedules.count { $0.lastError != nil }
        if faults > 0 { parts.append(styled("\(grouped(faults)) in trouble: promptctl schedule list", .warning)) }
        return parts.isEmpty ? [] : ["schedules " + parts.joined(separator: "; ")]
    }

    private var troubles: [String] {
        var lines: [String] = []
        if let job = status.record.firstUnconfirmed {
            let jobs = status.total(.unconfirmed)
            lines.append(
                "          \(count(jobs, "job")) \(jobs == 1 ? "is" : "are") unconfirmed: "
                    + (jobs == 1
                        ? "promptctl show \(job)" : "promptctl list --state unconfirmed, promptctl resolve --help")
            )
        }
        for account in status.record.accounts {
            guard let difference = account.comparison?.difference else { continue }
            lines.append("          " + (hasSeveral ? "account \(account.name): " : "") + difference)
        }
        // What has been followed by a result is over.
        if let error = daemon.lastError, let at = daemon.lastErrorAt, status.now - at < .seconds(86_400),
            daemon.lastResultAt.map({ $0 < at }) ?? true
        {
            lines.append("          last error at \(console.time(at)): \(oneLine(error))")
        }
        if status.processID == nil, status.forecast.jobs > 0 {
            lines.append("          nothing is submitted until promptd is started")
        }
        return lines
    }

    private var width: Int? { console.isOutputTerminal ? console.columns : nil }

    private func styled(_ text: String, _ style: Style) -> String {
        console.hasColour ? style.apply(to: text) : text
    }
}

extension Table {
    static var ofBudgets: Table {
        Table([
            Column(title: "BUDGET", isFlexible: true), Column(title: "FOR", isFlexible: true),
            Column(title: "PERIOD"),
            Column(title: "LIMIT", alignment: .right), Column(title: "RESERVED", alignment: .right),
            Column(title: "SPENT", alignment: .right), Column(title: "LEFT", alignment: .right),
        ])
    }
}

extension BudgetRecord {
    var cells: [Table.Cell] {
        [
            Table.Cell(text: oneLine(name)), Table.Cell(text: oneLine("\(scope)")), Table.Cell(text: period),
            Table.Cell(text: limit.grouped), Table.Cell(text: reserved.grouped), Table.Cell(text: spent.grouped),
            Table.Cell(text: leftInWords, style: isNearlyUsed ? .warning : nil),
        ]
    }

    /// A task that cost more than was reserved for it can take a budget past its limit.
    private var leftInWords: String {
        left < .zero ? "over by \((.zero - left).grouped)" : left.grouped
    }
}

extension Credits {
    /// Two digits that count: what comes from a sample is no more exact.
    fileprivate func rounded(unless isExact: Bool) -> Credits {
        guard !isExact else { return self }
        var step: Int64 = 1
        while millicredits / step >= 1_000 { step *= 10 }
        return Credits(millicredits: (millicredits + step / 2) / step * step)
    }
}
