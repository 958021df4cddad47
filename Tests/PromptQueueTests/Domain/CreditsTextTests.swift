import PromptQueue
import Testing

/// Credits as people write them.
@Suite struct CreditsTextTests {
    @Test(arguments: [
        ("0", 0), ("500", 500_000), ("0.8", 800), ("12.345", 12_345), ("999999999999", 999_999_999_999_000),
    ])
    func `a number to the thousandth is read`(text: String, millicredits: Int64) {
        #expect(Credits(text: text)?.millicredits == millicredits)
    }

    @Test(arguments: [
        "", ".", "1.", ".5", "-1", "+1", "1e3", "0.0001", "1,5", "١", "1000000000000", "99999999999999999999",
    ])
    func `anything else is none`(text: String) {
        #expect(Credits(text: text) == nil)
    }
}
