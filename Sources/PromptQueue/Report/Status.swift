/// The status, with what follows from it.
package struct Status: Sendable {
    package let record: StatusRecord
    /// The daemon that works on the database now.
    package let processID: Int32?
    package let forecast: Forecast
    package let now: Instant

    /// - Parameter sample: of the backlog no more jobs than this are looked at.
    package init(_ file: any QueueClient, now: Instant, sample: Int = 10_000) throws(LedgerError) {
        self.init(try file.status(sample: sample), processID: file.daemonProcessID, now: now)
    }

    /// - Parameter processID: the daemon that works on the queue; nil if none does.
    package init(_ record: StatusRecord, processID: Int32?, now: Instant) {
        self.record = record
        self.processID = processID
        forecast = Forecast(record, record.catalogue, now: now)
        self.now = now
    }

    package func total(_ state: JobState) -> Int {
        record.queues.reduce(0) { $0 + ($1.counts[state] ?? 0) }
    }

    /// The whole status, as JSON.
    package var object: JSONObject {
        let daemon = record.daemon
        return [
            "daemon": .object([
                "running": .bool(processID != nil),
                "pid": JSONValue(processID.map(Int.init)),
                "version": JSONValue(daemon.version),
                "started_at": JSONValue(daemon.startedAt),
                "last_result_at": JSONValue(daemon.lastResultAt),
                "last_error": JSONValue(daemon.lastError),
                "last_error_at": JSONValue(daemon.lastErrorAt),
            ]),
            "balance": JSONValue(daemon.balance),
            "balance_at": JSONValue(daemon.balanceAt),
            "reserve_credits": JSONValue(daemon.rules.creditReserve),
            "account": record.account.map { .object($0.object) } ?? .null,
            "rate": .object([
                "used": .integer(Int64(daemon.rateUsed)),
                "limit": JSONValue(daemon.rate?.count),
                "window_seconds": daemon.rate.map { .number($0.window.seconds) } ?? .null,
            ]),
            "running": .integer(Int64(daemon.running)),
            "running_limit": JSONValue(daemon.runningLimit),
            "accounts": .array(record.accounts.map { .object($0.object) }),
            "gates": .array(record.gates.map { .object(object(of: $0)) }),
            "queues": .array(record.queues.map { .object($0.object) }),
            "budgets": .array(record.budgets.map { .object($0.object) }),
            "backlog": .object([
                "jobs": .integer(Int64(forecast.jobs)),
                "estimated_credits": JSONValue(forecast.credits),
                "jobs_of_unknown_price": .integer(Int64(forecast.unpricedJobs)),
                "is_exact": .bool(forecast.isExact),
                "earliest_finish": JSONValue(forecast.finish),
                "finish_knows_durations": .bool(forecast.knowsDurations),
            ]),
            "first_unconfirmed": record.firstUnconfirmed.map { .integer($0.rawValue) } ?? .null,
        ]
    }

    private func object(of gate: GateNote) -> JSONObject {
        [
            "name": .string(gate.name),
            "account": JSONValue(gate.account?.rawValue),
            "queue": gate.queue.isEmpty ? .null : .string(gate.queue),
            "closed_at": JSONValue(gate.closedAt),
            "reopens_at": JSONValue(gate.reopensAt),
            "message": .string(gate.message),
        ]
    }
}

extension QueueRecord {
    package var object: JSONObject {
        var object: JSONObject = [
            "queue": .string(name),
            "paused": .bool(isPaused),
            "max_running": JSONValue(maxRunning),
            "blocked_by": JSONValue(blockedBy?.rawValue),
            "account": .string(account.rawValue),
        ]
        for (state, jobs) in counts { object[state.rawValue] = .integer(Int64(jobs)) }
        return object
    }
}

extension AccountStatus {
    package var object: JSONObject {
        [
            "account": .string(name.rawValue),
            "configured": .bool(isConfigured),
            "balance": JSONValue(balance),
            "balance_at": JSONValue(balanceAt),
            "reserve_credits": JSONValue(rules.creditReserve),
            "rate": .object([
                "used": .integer(Int64(rateUsed)),
                "limit": JSONValue(rate?.count),
                "window_seconds": rate.map { .number($0.window.seconds) } ?? .null,
            ]),
            "running": .integer(Int64(running)),
            "running_limit": JSONValue(runningLimit),
            "comparison": comparison.map { .object($0.object) } ?? .null,
        ]
    }
}

extension BudgetRecord {
    package var object: JSONObject {
        [
            "budget": .string(name),
            "queue": JSONValue(scope.queue),
            "model": JSONValue(scope.model),
            "batch": JSONValue(scope.batch),
            "label": JSONValue(scope.label?.description),
            "account": JSONValue(scope.account?.rawValue),
            "period": .string(period),
            "limit_credits": JSONValue(limit),
            "reserved_credits": JSONValue(reserved),
            "spent_credits": JSONValue(spent),
            "left_credits": JSONValue(left),
            "resets_at": JSONValue(resetsAt),
        ]
    }
}
