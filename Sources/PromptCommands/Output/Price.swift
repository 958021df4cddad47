import PromptQueue

/// The sum of estimates, some of which may be unknown.
struct Price {
    private(set) var known = Credits.zero
    private(set) var unknownCount = 0

    init(_ estimates: [Credits?] = []) {
        for estimate in estimates { add(estimate) }
    }

    mutating func add(_ estimate: Credits?) {
        if let estimate { known += estimate } else { unknownCount += 1 }
    }

    var inWords: String {
        guard unknownCount > 0 else { return known.inWords }
        guard known > .zero else { return "price unknown" }
        return "\(known.inWords) and \(count(unknownCount, "job")) of unknown price"
    }
}
