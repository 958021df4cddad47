package import PromptQueue

/// Figures in Prometheus' text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
package enum PrometheusText {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// - Parameter startedAt: Unix seconds.
    package static func text(
        _ figures: StatusFigures,
        _ process: ProcessFigures = ProcessFigures(),
        version: String,
        startedAt: Double
    ) -> String {
        var lines: [String] = []
        func family(
            _ name: String,
            _ help: String,
            _ samples: [(labels: String, value: String)],
            type: String = "gauge"
        ) {
            guard !samples.isEmpty else { return }
            lines.append("# HELP \(name) \(help)")
            lines.append("# TYPE \(name) \(type)")
            lines += samples.map { "\(name)\($0.labels) \($0.value)" }
        }
        family("promptd_build_info", "The version that runs.", [("{version=\"\(escaped(version))\"}", "1")])
        family("promptd_start_time_seconds", "When it started, in Unix time.", [("", number(startedAt))])
        family(
            "promptd_jobs",
            "Jobs by queue and state.",
            jobs(figures)
        )
        family(
            "promptd_queue_paused",
            "Whether a queue is paused.",
            queues(figures, { $0.isPaused ? 1 : 0 }, merging: max)
        )
        family("promptd_jobs_due", "Jobs that are due and not submitted, by queue.", queues(figures, \.due, merging: +))
        family(
            "promptd_jobs_set_aside",
            "Jobs that are left alone, because the database refuses them or promptd has died of them.",
            [("", "\(figures.setAside)")]
        )
        family(
            "promptd_hook_deliveries_pending",
            "What hooks are still to be told.",
            [("", "\(figures.hooksPending)")]
        )
        family(
            "promptd_hook_deliveries_dead",
            "What hooks were not told, and will not be.",
            [("", "\(figures.hooksDead)")]
        )
        family("promptd_results_pending", "Results that are to be downloaded.", [("", "\(figures.pendingResults)")])
        family("promptd_rate_window_used", "Busy slots of the rate window.", [("", "\(figures.rateUsed)")])
        family("promptd_rate_window_limit", "Slots of the rate window.", [("", "\(figures.rateLimit)")])
        family("promptd_tasks_running", "Tasks at the provider.", [("", "\(figures.running)")])
        family("promptd_tasks_limit", "The most tasks at the provider at once.", [("", "\(figures.runningLimit)")])
        family("promptd_reserved_credits", "Credits held back for open attempts.", [("", figures.reserved.description)])
        family(
            "promptd_account_credits",
            "The account's balance when it was last read.",
            figures.balance.map { [("", $0.description)] } ?? []
        )
        family(
            "promptd_account_read_timestamp_seconds",
            "When the account's balance was last read, in Unix time.",
            instant(figures.balanceReadAt)
        )
        func accounts(_ value: (AccountFigures) -> String?) -> [(labels: String, value: String)] {
            figures.accounts.filter(\.isConfigured).compactMap { account in
                value(account).map { ("{account=\"\(account.name)\"}", $0) }
            }
        }
        family(
            "promptd_accounts_credits",
            "Balances when they were last read, by account.",
            accounts { $0.balance?.description }
        )
        family(
            "promptd_accounts_rate_window_used",
            "Busy slots of the rate windows, by account.",
            accounts { "\($0.rateUsed)" }
        )
        family("promptd_accounts_tasks_running", "Tasks at the provider, by account.", accounts { "\($0.running)" })
        family(
            "promptd_unconfirmed_credits",
            "Credits held back for requests whose answer was lost.",
            [("", figures.reservedForUnknown.description)]
        )
        family(
            "promptd_account_unexplained_credits",
            "What the account lost and the ledger does not know of.",
            figures.unexplained.map { [("", $0.description)] } ?? []
        )
        family(
            "promptd_gate_closed",
            "Reasons why nothing is being submitted.",
            process.closedGates.union(figures.gates).sorted().map { ("{gate=\"\(escaped($0))\"}", "1") }
        )
        func budgets(_ value: (BudgetFigures) -> Credits) -> [(labels: String, value: String)] {
            var seen: Set<String> = []
            return figures.budgets.compactMap { budget in
                let labels = "{budget=\"\(escaped(budget.name))\"}"
                return seen.insert(labels).inserted ? (labels, value(budget).description) : nil
            }
        }
        family(
            "promptd_ledger_charged_credits",
            "Credits that the ledger has booked as charged since the first job.",
            [("", figures.charged.description)]
        )
        family("promptd_budget_limit_credits", "What a budget allows in its period.", budgets(\.limit))
        family("promptd_budget_charged_credits", "What was charged to a budget in its period.", budgets(\.charged))
        family("promptd_budget_reserved_credits", "What open attempts hold back of a budget.", budgets(\.reserved))
        family(
            "promptd_heartbeat_timestamp_seconds",
            "When the ledger was last written to, in Unix time.",
            instant(figures.heartbeat)
        )
        family(
            "promptd_daemons",
            "Daemons that share the queue and have a lease.",
            figures.daemons.map { [("", "\($0.members)")] } ?? []
        )
        family(
            "promptd_daemons_taken_over_total",
            "Daemons that no longer renewed their lease, so that others took over what they had.",
            figures.daemons.map { [("", "\($0.takenOver)")] } ?? [],
            type: "counter"
        )
        family(
            "promptd_last_error_timestamp_seconds",
            "When something last went wrong, in Unix time.",
            instant(figures.lastError)
        )
        family(
            "promptd_oldest_due_timestamp_seconds",
            "Since when the next job waits, in Unix time: the longest of all queues.",
            instant(figures.waitingSince)
        )
        family("promptd_database_bytes", "The size of the database.", [("", "\(figures.databaseBytes)")])
        family("promptd_database_log_bytes", "The size of its write-ahead log.", [("", "\(figures.logBytes)")])
        family(
            "promptd_database_filesystem_avail_bytes",
            "What is free on the database's file system.",
            figures.availableBytes.map { [("", "\($0)")] } ?? []
        )
        family(
            "promptd_media_filesystem_avail_bytes",
            "What is free on the media directory's file system.",
            process.mediaAvailableBytes.map { [("", "\($0)")] } ?? []
        )
        return lines.joined(separator: "\n") + "\n"
    }

    private static func instant(_ instant: Instant?) -> [(labels: String, value: String)] {
        instant.map { [("", number(Double($0.milliseconds) / 1_000))] } ?? []
    }

    private static func jobs(_ figures: StatusFigures) -> [(labels: String, value: String)] {
        samples(
            figures.jobs.map { ("{queue=\"\(escaped($0.queue))\",state=\"\($0.state)\"}", $0.jobs) },
            merging: +
        )
    }

    private static func queues(
        _ figures: StatusFigures,
        _ value: (StatusFigures.QueueFigures) -> Int,
        merging: (Int, Int) -> Int
    ) -> [(labels: String, value: String)] {
        samples(figures.queues.map { ("{queue=\"\(escaped($0.name))\"}", value($0)) }, merging: merging)
    }

    /// Two queues whose names read alike are one series: a scrape with two of a name would be refused as a whole.
    private static func samples(
        _ all: [(labels: String, value: Int)],
        merging: (Int, Int) -> Int
    ) -> [(labels: String, value: String)] {
        var order: [String] = []
        var values: [String: Int] = [:]
        for (labels, value) in all {
            if let before = values[labels] {
                values[labels] = merging(before, value)
            } else {
                order.append(labels)
                values[labels] = value
            }
        }
        return order.map { ($0, "\(values[$0] ?? 0)") }
    }

    /// Whole numbers without a fraction; `+Inf` and `NaN` as the format has them.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        guard let whole = Int64(exactly: value) else { return "\(value)" }
        return "\(whole)"
    }

    /// A label's value, with nothing in it that could end it.
    static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in PlainText.escaped(BoundedText.word(value)).unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
