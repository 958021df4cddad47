import Testing

@testable import PromptQueue

@Suite struct TextTests {
    @Test(
        arguments: [
            ("250ms", 250), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000), ("90d", 7_776_000_000), ("0s", 0),
        ] as [(String, Int64)]
    )
    func `durations are read and written`(text: String, milliseconds: Int64) {
        #expect(Duration(text: text) == .milliseconds(milliseconds))
        #expect(Duration.milliseconds(milliseconds).text == text)
    }

    @Test(arguments: ["", "10", "10 sec", "-5s", "1.5h", "s", "10S", "99999999999999999999s", "100001d"])
    func `other texts are no durations`(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test(
        arguments: [
            (14_000, "14"), (5_916_250, "5916.25"), (800, "0.8"), (-1_005, "-1.005"), (0, "0"),
        ] as [(Int64, String)]
    )
    func `credits show no more decimals than they have`(millicredits: Int64, text: String) {
        #expect(Credits(millicredits: millicredits).description == text)
    }

    @Test func `credits are rounded to a thousandth and refused when absurd`() {
        #expect(Credits(0.1 + 0.2) == Credits(millicredits: 300))
        #expect(Credits(.infinity) == nil)
        #expect(Credits(1e13) == nil)
    }

    @Test func `JSON keeps whole numbers whole and sorts its keys`() throws {
        let text = #"{"b":[1,2.5,"x",null,true],"a":9007199254740993}"#
        let value = try JSONValue(parsing: text)
        #expect(value.json == #"{"a":9007199254740993,"b":[1,2.5,"x",null,true]}"#)
    }
}
