import Foundation
import LedgerConformance
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Testing

@Suite struct ConformanceTests {
    /// Whether a store is an older copy of itself is not looked at here yet.
    @Test(arguments: LedgerConformance.allCases.filter { $0 != .olderCopySubmitsNothing })
    func `the ledger in PostgreSQL does what every ledger must`(check: LedgerConformance) async throws {
        try await check.check(try await PostgresPlace.make())
    }
}
