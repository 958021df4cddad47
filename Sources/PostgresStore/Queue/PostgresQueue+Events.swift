import Postgres
package import PromptQueue

extension PostgresQueue {
    package func events(_ query: EventQuery) throws(LedgerError) -> [JobEvent] {
        guard ![query.queue, query.batch].contains(where: StoredText.holdsNUL) else { return [] }
        try numberEvents()
        let rows = try read(EventRows.sql(query), EventRows.arguments(query))
        return try LedgerError.wrapping { try rows.map(JobEvent.init(row:)) }
    }

    package func eventRange() throws(LedgerError) -> EventRange {
        try numberEvents()
        let rows = try read(EventRows.range)
        return try LedgerError.wrapping { try EventRange(row: rows.only()) }
    }

    /// What has been committed until now gets its numbers. Who only reads leaves that to the daemons.
    private func numberEvents() throws(LedgerError) {
        guard !isReadOnly else { return }
        try writing { _ = try $0.query("SELECT number_events()") }
    }

    package func hookDeliveries(
        _ states: Set<HookDelivery.State>,
        limit: Int
    ) throws(LedgerError) -> [HookDelivery] {
        let rows = try read(
            """
            SELECT id, hook, event, job_id, subject, message, at, state, attempts, next_at, last_error, ended_at
            FROM hook_deliveries WHERE state = ANY ($1) ORDER BY id DESC LIMIT $2
            """,
            [.texts(states.map(\.rawValue).sorted()), .int(Int64(limit))]
        )
        return try LedgerError.wrapping { try rows.map(HookDelivery.init(row:)) }
    }

    package func schedules() throws(LedgerError) -> [ScheduleRecord] {
        let rows = try read(SQL(pasted: "SELECT \(ScheduleRecord.columns) FROM schedules ORDER BY name"))
        return try LedgerError.wrapping { try rows.map(ScheduleRecord.init(row:)) }
    }
}
