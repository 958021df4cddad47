import JobStore
import PromptQueue
import Testing

/// The wall's clock was set back: the ledger has instants that are yet to come.
@Suite struct ClockTests {
    private func answered(after delay: Duration) async throws -> LedgerFixture {
        let fixture = try LedgerFixture()
        for _ in 0..<25 { try fixture.insert("(prompt) VALUES ('x')") }
        for job in try await fixture.claim(20).jobs {
            try await fixture.record(
                .accepted(job.attempt, task: TaskID("t\(job.attempt)"), httpStatus: 200),
                at: fixture.now + delay
            )
        }
        return fixture
    }

    @Test func `answers of a far future hold no slots`() async throws {
        let fixture = try await answered(after: .seconds(86_400))
        #expect(try await fixture.claim(100).jobs.count == 5)
    }

    @Test func `answers of a near future hold their slots for two windows at the most`() async throws {
        let fixture = try await answered(after: .seconds(9))
        #expect(try await fixture.claim(100, at: fixture.now + .milliseconds(18_999)).jobs.isEmpty)
        #expect(try await fixture.claim(100, at: fixture.now + .seconds(19)).jobs.count == 5)
    }

    // MARK: - Lost requests, which keep their slots for long

    /// 20 requests were lost some time before the clock was set back by a day.
    private func lost(before time: Duration, isFound: Bool = false) async throws -> Int {
        let fixture = try LedgerFixture()
        for _ in 0..<25 { try fixture.insert("(prompt) VALUES ('x')") }
        let then = fixture.now + .seconds(86_400) - time
        for job in try await fixture.claim(20, at: then).jobs {
            try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")), at: then)
            guard isFound else { continue }
            let found = LedgerChange.accepted(job.attempt, task: TaskID("t\(job.attempt)"), httpStatus: 200)
            try await fixture.record(found, at: then + .seconds(60))
        }
        var request = fixture.request(100)
        request.clockShift = ClockShift(back: .seconds(86_400))
        return try await fixture.claim(request).jobs.count
    }

    @Test func `requests lost shortly before a clock was set back keep their slots`() async throws {
        #expect(try await lost(before: .seconds(1)) == 0)
    }

    @Test func `requests lost long before a clock was set back hold nothing up`() async throws {
        #expect(try await lost(before: .seconds(30 * 3_600)) == 5)
        #expect(try await lost(before: .seconds(30 * 3_600), isFound: true) == 5)
    }

    @Test func `requests lost before a clock was set forward keep their slots`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<25 { try fixture.insert("(prompt) VALUES ('x')") }
        for job in try await fixture.claim(20).jobs {
            try await fixture.record(.unknown(job.attempt, Failure(.answerLost, "lost")))
        }
        var request = fixture.request(100, at: fixture.now + .seconds(86_401))
        request.clockShift = ClockShift(forward: .seconds(86_400))
        #expect(try await fixture.claim(request).jobs.isEmpty)
        request.clockShift = ClockShift()
        #expect(try await fixture.claim(request).jobs.count == 5)
    }

    @Test func `what was answered in the hour before a clock was set back by that hour holds no slots`() async throws {
        let fixture = try LedgerFixture()
        for _ in 0..<45 { try fixture.insert("(prompt) VALUES ('x')") }
        // Two requests a second, for twenty seconds; then the clock is set back by twenty seconds.
        var last = AttemptID(0)
        for second in stride(from: 0, to: 20, by: 10) {
            let then = fixture.now + .seconds(second)
            for job in try await fixture.claim(20, at: then).jobs {
                let found = LedgerChange.accepted(job.attempt, task: TaskID("t\(job.attempt)"), httpStatus: 200)
                try await fixture.record(found, at: then)
                last = job.attempt
            }
        }
        var request = fixture.request(100, at: fixture.now + .seconds(11))
        #expect(try await fixture.claim(request).jobs.isEmpty)
        request.clockShift = ClockShift(back: .seconds(20))
        request.clockShift.answeredAfter = last
        #expect(try await fixture.claim(request).jobs.count == 5)
    }
}
