import Postgres
package import PromptQueue

extension PostgresQueue {
    /// From now on, as the server's clock has it.
    package func retryHooks(_ ids: [HookDeliveryID]?, now: Instant) throws(LedgerError) -> Int {
        try carryOut(
            """
            UPDATE hook_deliveries SET state = 'pending', attempts = 0, next_at = now_ms(), ended_at = NULL
            WHERE id = ANY ($1) OR $1::bigint[] IS NULL AND state = 'dead'
            """,
            [ids.map { .ints($0.map(\.rawValue)) } ?? .null]
        ).affected
    }

    package func testHook(_ name: String, now: Instant) throws(LedgerError) -> HookDeliveryID {
        let delivery = NewHookDelivery.test(name)
        let rows = try carryOut(
            """
            INSERT INTO hook_deliveries (hook, event, subject, message, at, next_at) VALUES ($1, $2, $3, $4, now_ms(), now_ms())
            RETURNING id
            """,
            [.text(delivery.hook), .text(delivery.event.rawValue), .text(delivery.subject), .text(delivery.message)]
        )
        return try LedgerError.wrapping { HookDeliveryID(try rows.only()[0]) }
    }
}
