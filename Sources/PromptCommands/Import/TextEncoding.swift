import ArgumentParser
import PromptQueue

/// How the characters of a file are written as bytes.
enum TextEncoding: String, CaseIterable, Sendable {
    case utf8 = "utf-8"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    case windows1252 = "windows-1252"
    case macRoman = "macintosh"

    var name: String {
        switch self {
        case .utf8: "UTF-8"
        case .utf16LittleEndian, .utf16BigEndian: "UTF-16"
        case .windows1252: "Windows-1252"
        case .macRoman: "Mac OS Roman"
        }
    }

    /// The character of a byte above 127; `nil` if there is none, or one is more than a byte.
    func scalar(_ byte: UInt8) -> Unicode.Scalar? {
        switch self {
        case .windows1252 where byte >= 0xA0: Unicode.Scalar(byte)
        case .windows1252: Self.windows[Int(byte) - 0x80]
        case .macRoman: Self.macintosh[Int(byte) - 0x80]
        case .utf8, .utf16LittleEndian, .utf16BigEndian: nil
        }
    }

    /// 0x80 to 0x9F (https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT); `.` for none.
    private static let windows: [Unicode.Scalar?] = "€.‚ƒ„…†‡ˆ‰Š‹Œ.Ž..‘’“”•–—˜™š›œ.žŸ".unicodeScalars.map {
        $0 == "." ? nil : $0
    }

    /// 0x80 to 0xFF (https://www.unicode.org/Public/MAPPINGS/VENDORS/APPLE/ROMAN.TXT).
    private static let macintosh = Array(
        """
        ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{A0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰\
        ÂÊÁËÈÍÎÏÌÓÔ\u{F8FF}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ
        """.unicodeScalars
    )
}

extension TextEncoding: ExpressibleByArgument {
    init?(argument: String) {
        switch argument.lowercased() {
        case "utf8": self = .utf8
        // A byte order mark says otherwise.
        case "utf-16", "utf16": self = .utf16LittleEndian
        case "cp1252", "latin1", "iso-8859-1": self = .windows1252
        case let name:
            guard let encoding = Self(rawValue: name) else { return nil }
            self = encoding
        }
    }
}

/// Makes UTF-8 of the pieces of a file.
struct Transcoder {
    /// The bytes are no text of that encoding.
    struct Failure: Error {
        /// Bytes from the beginning of the file.
        var offset: Int64
        var reason: String
    }

    private let encoding: TextEncoding
    private var isBigEndian: Bool
    private var offset: Int64 = 0
    /// The first byte of a pair, and the first half of a character.
    private var byte: UInt8?
    private var half: UInt16?

    init(_ encoding: TextEncoding) {
        self.encoding = encoding
        isBigEndian = encoding == .utf16BigEndian
    }

    mutating func append(_ raw: ArraySlice<UInt8>, to text: inout [UInt8]) throws(Failure) {
        switch encoding {
        case .utf8:
            text.append(contentsOf: raw)
            offset += Int64(raw.count)
        case .windows1252, .macRoman:
            for byte in raw {
                offset += 1
                if byte < 0x80 {
                    text.append(byte)
                } else if let scalar = encoding.scalar(byte) {
                    text.append(contentsOf: scalar.utf8)
                } else {
                    throw Failure(offset: offset, reason: "is no character of \(encoding.name)")
                }
            }
        case .utf16LittleEndian, .utf16BigEndian:
            for second in raw {
                offset += 1
                guard let first = byte else {
                    byte = second
                    continue
                }
                byte = nil
                let (high, low) = isBigEndian ? (first, second) : (second, first)
                let unit = UInt16(truncatingIfNeeded: high) << 8 | UInt16(truncatingIfNeeded: low)
                try append(unit, to: &text)
            }
        }
    }

    /// The file ends.
    func finish() throws(Failure) {
        guard byte == nil, half == nil else {
            throw Failure(offset: offset, reason: "ends a character that has only begun")
        }
    }

    private mutating func append(_ unit: UInt16, to text: inout [UInt8]) throws(Failure) {
        if offset == 2, unit == 0xFFFE {
            isBigEndian.toggle()
            return
        }
        if let high = half {
            guard UTF16.isTrailSurrogate(unit) else {
                throw Failure(offset: offset, reason: "is not the second half of a character")
            }
            half = nil
            let value =
                0x10000 + (UInt32(truncatingIfNeeded: high & 0x3FF) << 10 | UInt32(truncatingIfNeeded: unit & 0x3FF))
            if let scalar = Unicode.Scalar(value) { text.append(contentsOf: scalar.utf8) }
        } else if UTF16.isLeadSurrogate(unit) {
            half = unit
        } else if let scalar = Unicode.Scalar(unit) {
            text.append(contentsOf: scalar.utf8)
        } else {
            throw Failure(offset: offset, reason: "is the second half of a character without the first")
        }
    }
}
