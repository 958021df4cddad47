/// Which part of a file a request wants (RFC 9110, section 14.1.2): one range of bytes; of several, none is honoured.
enum RequestedRange: Equatable {
    case whole
    case bytes(Range<Int>)
    /// Nothing of it lies within the file.
    case unsatisfiable

    /// Reads `bytes=100-199` and `bytes=100-`; anything else means the whole file.
    init(text: String, of length: Int) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        let bounds = parts.last?.split(separator: "-", omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, parts[0] == "bytes", bounds.count == 2, let first = Int(bounds[0]), first >= 0,
            bounds[1].isEmpty || Int(bounds[1]).map({ $0 >= first }) ?? false
        else {
            self = .whole
            return
        }
        guard first < length else {
            self = .unsatisfiable
            return
        }
        self = .bytes(first..<min(length - 1, Int(bounds[1]) ?? length) + 1)
    }
}
