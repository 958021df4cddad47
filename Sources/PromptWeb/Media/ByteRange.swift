/// What a request wants of a file (RFC 9110, section 14).
enum ByteRange: Equatable {
    case all
    case part(ClosedRange<Int64>)
    case none

    /// - Parameter header: the field `Range`; more than one range, and what is no range, is answered with all.
    init(_ header: String?, size: Int64) {
        guard let header, header.hasPrefix("bytes="), !header.contains(",") else {
            self = .all
            return
        }
        let parts = header.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            self = .all
            return
        }
        switch (Int64(parts[0]), Int64(parts[1])) {
        case (let first?, let last) where first < size && (last ?? .max) >= first:
            self = .part(first...min(last ?? .max, size - 1))
        case (nil, let count?) where parts[0].isEmpty && count > 0 && size > 0:
            self = .part(max(0, size - count)...(size - 1))
        case (nil, nil): self = .all
        case (let first?, let last?) where last < first: self = .all
        default: self = .none
        }
    }
}
