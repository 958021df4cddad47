import KieSandbox
import PromptQueue
import Testing

struct CreditTests {
    @Test func `a task is charged when it is made`() {
        var fixture = ProviderFixture()
        let id = fixture.task()
        #expect(fixture.balance == 986)
        #expect(fixture.poll(id).json["data"]["state"] == "waiting")
        #expect(fixture.poll(id).json["data"]["creditsConsumed"].doubleValue == 14)
    }

    @Test(
        arguments: [
            ("flux-2/flex-text-to-image", "1K", 14), ("flux-2/flex-text-to-image", "2K", 24),
            ("flux-2/pro-text-to-image", "1K", 5), ("flux-2/pro-text-to-image", "2K", 7),
        ]
    )
    func `each model and size has its price`(model: String, resolution: String, price: Double) {
        var fixture = ProviderFixture()
        let input: JSONObject = ["aspect_ratio": "1:1", "resolution": .string(resolution)]
        #expect(fixture.create(input: input, model: model).code == 200)
        #expect(fixture.balance == 1_000 - price)
    }

    @Test func `the price of a failed task comes back when it fails`() {
        var fixture = ProviderFixture()
        fixture.strike("fail")
        let id = fixture.task()
        fixture.wait(.milliseconds(2_999))
        #expect(fixture.balance == 986)
        #expect(fixture.poll(id).json["data"]["creditsConsumed"].doubleValue == 14)
        fixture.wait(.milliseconds(1))
        #expect(fixture.balance == 1_000)
        #expect(fixture.poll(id).json["data"]["creditsConsumed"].doubleValue == 0)
        let credits = fixture.get("/sandbox/stats")["credits"]
        #expect(credits["charged"].doubleValue == 14)
        #expect(credits["refunded"].doubleValue == 14)
        #expect(credits["consumed"].doubleValue == 0)
    }

    @Test func `a task that fails without a refund stays charged`() {
        var fixture = ProviderFixture()
        fixture.strike("fail-charged")
        let id = fixture.task()
        fixture.wait(.seconds(3))
        #expect(fixture.balance == 986)
        #expect(fixture.poll(id).json["data"]["state"] == "fail")
        #expect(fixture.poll(id).json["data"]["creditsConsumed"].doubleValue == 14)
    }

    @Test func `what the balance cannot pay is refused and costs nothing`() {
        var fixture = ProviderFixture { $0.credits = Credits(millicredits: 13_999) }
        let answer = fixture.create()
        #expect(answer.status == 200)
        #expect(answer.code == 402)
        #expect(answer.message?.hasPrefix("Credits insufficient : Your current balance isn’t enough") == true)
        #expect(fixture.balance == 13.999)
        #expect(fixture.get("/sandbox/tasks")["tasks"] == .array([]))
    }

    @Test func `a top-up adds to the balance`() {
        var fixture = ProviderFixture { $0.credits = .zero }
        #expect(fixture.create().code == 402)
        #expect(fixture.send("POST", "/sandbox/credits", body: #"{"add":14.25}"#).json["balance"].doubleValue == 14.25)
        #expect(fixture.create().code == 200)
        #expect(fixture.balance == 0.25)
    }

    @Test func `the balance is written with a fraction`() {
        var fixture = ProviderFixture { $0.credits = Credits(millicredits: 5_916_000) }
        #expect(fixture.send("GET", "/api/v1/chat/credit").text == #"{"code":200,"msg":"success","data":5916.0}"#)
    }
}
