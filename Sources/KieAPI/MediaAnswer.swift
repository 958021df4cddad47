/// How a media server answered.
package enum MediaAnswer: Sendable {
    case file(MediaBody)
    case redirect(String)
    case refused(status: Int)
}

/// A file, or the rest of one.
package struct MediaBody: Sendable {
    /// Of what is sent, as the server announced it.
    package let length: Int64?
    /// Which bytes of the file these are; nil for the whole file.
    package let range: ContentRange?
    /// What names this very version of the file, if the server says anything that does.
    package let validator: String?
    package let chunks: any AsyncSequence<[UInt8], any Error> & Sendable
}

/// A request for the rest of a file.
package struct MediaRange: Sendable, Hashable {
    /// How many bytes are there already.
    package var offset: Int64
    /// Of the version that they are of, for `If-Range`.
    package var validator: String

    package init(offset: Int64, validator: String) {
        self.offset = offset
        self.validator = validator
    }

    /// What may stand in `If-Range`: a strong entity tag; without any tag, a date of change that is older than the
    /// answer, so that the file cannot have changed twice within its second (RFC 9110, sections 8.8.2.2 and 13.1.5).
    package static func validator(entityTag: String?, lastModified: String?, date: String?) -> String? {
        if let entityTag { return entityTag.hasPrefix("\"") && entityTag.count > 2 ? entityTag : nil }
        guard let lastModified, let date, lastModified != date else { return nil }
        return lastModified
    }
}

/// The header `Content-Range` of an answer with status 206 (RFC 9110, section 14.4).
package struct ContentRange: Sendable, Hashable {
    package var first: Int64
    package var last: Int64
    /// The length of the whole file; nil if the server does not know it.
    package var total: Int64?

    /// No file is as large; numbers up to it can be added without a second thought.
    package static let maximum: Int64 = 1 << 50

    /// Reads `bytes 100-199/200` and `bytes 100-199/*`. Numbers beyond `maximum` are no range.
    package init?(text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let parts = words[1].split(separator: "/", omittingEmptySubsequences: false)
        let bounds = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, bounds.count == 2, let first = Int64(bounds[0]), let last = Int64(bounds[1]),
            first >= 0, last >= first, last < Self.maximum
        else { return nil }
        if parts[1] != "*" {
            guard let total = Int64(parts[1]), total > last, total <= Self.maximum else { return nil }
            self.total = total
        }
        self.first = first
        self.last = last
    }
}
