import JobStore
import PromptQueue
import Testing

@testable import Simulation

/// The checks notice what they are there for.
struct CheckTests {
    private func check(_ problem: String?, isNoticed: Bool) {
        #expect((problem != nil) == isNoticed)
    }

    private let limit = RateLimit(count: 2, window: .seconds(10))

    @Test func `one arrival too many in a window is noticed`() {
        var log = ArrivalLog()
        check(log.note(at: .seconds(0), order: 1, limit: limit), isNoticed: false)
        check(log.note(at: .seconds(9), order: 2, limit: limit), isNoticed: false)
        check(log.note(at: .seconds(10), order: 3, limit: limit), isNoticed: false)
        check(log.note(at: .milliseconds(18_999), order: 4, limit: limit), isNoticed: true)
    }

    @Test func `a limit that shrinks binds what is sent from then on`() {
        var log = ArrivalLog()
        let smaller = RateLimit(count: 1, window: .seconds(10))
        check(log.note(at: .seconds(0), order: 1, limit: limit), isNoticed: false)
        check(log.note(at: .seconds(1), order: 2, limit: limit), isNoticed: false)
        check(log.note(at: .seconds(5), order: 3, limit: smaller), isNoticed: true)
        var other = ArrivalLog()
        // Sent under the old limit, and overtaken on the way by the first under the new one.
        check(other.note(at: .seconds(0), order: 2, limit: limit), isNoticed: false)
        check(other.note(at: .seconds(1), order: 3, limit: limit), isNoticed: false)
        check(other.note(at: .seconds(20), order: 4, limit: smaller), isNoticed: false)
    }

    @Test(arguments: [
        (BudgetPeriod.hour, "2024-02-29T13:00:00Z", 1_709_211_600), (.day, "2024-02-29", 1_709_164_800),
        (.week, "Monday 2024-02-26", 1_708_905_600), (.month, "2024-02-01", 1_706_745_600), (.total, "1970", 0),
    ])
    func `a period begins where the calendar says`(period: BudgetPeriod, _: String, start: Int64) {
        let budget = SimulatedBudget(name: "b", period: period, limit: 1)
        // 2024-02-29T13:37:00Z
        let now = Instant(milliseconds: 1_709_213_820_000)
        #expect(budget.start(at: now) == Instant(milliseconds: start * 1_000))
    }

    @Test func `books add up by queue and time`() {
        var books = Books()
        for (id, queue, at) in [(1, "a", 10), (2, "b", 20), (3, "a", 30)] {
            books.open(
                Books.Entry(
                    attempt: AttemptID(Int64(id)),
                    job: JobID(1),
                    queue: queue,
                    model: "m",
                    client: id == 3 ? "acme" : nil,
                    sentAt: Instant(milliseconds: Int64(at)),
                    estimate: 5,
                    amount: 5,
                    rate: limit
                )
            )
        }
        books.move(AttemptID(1), to: .ended, amount: 7)
        books.move(AttemptID(2), to: .unknown)
        books.move(AttemptID(3), to: .rejected, amount: 0)
        #expect(books.total == 12)
        var budget = SimulatedBudget(name: "b", queue: "a", period: .total, limit: 1)
        #expect(books.committed(to: budget, since: Instant(milliseconds: 0)) == 7)
        budget.queue = nil
        #expect(books.committed(to: budget, since: Instant(milliseconds: 11)) == 5)
        budget.client = "acme"
        #expect(books.committed(to: budget, since: Instant(milliseconds: 0)) == 0)
        #expect(books.attempts(of: JobID(1)).count == 3)
    }

    @Test func `what is planned for the same instant happens in the order of planning`() {
        var agenda = Agenda<Int>()
        agenda.add(1, at: .seconds(2))
        agenda.add(2, at: .seconds(1))
        agenda.add(3, at: .seconds(2))
        let order = [agenda.take(), agenda.take(), agenda.take()].map { $0?.occurrence }
        #expect(order == [2, 1, 3])
    }

    @Test func `a jump moves the wall and not the time that has passed`() {
        var clock = SimulatedClock(start: Instant(milliseconds: 1_000))
        clock.advance(to: .seconds(5))
        clock.jump(by: .seconds(-3))
        clock.advance(to: .seconds(4))
        #expect(clock.moment == Moment(instant: Instant(milliseconds: 3_000), uptime: .seconds(5)))
    }
}
