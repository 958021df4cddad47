import GRDB
package import PromptQueue

extension SQLiteLedger: HookStore {
    package func noteHooks(_ rules: [HookRule], now: Instant) async throws(LedgerError) -> HookNote {
        let hasNews = try await LedgerError.wrapping {
            try await self.pool.read { db in try HookRows(db: db).hasNews() }
        }
        guard hasNews else { return HookNote() }
        return try await commits.commit { db in try HookRows(db: db).note(rules, now: now) }
    }

    package func forgetHooks() async throws(LedgerError) {
        try await commits.commit { db in
            try db.execute(sql: "UPDATE daemon SET hooks_read = NULL WHERE hooks_read IS NOT NULL")
        }
    }

    package func dueDeliveries(
        to hook: String,
        now: Instant,
        limit: Int
    ) async throws(LedgerError) -> [HookDelivery] {
        try await LedgerError.wrapping {
            try await self.pool.read { db in try HookRows(db: db).due(hook, now: now, limit: limit) }
        }
    }

    package func subject(of delivery: HookDelivery, now: Instant) async throws(LedgerError) -> JSONObject {
        try await LedgerError.wrapping {
            try await self.pool.read { db in try HookRows(db: db).subject(of: delivery, now: now) }
        }
    }

    package func deliveryEnded(
        _ delivery: HookDeliveryID,
        _ outcome: HookOutcome,
        next: Instant?,
        now: Instant
    ) async throws(LedgerError) {
        try await commits.commit { db in try HookRows(db: db).ended(delivery, outcome, next: next, now: now) }
    }

    package func removeDeliveries(
        delivered: Instant,
        dead: Instant,
        limit: Int
    ) async throws(LedgerError) -> Int {
        try await commits.commit { db in try HookRows(db: db).remove(delivered: delivered, dead: dead, limit: limit) }
    }
}

extension QueueFile {
    package func hookDeliveries(
        _ states: Set<HookDelivery.State>,
        limit: Int
    ) throws(LedgerError) -> [HookDelivery] {
        try read { db in try HookRows(db: db).list(states, limit: limit) }
    }

    package func retryHooks(_ ids: [HookDeliveryID]?, now: Instant) throws(LedgerError) -> Int {
        try write { db in try HookRows(db: db).retry(ids, now: now) }
    }

    package func testHook(_ name: String, now: Instant) throws(LedgerError) -> HookDeliveryID {
        try write { db in try HookRows(db: db).test(name, now: now) }
    }
}
