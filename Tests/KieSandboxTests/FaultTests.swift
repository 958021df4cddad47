import KieSandbox
import PromptQueue
import Testing

struct FaultTests {
    /// A fault of `createTask`, and the HTTP status and the code that the client gets.
    struct Case: Sendable, CustomStringConvertible {
        let name: String
        let status: Int
        let code: Int?

        init(_ name: String, _ status: Int, _ code: Int?) {
            self.name = name
            self.status = status
            self.code = code
        }

        var description: String { name }
    }

    @Test(
        arguments: [
            Case("401", 200, 401), Case("http-401", 401, 401), Case("cdn-403", 403, nil), Case("402", 200, 402),
            Case("402-as-500", 200, 500), Case("404", 200, 404), Case("408", 200, 408), Case("422", 200, 422),
            Case("429", 200, 429), Case("http-429", 429, 429), Case("433", 200, 433), Case("451", 200, 451),
            Case("455", 200, 455), Case("500", 200, 500), Case("501", 200, 501), Case("505", 200, 505),
            Case("gateway", 502, nil), Case("gateway-empty", 503, nil),
        ]
    )
    func `an error instead of a task makes none and costs nothing`(fault: Case) {
        var fixture = ProviderFixture()
        fixture.strike(fault.name)
        let answer = fixture.create()
        #expect(answer.status == fault.status)
        #expect(answer.json["code"].integerValue.map(Int.init) == fault.code)
        #expect(answer.delivery == .whole)
        #expect(fixture.balance == 1_000)
        #expect(fixture.get("/sandbox/stats")["tasks"]["made"] == 0)
        #expect(fixture.create().code == 200)
    }

    @Test func `a connection cut before a task makes none`() {
        var fixture = ProviderFixture()
        fixture.strike("lost-before")
        #expect(fixture.create().delivery == .lost)
        #expect(fixture.balance == 1_000)
        #expect(fixture.get("/sandbox/stats")["createTask"]["lostAnswers"] == 0)
    }

    @Test func `a request can be held, to arrive and be charged when nobody waits for it any more`() throws {
        var fixture = ProviderFixture { $0.rate = RateLimit(count: 1, window: .seconds(10)) }
        fixture.strike("held", "held", "ok")
        #expect(fixture.create("late").delivery == .lost)
        #expect(fixture.create("later still").delivery == .lost)
        #expect(fixture.create().code == 200, "what has not arrived takes no place in the window")
        #expect(fixture.get("/sandbox/stats")["createTask"]["held"] == 2)
        #expect(fixture.get("/sandbox/stats")["createTask"]["arrivals"] == 1)
        fixture.wait(.milliseconds(149_999))
        #expect(fixture.balance == 986)
        fixture.wait(.milliseconds(1))
        #expect(fixture.balance == 972, "one is made; the other is one too many at that moment")
        let statistics = fixture.get("/sandbox/stats")
        #expect(statistics["createTask"]["held"] == 0)
        #expect(statistics["createTask"]["arrivals"] == 3)
        #expect(statistics["createTask"]["mostInWindow"] == 2)
        #expect(statistics["createTask"]["refusedByRate"] == 1)
        let tasks = fixture.get("/sandbox/tasks")["tasks"].arrayValue ?? []
        #expect(tasks.map { $0["prompt"] } == ["a red fox", "late"])
        #expect(tasks.last?["answerLost"] == true)
    }

    @Test(arguments: ["lost", "cut-body", "broken-body", "gateway-made"])
    func `an answer can be lost after the task was made`(name: String) throws {
        var fixture = ProviderFixture()
        fixture.strike(name)
        let answer = fixture.create()
        switch name {
        case "lost": #expect(answer.delivery == .lost)
        case "cut-body": #expect(answer.delivery == .cut)
        case "broken-body": #expect(answer.json == .null)
        default: #expect(answer.status == 504)
        }
        #expect(fixture.balance == 986)
        #expect(fixture.get("/sandbox/stats")["createTask"]["lostAnswers"] == 1)
        let task = try #require(fixture.get("/sandbox/tasks")["tasks"].arrayValue?.first)
        #expect(task["answerLost"] == true)
        fixture.wait(.seconds(3))
        let id = try #require(task["taskId"].stringValue)
        #expect(fixture.poll(id).json["data"]["state"] == "success")
    }

    @Test func `an invalid request makes no task even if its answer is lost`() {
        var fixture = ProviderFixture()
        fixture.strike("lost")
        #expect(fixture.create(model: "no-such-model").delivery == .lost)
        #expect(fixture.get("/sandbox/stats")["createTask"]["lostAnswers"] == 0)
    }

    @Test func `a slow answer tells of its task in the end`() {
        var fixture = ProviderFixture()
        fixture.strike("slow")
        let answer = fixture.create()
        #expect(answer.isSlow)
        #expect(answer.code == 200)
    }

    @Test func `the documented form of an answer has one id of another shape`() throws {
        var fixture = ProviderFixture()
        fixture.strike("documented-form")
        let data = fixture.create().json["data"]
        let id = try #require(data["taskId"].stringValue)
        #expect(id.hasPrefix("task_flux-2_1777539190339"))
        #expect(data["recordId"] == .null)
        #expect(fixture.poll(id).code == 200)
    }

    @Test(arguments: [("fail-content", "400"), ("fail-input", "451"), ("fail", "500")])
    func `a task can fail for several reasons`(name: String, code: String) {
        var fixture = ProviderFixture()
        fixture.strike(name)
        let id = fixture.task()
        fixture.wait(.seconds(3))
        #expect(fixture.poll(id).json["data"]["failCode"].stringValue == code)
        #expect(fixture.balance == 1_000)
    }

    @Test(arguments: [("fail-501", 501), ("fail-408", 408)])
    func `a failure can show as an error of the status query`(name: String, code: Int) {
        var fixture = ProviderFixture()
        fixture.strike(name)
        let id = fixture.task()
        #expect(fixture.poll(id).code == 200)
        fixture.wait(.seconds(3))
        let answer = fixture.poll(id)
        #expect(answer.code == code)
        #expect(answer.json["data"] == .null)
        #expect(fixture.balance == 1_000)
    }

    @Test func `a success can come without a result and stays charged`() {
        var fixture = ProviderFixture()
        fixture.strike("no-result")
        let id = fixture.task()
        fixture.wait(.seconds(3))
        let data = fixture.poll(id).json["data"]
        #expect(data["state"] == "success")
        #expect(data["resultJson"] == #"{"resultUrls":[]}"#)
        #expect(fixture.balance == 986)
    }

    @Test func `one task can be unknown for ten seconds`() {
        var fixture = ProviderFixture()
        fixture.strike("invisible")
        let id = fixture.task()
        fixture.wait(.milliseconds(9_999))
        #expect(fixture.poll(id).code == 422)
        fixture.wait(.milliseconds(1))
        #expect(fixture.poll(id).code == 200)
    }

    @Test(arguments: [("slow-task", "success"), ("stuck", "waiting")])
    func `a task can take long or for ever`(name: String, end: String) {
        var fixture = ProviderFixture()
        fixture.strike(name)
        let id = fixture.task()
        fixture.wait(.milliseconds(59_999))
        #expect(fixture.poll(id).json["data"]["completeTime"] == .null)
        fixture.wait(.milliseconds(1))
        let state = fixture.poll(id).json["data"]["state"].stringValue
        #expect(name == "stuck" ? state != "success" : state == end)
    }

    @Test func `a task can show an undocumented state and no credits`() {
        var fixture = ProviderFixture()
        fixture.strike("odd-state", "credits-unreported")
        let odd = fixture.task()
        let unreported = fixture.task()
        #expect(fixture.poll(odd).json["data"]["state"] == "moderating")
        #expect(fixture.poll(unreported).json["data"]["creditsConsumed"] == .null)
        fixture.wait(.seconds(3))
        #expect(fixture.poll(odd).json["data"]["state"] == "success")
    }

    @Test(
        arguments: [
            Case("poll-429", 200, 429), Case("poll-404", 200, 404), Case("poll-455", 200, 455),
            Case("poll-500", 200, 500), Case("poll-gateway", 502, nil), Case("poll-broken", 200, nil),
        ]
    )
    func `a status query can go wrong and the task goes on`(fault: Case) {
        var fixture = ProviderFixture()
        let id = fixture.task()
        fixture.strike(fault.name)
        let answer = fixture.poll(id)
        #expect(answer.status == fault.status)
        #expect(answer.json["code"].integerValue.map(Int.init) == fault.code)
        #expect(fixture.poll(id).code == 200)
    }

    @Test func `a status query can be lost or slow`() {
        var fixture = ProviderFixture()
        let id = fixture.task()
        fixture.strike("poll-lost", "poll-slow")
        #expect(fixture.poll(id).delivery == .lost)
        #expect(fixture.poll(id).isSlow)
    }

    @Test func `the balance can be unavailable`() {
        var fixture = ProviderFixture()
        fixture.strike("credit-500")
        #expect(fixture.send("GET", "/api/v1/chat/credit").code == 500)
        #expect(fixture.balance == 1_000)
    }

    @Test func `what is listed comes in order, and ok is no fault`() {
        var fixture = ProviderFixture()
        fixture.strike("429", "ok", "500")
        #expect((0..<4).map { _ in fixture.create().code } == [429, 200, 500, 200])
    }

    @Test func `a listed refusal takes no place in the window`() {
        var fixture = ProviderFixture()
        fixture.strike("429", "http-429")
        #expect((0..<22).map { _ in fixture.create().code } == [429, 429] + Array(repeating: 200, count: 20))
    }

    @Test func `rates strike as often as they say, and the same for each seed`() {
        func run(seed: UInt64) -> [String] {
            var fixture = ProviderFixture {
                $0.rate = nil
                $0.credits = Credits(millicredits: 100_000_000)
                $0.seed = seed
                $0.faults = [.lost: 0.1, .serverException: 0.2]
            }
            return (0..<1_000).map { _ in fixture.create().label }
        }
        let answers = run(seed: 7)
        #expect((70..<130).contains(answers.filter { $0 == "lost" }.count))
        #expect((160..<240).contains(answers.filter { $0 == "500" }.count))
        #expect(answers == run(seed: 7))
        #expect(answers != run(seed: 8))
    }

    @Test func `status queries do not shift the chances of createTask`() {
        func run(polls: Int) -> [String] {
            var fixture = ProviderFixture {
                $0.rate = nil
                $0.pollRate = nil
                $0.faults = [.lost: 0.3, .pollServerException: 0.3]
            }
            return (0..<50).map { _ in
                for _ in 0..<polls { _ = fixture.poll("x") }
                return fixture.create().label
            }
        }
        #expect(run(polls: 0) == run(polls: 3))
    }

    @Test func `faults are switched at run time, all or nothing`() {
        var fixture = ProviderFixture()
        #expect(fixture.send("POST", "/sandbox/faults", body: #"{"500":1,"lost":"50%"}"#).status == 200)
        #expect(fixture.get("/sandbox/faults")["rates"] == .object(["500": 1, "lost": .number(0.5)]))
        #expect(fixture.create().code == 500)

        let refused = fixture.send("POST", "/sandbox/faults", body: #"{"clear":true,"no-such":1}"#)
        #expect(refused.status == 400)
        #expect(refused.json["error"].stringValue?.contains("poll-429") == true)
        #expect(fixture.create().code == 500)

        #expect(fixture.send("POST", "/sandbox/faults", body: #"{"clear":true}"#).status == 200)
        #expect(fixture.create().code == 200)
        #expect(fixture.get("/sandbox/stats")["faults"] == .object(["500": 2]))
    }

    @Test(arguments: ["[]", "", #"{"next":"429"}"#, #"{"next":[429]}"#, #"{"next":["no-such"]}"#, #"{"lost":2}"#])
    func `a malformed switch changes nothing`(body: String) {
        var fixture = ProviderFixture()
        #expect(fixture.send("POST", "/sandbox/faults", body: body).status == 400)
        #expect(fixture.create().code == 200)
    }

    @Test(arguments: ["lost=0.05": 0.05, "lost=5%": 0.05, "lost=1": 1, "lost=0": 0])
    func `a rate is a number or a percentage`(text: String, rate: Double) throws {
        let fault = try FaultRate(text: text)
        #expect(fault.fault == .lost)
        #expect(fault.rate == rate)
    }

    @Test(arguments: ["lost", "lost=", "lost=2", "lost=-1", "lost=101%", "lost=x", "nothing=1", ""])
    func `anything else is refused`(text: String) {
        #expect(throws: FaultRate.Malformed.self) { try FaultRate(text: text) }
    }

    @Test func `durations stay within their jitter`() {
        var generator = SeededGenerator(seed: 1)
        let uniform = TaskDuration(typical: .seconds(3), jitter: .seconds(1))
        let draws = (0..<1_000).map { _ in uniform.draw(using: &generator) }
        #expect(draws.allSatisfy { $0 >= .seconds(2) && $0 <= .seconds(4) })
        #expect(Set(draws).count > 500)

        let lognormal = TaskDuration(typical: .seconds(3), jitter: .seconds(1), shape: .lognormal)
        let sorted = (0..<1_001).map { _ in lognormal.draw(using: &generator) }.sorted()
        #expect(sorted[500] > .milliseconds(2_800) && sorted[500] < .milliseconds(3_200))
        #expect(sorted[1_000] > .seconds(5))
    }
}
