import Testing

@testable import PromptQueue

@Suite struct CreditPriceTests {
    @Test(arguments: [
        ("0.005 USD", 720_000, "3.60 USD"), ("0.005 USD", 800, "0.0040 USD"), ("0.005 USD", 0, "0.00 USD"),
        ("0.005 USD", -14_000, "-0.07 USD"), ("1 €", 1_234_567_000, "1,234,567.00 €"),
        ("0.000001 BTC", 1_000, "0.0000 BTC"),
        ("2.5 kr", 1_999, "5.00 kr"), ("1000 USD", Int64.max, "9,223,372,036,854,775,807.00 USD"),
    ])
    func `credits are shown as money`(text: String, millicredits: Int64, amount: String) throws {
        #expect(try #require(CreditPrice(text: text)).amount(of: Credits(millicredits: millicredits)) == amount)
    }

    @Test(arguments: ["0.005 USD", "1 €", "0.000001 BTC", "1000 USD"])
    func `a price is written as it is read`(text: String) throws {
        #expect(try #require(CreditPrice(text: text)).description == text)
    }

    @Test(arguments: [
        "", "0.005", "USD", "0 USD", "-1 USD", "0.0000001 USD", "1001 USD", "1. USD", "1,5 USD", "1 U$D1", "1 USD EUR",
        "1e3 USD", "1 DOLLARSSS",
    ])
    func `what is no price is refused`(text: String) { #expect(CreditPrice(text: text) == nil) }
}
