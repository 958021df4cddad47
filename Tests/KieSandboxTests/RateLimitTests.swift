import KieSandbox
import PromptQueue
import Testing

struct RateLimitTests {
    @Test func `the twenty-first request within ten seconds is refused`() {
        var fixture = ProviderFixture()
        for _ in 0..<20 {
            #expect(fixture.create().code == 200)
            fixture.wait(.milliseconds(100))
        }
        let answer = fixture.create()
        #expect(answer.status == 200)
        #expect(answer.code == 429)
        #expect(answer.message == "Your call frequency is too high. Please try again later.")
    }

    @Test(arguments: [(9_999, 429), (10_000, 200)])
    func `the window is exact at its edge`(milliseconds: Int, code: Int) {
        var fixture = ProviderFixture()
        for _ in 0..<20 { _ = fixture.create() }
        fixture.wait(.milliseconds(milliseconds))
        #expect(fixture.create().code == code)
    }

    @Test func `two bursts around the edge of a fixed window do not get through`() {
        var fixture = ProviderFixture()
        fixture.wait(.milliseconds(9_900))
        let first = (0..<20).map { _ in fixture.create().code }
        fixture.wait(.milliseconds(200))
        let second = (0..<20).map { _ in fixture.create().code }
        #expect(first == Array(repeating: 200, count: 20))
        #expect(second == Array(repeating: 429, count: 20))
    }

    @Test func `a refused request takes no place in the window`() {
        var fixture = ProviderFixture()
        for _ in 0..<20 { _ = fixture.create() }
        fixture.wait(.seconds(5))
        for _ in 0..<30 { #expect(fixture.create().code == 429) }
        fixture.wait(.seconds(5))
        #expect(fixture.create().code == 200)
    }

    @Test func `an invalid request takes a place in the window`() {
        var fixture = ProviderFixture()
        for _ in 0..<20 { #expect(fixture.create(model: "no-such-model").code == 422) }
        #expect(fixture.create().code == 429)
    }

    @Test func `a lifted limit lets everything through`() {
        var fixture = ProviderFixture { $0.rate = nil }
        #expect((0..<50).allSatisfy { _ in fixture.create().code == 200 })
    }

    @Test func `status queries have a limit of their own`() {
        var fixture = ProviderFixture()
        let id = fixture.task()
        for _ in 0..<10 { #expect(fixture.poll(id).code == 200) }
        #expect(fixture.poll(id).code == 429)
        fixture.wait(.seconds(1))
        #expect(fixture.poll(id).code == 200)
    }

    @Test func `the statistics tell the fullest window`() {
        var fixture = ProviderFixture()
        for _ in 0..<23 { _ = fixture.create() }
        fixture.wait(.seconds(20))
        for _ in 0..<5 { _ = fixture.create() }
        let counts = fixture.get("/sandbox/stats")["createTask"]
        #expect(counts["arrivals"] == 28)
        #expect(counts["mostInWindow"] == 23)
        #expect(counts["mostAdmittedInWindow"] == 20)
        #expect(counts["refusedByRate"] == 3)
        #expect(counts["answers"] == .object(["200": 25, "429": 3]))
    }
}
