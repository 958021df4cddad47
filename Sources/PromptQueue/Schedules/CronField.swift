/// One of the five fields of a cron expression: which numbers match.
struct CronField: Sendable, Hashable {
    struct Kind: Sendable {
        let name: String
        let range: ClosedRange<Int>
        var names: [String] = []
        /// The number of the first name.
        var firstName = 0

        static let minute = Kind(name: "minute", range: 0...59)
        static let hour = Kind(name: "hour", range: 0...23)
        static let day = Kind(name: "day of the month", range: 1...31)
        static let month = Kind(
            name: "month",
            range: 1...12,
            names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
            firstName: 1
        )
        /// 7 is Sunday, too.
        static let weekday = Kind(
            name: "day of the week",
            range: 0...7,
            names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        )
    }

    /// In their order.
    let values: [Int]
    /// Whether it begins with a star, by which the rule for days goes (crontab(5)).
    let isStar: Bool

    init(_ text: Substring, _ kind: Kind) throws(CronExpression.Problem) {
        isStar = text.hasPrefix("*")
        var found: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            found.formUnion(try Self.numbers(part, kind))
        }
        if kind.range.upperBound == 7, found.remove(7) != nil { found.insert(0) }
        values = found.sorted()
    }

    func contains(_ value: Int) -> Bool { values.contains(value) }

    private static func numbers(_ part: Substring, _ kind: Kind) throws(CronExpression.Problem) -> [Int] {
        let halves = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var step = 1
        if halves.count == 2 {
            guard let number = number(halves[1]), (1...kind.range.upperBound).contains(number) else {
                throw problem(part, kind, "a step goes from 1 to \(kind.range.upperBound), like */5")
            }
            step = number
        }
        let span = halves[0]
        if span == "*" {
            let last = kind.range.upperBound == 7 ? 6 : kind.range.upperBound
            return Array(stride(from: kind.range.lowerBound, through: last, by: step))
        }
        let ends = span.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = value(ends[0], kind), kind.range.contains(first) else {
            throw problem(part, kind, allowed(kind))
        }
        guard ends.count == 2 else {
            guard halves.count == 1 else {
                throw problem(
                    part,
                    kind,
                    "a step goes with * or a range, like \(first)-\(kind.range.upperBound)/\(step)"
                )
            }
            return [first]
        }
        guard var last = value(ends[1], kind), kind.range.contains(last) else {
            throw problem(part, kind, allowed(kind))
        }
        // Until Sunday, which ends a week as well as it begins one.
        if kind.range.upperBound == 7, last == 0, first > 0 { last = 7 }
        guard first <= last else {
            throw problem(part, kind, "a range goes from the smaller to the greater; write two with a comma")
        }
        return Array(stride(from: first, through: last, by: step))
    }

    private static func value(_ text: Substring, _ kind: Kind) -> Int? {
        let upper = text.uppercased()
        if let index = kind.names.firstIndex(of: upper) { return index + kind.firstName }
        return number(text)
    }

    /// Digits alone, without a sign.
    private static func number(_ text: Substring) -> Int? {
        guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    private static func allowed(_ kind: Kind) -> String {
        let names = kind.names.isEmpty ? "" : ", or \(kind.names[0]) to \(kind.names[kind.names.count - 1])"
        return "\(kind.range.lowerBound) to \(kind.range.upperBound)\(names) is allowed"
    }

    private static func problem(_ part: Substring, _ kind: Kind, _ reason: String) -> CronExpression.Problem {
        CronExpression.Problem("the \(kind.name) \"\(PlainText.oneLine(String(part)))\": \(reason)")
    }
}
