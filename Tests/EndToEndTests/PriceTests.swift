import Glibc
import Testing

/// Prices of the configuration, from the file to the ledger.
@Suite(.timeLimit(.minutes(2)))
struct PriceTests {
    @Test func `configured prices are reserved, and SIGHUP replaces them`() async throws {
        try await Stage.with { stage in
            let sandbox = try await stage.sandbox("--duration", "100ms", "--jitter", "0s")
            try stage.write("catalogue:\n  prices: [flux-2/flex-text-to-image=3.5]\n", to: stage.configuration)
            let daemon = try await stage.daemon(sandbox, ["PROMPTD_CATALOGUE_DEFAULT_PRICE": "7"])
            let estimates =
                "SELECT estimated_millicredits, estimate_basis, charged_millicredits FROM attempts ORDER BY id DESC LIMIT 1"
            let own = try await stage.ledger.insert("a fox at a price of its own")
            try await stage.ledger.wait(job: own, is: "succeeded")
            #expect(try await stage.ledger(estimates) == "3500|override|14000")
            #expect(try await stage.ledger("SELECT default_price_millicredits FROM daemon") == "7000")

            try stage.write("", to: stage.configuration)
            daemon.send(SIGHUP)
            try await stage.ledger.wait(for: "0", from: "SELECT count(*) FROM prices")
            let listed = try await stage.ledger.insert("a fox at the usual price")
            try await stage.ledger.wait(job: listed, is: "succeeded")
            #expect(try await stage.ledger(estimates) == "14000|listed|14000")
            try await stage.stop(daemon)
        }
    }
}
