/// A text in a job's input that stands for a file of this machine: `upload:SHA256.EXTENSION` in the spool, or `file:///PATH`.
///
/// The schema reads them in the same way (the view `upload_references`).
package enum LocalFileReference: Sendable, Hashable {
    /// A file's name in the spool, where promptctl has put it.
    case spooled(name: String)
    /// A whole path, below one of `uploads.roots`.
    case path(String)
    /// A result that was saved, whose URL at the provider may have ended. Never in an input.
    case result(ResultID)

    package init?(_ text: String) {
        if text.utf8.starts(with: "upload:".utf8) {
            let name = String(text.dropFirst("upload:".count))
            guard Self.isSpoolName(name) else { return nil }
            self = .spooled(name: name)
        } else if text.utf8.starts(with: "file:///".utf8), text.utf8.count > 8 {
            self = .path(Self.decoded(text.utf8.dropFirst("file://".utf8.count)))
        } else if text.utf8.starts(with: "result:".utf8) {
            let parts = text.dropFirst("result:".count).split(separator: "/").map(String.init)
            guard parts.count == 2, let job = Int64(parts[0]), let ordinal = Int(parts[1]) else { return nil }
            self = .result(ResultID(job: JobID(job), ordinal: ordinal))
        } else {
            return nil
        }
    }

    /// Whether a text stands for a file in an input.
    package static func isOne(_ text: String) -> Bool {
        switch LocalFileReference(text) {
        case .spooled?, .path?: true
        case .result?, nil: false
        }
    }

    /// 64 hexadecimal digits in lower case, and an extension of up to eight letters.
    package static func isSpoolName(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 64, (1...8).contains(parts[1].count) else { return false }
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        return parts[0].allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
            && parts[1].allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    }

    /// With its escapes read (RFC 3986, section 2.1); what is none stays.
    private static func decoded(_ bytes: Substring.UTF8View) -> String {
        var result: [UInt8] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            if byte == UInt8(ascii: "%"), digits.count == 2 {
                result.append(UInt8(truncatingIfNeeded: digits[0] * 16 + digits[1]))
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
