/// A time zone as the system's database has it: a TZif file (RFC 9636).
package struct TimeZoneRules: LocalClock, Sendable {
    /// The IANA name, such as `Europe/Berlin`.
    package let name: String
    /// When the clocks are set, in seconds, in order; and how far ahead of UTC they are from then on.
    private let transitions: [(at: Int64, offset: Int64)]
    /// Before the first of them.
    private let first: Int64
    /// After the last of them; nil: as the last says.
    private let rule: PosixTimeZone?

    private static let mostTransitions = 100_000

    /// - Returns: nil if the bytes are no such file.
    package init?(name: String, bytes: [UInt8]) {
        var reader = Reader(bytes: bytes[...])
        guard var header = Header(&reader) else { return nil }
        var width = 4
        if header.version >= 2 {
            // The same again, in 64 bits.
            guard reader.skip(header.size(width: 4)), let second = Header(&reader) else { return nil }
            header = second
            width = 8
        }
        guard header.times <= Self.mostTransitions, (1...256).contains(header.types),
            let times = reader.numbers(header.times, width: width), let kinds = reader.take(header.times)
        else { return nil }
        var offsets: [Int64] = []
        for _ in 0..<header.types {
            guard let offset = reader.number(width: 4), (-100_000...100_000).contains(offset), reader.skip(2) else {
                return nil
            }
            offsets.append(offset)
        }
        guard reader.skip(header.characters + header.leaps * (width + 4) + header.standards + header.universals),
            kinds.allSatisfy({ $0 < offsets.count }), zip(times, times.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        self.name = name
        first = offsets[0]
        transitions = zip(times, kinds).map { ($0, offsets[Int($1)]) }
        let footer = reader.rest.dropFirst().prefix { $0 != 0x0A }
        rule = header.version >= 2 && !footer.isEmpty ? PosixTimeZone(String(decoding: footer, as: UTF8.self)) : nil
    }

    package func secondsFromUTC(at instant: Instant) -> Int64 {
        let milliseconds = instant.milliseconds
        let seconds = milliseconds >= 0 ? milliseconds / 1_000 : (milliseconds - 999) / 1_000
        guard let last = transitions.last, seconds < last.at else {
            return rule?.secondsFromUTC(at: seconds) ?? transitions.last?.offset ?? first
        }
        // The last transition that is not later.
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : transitions[low - 1].offset
    }

    private struct Header {
        let version: Int
        let universals, standards, leaps, times, types, characters: Int

        init?(_ reader: inout Reader) {
            guard let magic = reader.take(4), magic.elementsEqual("TZif".utf8), let version = reader.take(1)?.first,
                reader.skip(15), let counts = reader.numbers(6, width: 4),
                counts.allSatisfy({ (0...1_000_000).contains($0) })
            else { return nil }
            // 0, or the digit of a version.
            self.version = version == 0 ? 1 : Int(version) - 0x30
            let sizes = counts.compactMap { Int(exactly: $0) }
            guard sizes.count == 6 else { return nil }
            (universals, standards, leaps) = (sizes[0], sizes[1], sizes[2])
            (times, types, characters) = (sizes[3], sizes[4], sizes[5])
        }

        func size(width: Int) -> Int {
            times * width + times + types * 6 + characters + leaps * (width + 4) + standards + universals
        }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>
        var rest: ArraySlice<UInt8> { bytes }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= bytes.count else { return nil }
            defer { bytes = bytes.dropFirst(count) }
            return bytes.prefix(count)
        }

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }

        /// A signed number, the highest byte first.
        mutating func number(width: Int) -> Int64? {
            guard let bytes = take(width), let first = bytes.first else { return nil }
            return bytes.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
        }

        mutating func numbers(_ count: Int, width: Int) -> [Int64]? {
            guard count * width <= bytes.count else { return nil }
            return (0..<count).compactMap { _ in number(width: width) }
        }
    }
}
