import Testing

@testable import PromptQueue

@Suite struct BlockReasonTests {
    @Test(arguments: [
        "paused", "key", "credits", "provider", "disk", "rate", "running", "budget:daily", "budget:a:b", "budget:",
        "model:flux-2/flex-text-to-image", "model:budget:x", "something newer", "",
    ])
    func `a reason is read and written as it stands in the ledger`(text: String) {
        #expect(BlockReason(rawValue: text).rawValue == text)
    }

    @Test func `names are told from kinds`() {
        #expect(BlockReason(rawValue: "budget:rate") == .budget("rate"))
        #expect(BlockReason(rawValue: "model:budget:x") == .model("budget:x"))
        #expect(BlockReason(rawValue: "rate").isOrdinary)
        #expect(!BlockReason(rawValue: "budget:rate").isOrdinary)
        #expect(!BlockReason(rawValue: "something newer").isOrdinary)
    }
}
