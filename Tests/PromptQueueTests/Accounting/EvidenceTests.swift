import Testing

@testable import PromptQueue

/// What balances prove, without a database.
@Suite struct EvidenceTests {
    private static func credits(_ whole: Int64) -> Credits { Credits(millicredits: whole * 1_000) }

    private static func reading(
        _ minute: Int64,
        balance: Int64,
        charged: Int64 = 0,
        open: Int64 = 0,
        openTasks: Int = 0,
        unknown: Int64 = 0,
        adopted: Int64 = 0
    ) -> AccountReading {
        AccountReading(
            askedAt: Instant(milliseconds: minute * 60_000),
            answeredAt: Instant(milliseconds: minute * 60_000),
            balance: credits(balance),
            charged: credits(charged),
            presumed: .zero,
            adopted: credits(adopted),
            open: credits(open),
            openTasks: openTasks,
            unknown: credits(unknown),
            isComparable: true,
            lastAttempt: minute
        )
    }

    private static func request(
        _ id: Int64,
        _ state: AttemptState,
        charged: Int64? = nil,
        isReported: Bool = true
    ) -> Evidence.Request {
        Evidence.Request(
            attempt: AttemptID(id),
            state: state,
            isFinished: state != .unknown && state != .sending,
            reserved: state == .unknown ? credits(7) : .zero,
            charged: charged.map(credits),
            isChargeReported: isReported
        )
    }

    private static let around = [request(1, .accepted, charged: 5), request(2, .unknown), request(3, .rejected)]

    @Test(arguments: [(Int64(95), false), (88, true)])
    func `a balance that fell by the others' charges, or by those and the lost ones', tells`(
        balance: Int64,
        wasCharged: Bool
    ) throws {
        let evidence = try #require(
            Evidence(from: Self.reading(0, balance: 100), to: Self.reading(9, balance: balance), Self.around)
        )
        #expect(evidence.wasCharged == wasCharged)
        #expect(evidence.lost == [AttemptID(2)])
        let text = evidence.text(Self.reading(0, balance: 100), Self.reading(9, balance: balance)) {
            "\($0.milliseconds / 60_000)"
        }
        #expect(text.hasPrefix("balance 100 at 0, \(balance) at 9: it fell by \(100 - balance), and the 1 other tasks"))
        #expect(text.hasSuffix(wasCharged ? "this request cost 7" : "this request had cost nothing by then"))
    }

    @Test func `whatever is not certain tells nothing`() {
        let before = Self.reading(0, balance: 100)
        func tells(_ after: AccountReading, _ requests: [Evidence.Request] = Self.around) -> Bool {
            Evidence(from: before, to: after, requests) != nil
        }
        #expect(tells(Self.reading(9, balance: 95)))
        #expect(!tells(Self.reading(9, balance: 94)), "somebody else spent a credit")
        #expect(!tells(Self.reading(9, balance: 95, open: 3, openTasks: 1)))
        var toppedUp = Self.reading(9, balance: 95)
        toppedUp.topUps = Self.credits(10)
        #expect(!tells(toppedUp))
        var disturbed = Self.reading(9, balance: 95)
        disturbed.isComparable = false
        #expect(!tells(disturbed))
        let after = Self.reading(9, balance: 95)
        #expect(!tells(after, [Self.request(1, .accepted, charged: 5)]), "nothing was lost")
        #expect(!tells(after, [Self.request(1, .accepted, charged: 5, isReported: false), Self.request(2, .unknown)]))
        #expect(!tells(after, Self.around + [Self.request(4, .sending)]))
    }

    @Test func `an account that lost what nobody explains is not trusted`() {
        let old = Self.reading(0, balance: 100)
        #expect(Evidence.isAgreed(Self.reading(9, balance: 90, charged: 10), since: old))
        #expect(!Evidence.isAgreed(Self.reading(9, balance: 80, charged: 10), since: old))
        #expect(Evidence.isAgreed(Self.reading(9, balance: 83, charged: 10, unknown: 7), since: old))
        #expect(!Evidence.isAgreed(Self.reading(9, balance: 99, charged: 10), since: old), "it has risen")
        #expect(Evidence.isAgreed(old, since: nil))
    }

    @Test func `a rise is a top-up only where nothing else explains it`() {
        let first = Self.reading(0, balance: 100)
        func topUps(_ reading: AccountReading) -> Credits {
            AccountComparison(reading, first: first, previous: first, settled: first).reading.topUps
        }
        #expect(topUps(Self.reading(9, balance: 150)) == Self.credits(50))
        #expect(topUps(Self.reading(9, balance: 90, charged: 10)) == .zero)
        // A task is open: what exceeds its reservation is a top-up.
        #expect(topUps(Self.reading(9, balance: 100, open: 30, openTasks: 1)) == .zero)
        #expect(topUps(Self.reading(9, balance: 150, open: 30, openTasks: 1)) == Self.credits(80))
        // A lost request turned up, and is booked now: the account had lost it before.
        let loss = Self.reading(5, balance: 93)
        let late = AccountComparison(
            Self.reading(9, balance: 93, charged: 7, adopted: 7),
            first: first,
            previous: loss,
            settled: loss
        )
        #expect(late.reading.topUps == .zero)
        #expect(late.standing?.unexplained == .zero)
        #expect(!late.hasLateCharge)
        let charged = AccountComparison(Self.reading(9, balance: 86), first: first, previous: loss, settled: loss)
        #expect(charged.hasLateCharge)
        #expect(charged.standing?.unexplained == Self.credits(14))
    }
}
