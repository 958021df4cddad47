/// The rule for all years to come at the end of a TZif file: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX, environment variables, TZ;
/// hours beyond a day as RFC 9636 has them).
struct PosixTimeZone: Sendable {
    private struct Change: Sendable {
        enum Day: Sendable {
            /// The week 5 is the last.
            case weekday(month: Int, week: Int, day: Int)
            /// From 1, without the 29th of February.
            case yearDayWithoutLeap(Int)
            /// From 0.
            case yearDay(Int)
        }

        let day: Day
        /// Seconds of local time after midnight.
        let time: Int64

        /// In seconds since 1970, as if local time were UTC.
        func wall(in year: Int) -> Int64 {
            let first = CivilDate(year: year, month: 1, day: 1)
            let days: Int64
            switch day {
            case .weekday(let month, let week, let weekday):
                let start = CivilDate(year: year, month: month, day: 1)
                let length = Self.length(of: month, in: year)
                var day = 1 + (weekday - start.weekday + 7) % 7 + (week - 1) * 7
                while day > length { day -= 7 }
                days = start.days + Int64(day - 1)
            case .yearDayWithoutLeap(let number):
                days = first.days + Int64(number - 1) + (Self.isLeap(year) && number >= 60 ? 1 : 0)
            case .yearDay(let number):
                days = first.days + Int64(number)
            }
            return days * 86_400 + time
        }

        private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

        private static func length(of month: Int, in year: Int) -> Int {
            month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        }
    }

    private let standard: Int64
    private let summer: (offset: Int64, begin: Change, end: Change)?

    init?(_ text: String) {
        var rest = Substring(text)
        guard Self.skipName(&rest), let offset = Self.time(&rest) else { return nil }
        standard = -offset
        guard !rest.isEmpty else {
            summer = nil
            return
        }
        guard Self.skipName(&rest) else { return nil }
        var ahead = -offset + 3_600
        if rest.first != "," {
            guard let own = Self.time(&rest) else { return nil }
            ahead = -own
        }
        let parts = rest.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].isEmpty, let begin = Self.change(parts[1]), let end = Self.change(parts[2])
        else {
            return nil
        }
        summer = (ahead, begin, end)
    }

    func secondsFromUTC(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        let local = seconds + standard
        let year = CivilDate(days: (local >= 0 ? local : local - 86_399) / 86_400).year
        let begin = summer.begin.wall(in: year) - standard
        let end = summer.end.wall(in: year) - summer.offset
        // South of the equator summer goes on over the year's end.
        let isSummer = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end
        return isSummer ? summer.offset : standard
    }

    private static func skipName(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let end = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: end)...]
            return true
        }
        let name = rest.prefix { $0.isASCII && $0.isLetter }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    /// `[+-]hh[:mm[:ss]]`, in seconds.
    private static func time(_ rest: inout Substring) -> Int64? {
        var sign: Int64 = 1
        if let first = rest.first, "+-".contains(first) {
            sign = first == "-" ? -1 : 1
            rest = rest.dropFirst()
        }
        let text = rest.prefix { $0 == ":" || ($0.isASCII && $0.isNumber) }
        rest = rest.dropFirst(text.count)
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
        guard (1...3).contains(parts.count), let hours = parts[0], hours <= 167 else { return nil }
        var seconds = hours * 3_600
        for (index, unit) in [(1, Int64(60)), (2, 1)] where index < parts.count {
            guard let number = parts[index], number < 60 else { return nil }
            seconds += number * unit
        }
        return sign * seconds
    }

    private static func change(_ text: Substring) -> Change? {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        var time: Int64 = 7_200
        if halves.count == 2 {
            var rest = halves[1]
            guard let own = Self.time(&rest), rest.isEmpty else { return nil }
            time = own
        }
        guard let day = halves.first, halves.count <= 2 else { return nil }
        if day.hasPrefix("M") {
            let numbers = day.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
            guard numbers.count == 3, (1...12).contains(numbers[0]), (1...5).contains(numbers[1]),
                (0...6).contains(numbers[2])
            else { return nil }
            return Change(day: .weekday(month: numbers[0], week: numbers[1], day: numbers[2]), time: time)
        }
        if day.hasPrefix("J") {
            guard let number = Int(day.dropFirst()), (1...365).contains(number) else { return nil }
            return Change(day: .yearDayWithoutLeap(number), time: time)
        }
        guard let number = Int(day), (0...365).contains(number) else { return nil }
        return Change(day: .yearDay(number), time: time)
    }
}
