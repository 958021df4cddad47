import Foundation
import LedgerConformance
import Postgres
import PostgresServer
import PostgresStore
import PromptQueue
import Testing

@Suite struct ConformanceTests {
    @Test(arguments: LedgerConformance.allCases)
    func `the ledger in PostgreSQL does what every ledger must`(check: LedgerConformance) async throws {
        try await check.check(try await PostgresPlace.make())
    }
}
