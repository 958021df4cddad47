import PromptQueue
import Testing

/// Which price an estimate is made of.
struct PriceBookTests {
    private let model = "vendor/model"
    private let listed = Estimate(credits: Credits(millicredits: 14_000), basis: .listed("14 credits per image"))

    private func price(
        _ credits: Int64,
        _ conditions: JSONObject = [:],
        per: String? = nil,
        source: PriceOverride.Source = .operator
    ) -> PriceOverride {
        PriceOverride(
            model: model,
            conditions: conditions,
            credits: Credits(millicredits: credits * 1_000),
            measure: PriceOverride.Measure(text: per),
            source: source
        )
    }

    private func estimate(_ book: PriceBook, _ input: JSONObject, listed: Estimate? = nil) -> Estimate {
        book.estimate(model: model, input: input, listed: listed)
    }

    private func millicredits(_ book: PriceBook, _ input: JSONObject) -> Int64 {
        estimate(book, input).credits.millicredits
    }

    @Test func `an override goes before the list, the list before what was seen, and that before the default`() {
        let observed = ObservedPrice(charges: [7_000, 9_000, 8_000].map { Credits(millicredits: $0) })
        var book = PriceBook(defaultPrice: Credits(millicredits: 3_000))
        #expect(estimate(book, [:]) == Estimate(credits: Credits(millicredits: 3_000), basis: .default))
        book.setObserved(observed, model: model)
        #expect(estimate(book, [:]) == Estimate(credits: Credits(millicredits: 8_000), basis: .observed(tasks: 3)))
        #expect(estimate(book, [:], listed: listed) == listed)
        book.add([price(5)])
        let own = Estimate(credits: Credits(millicredits: 5_000), basis: .override("5 credits per task (operator)"))
        #expect(estimate(book, [:], listed: listed) == own)
        #expect(book.estimate(model: "vendor/other", input: [:], listed: nil).kind == .default)
    }

    @Test func `the price with the most conditions counts, then the operator's, then the more expensive`() {
        let book = PriceBook(overrides: [
            price(1), price(2, source: .configuration), price(3, ["a": 1]),
            price(4, ["a": 1, "b": 2], source: .configuration), price(5, ["b": 2]),
        ])
        #expect(millicredits(book, [:]) == 1_000)
        #expect(millicredits(book, ["a": 1]) == 3_000)
        #expect(millicredits(book, ["a": 1, "b": 2]) == 4_000)
        #expect(
            millicredits(PriceBook(overrides: [price(3, ["a": 1]), price(5, ["b": 2])]), ["a": 1, "b": 2]) == 5_000
        )
        let same = [price(1, ["a": 1], source: .configuration), price(2, ["a": 1])]
        #expect(millicredits(PriceBook(overrides: same), ["a": 1]) == 2_000)
        #expect(millicredits(PriceBook(overrides: same.reversed()), ["a": 1]) == 2_000)
    }

    @Test(arguments: [
        (["resolution": "2K"] as JSONObject, ["resolution": "2k", "other": 1] as JSONObject, true),
        (["resolution": "2K"], ["resolution": "4K"], false), (["resolution": "2K"], [:], false),
        (["duration": 5], ["duration": "5"], true), (["duration": "5"], ["duration": 5], true),
        (["duration": 5], ["duration": "five"], false), (["sound": true], ["sound": true], true),
        (["sound": true], ["sound": "true"], false), (["image_urls": .null], [:], true),
        (["image_urls": .null], ["image_urls": .array(["u"])], false),
    ])
    func `a condition is equality, whatever the case and the form of numbers`(
        conditions: JSONObject,
        input: JSONObject,
        fits: Bool
    ) {
        let estimate = estimate(PriceBook(overrides: [price(1, conditions)]), input, listed: listed)
        #expect((estimate.kind == .override) == fits)
    }

    @Test(arguments: [
        ("duration", ["duration": 5] as JSONObject, Int64(10_000)), ("duration", ["duration": "7"], 14_000),
        ("duration", ["duration": .number(0.5)], 1_000), ("n", ["n": 3], 6_000),
        ("1000 characters of text", ["text": .string(String(repeating: "é", count: 1_001))], 4_000),
        ("1000 characters of text", ["text": "12"], 2_000),
    ])
    func `a price is multiplied by what it is for`(per: String, input: JSONObject, millicredits: Int64) {
        #expect(self.millicredits(PriceBook(overrides: [price(2, per: per)]), input) == millicredits)
    }

    @Test(arguments: [
        [:] as JSONObject, ["duration": 0], ["duration": -1], ["duration": "long"], ["duration": .null],
        ["duration": .number(1e300)],
    ])
    func `a price whose measure finds nothing to count leaves the next one to count`(input: JSONObject) {
        let book = PriceBook(overrides: [price(2, per: "duration")])
        #expect(estimate(book, input, listed: listed) == listed)
        #expect(estimate(book, input).basis == .default)
    }

    @Test func `the median is the middle one, or the mean of the middle two, rounded up`() {
        func median(_ charges: Int64...) -> Int64? {
            ObservedPrice(charges: charges.map { Credits(millicredits: $0) })?.median.millicredits
        }
        #expect(median(9, 1, 5) == 5)
        #expect(median(4, 1, 1_000, 2) == 3)
        #expect(median(4, 1, 1_000, 3) == 4)
        #expect(median(1, 2) == nil)
        #expect(median() == nil)
    }

    @Test func `a price describes itself`() {
        let book = PriceBook(overrides: [price(1, ["mode": "std", "sound": .null], per: "duration")])
        #expect(
            estimate(book, ["mode": "std", "duration": 5]).basis
                == .override("1 credit per duration, if mode is std and sound is left out (operator)")
        )
    }
}

/// What is made of charges beside their estimates.
struct PriceComparisonTests {
    private func charges(_ count: Int, charged: Int64, estimated: Int64?) -> [ObservedCharge] {
        (0..<count).map { _ in
            ObservedCharge(
                charged: Credits(millicredits: charged),
                estimated: estimated.map { Credits(millicredits: $0) },
                basis: nil
            )
        }
    }

    @Test func `only tasks with an estimate are compared, if there are any`() {
        let mixed = PriceComparison(
            charges(2, charged: 12_000, estimated: 10_000) + charges(3, charged: 90_000, estimated: nil)
        )
        #expect(mixed.tasks == 2)
        #expect(mixed.observed == Credits(12))
        #expect(mixed.deviation == 0.2)
        let old = PriceComparison(charges(3, charged: 9_000, estimated: nil))
        #expect(old.tasks == 3)
        #expect(old.observed == Credits(9))
        #expect(old.deviation == nil)
        #expect(PriceComparison(charges(1, charged: 1, estimated: 0)).deviation == .infinity)
        #expect(PriceComparison(charges(1, charged: 0, estimated: 0)).deviation == 0)
    }

    @Test func `a model whose latest twenty charges are far off is noticed once`() {
        var drift = PriceDrift()
        let far = charges(20, charged: 12_001, estimated: 10_000) + charges(50, charged: 10_000, estimated: 10_000)
        let seen = drift.notice(in: [
            "far": far, "cheap": charges(20, charged: 7_900, estimated: 10_000),
            "near": charges(20, charged: 12_000, estimated: 10_000), "few": charges(19, charged: 90_000, estimated: 1),
            "old": charges(50, charged: 90_000, estimated: nil),
        ])
        #expect(seen.map(\.model) == ["cheap", "far"])
        #expect(drift.notice(in: ["far": far]).isEmpty)
    }
}
