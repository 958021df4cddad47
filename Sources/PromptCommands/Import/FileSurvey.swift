import PromptQueue

/// What the bytes of a file say of it, before anything of it is read as text.
struct FileSurvey {
    /// What a file is whose bytes are no text; `nil` if nothing speaks against one.
    static func foreignKind(_ head: [UInt8]) -> String? {
        if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            let text = String(decoding: head.prefix(120), as: UTF8.self)
            if text.contains("opendocument.spreadsheet") { return "an OpenDocument spreadsheet (.ods)" }
            return "an Excel workbook (.xlsx), or another archive"
        }
        if head.starts(with: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
            return "an old Excel workbook (.xls)"
        }
        if head.starts(with: "{\\rtf".utf8) { return "a formatted text (RTF)" }
        if head.starts(with: "%PDF-".utf8) { return "a PDF document" }
        return nil
    }

    /// The encoding that the first bytes tell; `nil` if it takes the whole file.
    static func encoding(_ head: [UInt8]) -> TextEncoding? {
        if head.starts(with: [0xEF, 0xBB, 0xBF]) { return .utf8 }
        if head.starts(with: [0xFF, 0xFE]) { return .utf16LittleEndian }
        if head.starts(with: [0xFE, 0xFF]) { return .utf16BigEndian }
        // Without a mark every other byte of most texts is 0.
        let sample = head.prefix(4_096)
        let pairs = sample.count / 2
        guard pairs >= 4 else { return nil }
        var zeros = (even: 0, odd: 0)
        for (place, byte) in sample.enumerated() where byte == 0 {
            if place.isMultiple(of: 2) { zeros.even += 1 } else { zeros.odd += 1 }
        }
        if zeros.odd * 2 > pairs, zeros.even * 20 < pairs { return .utf16LittleEndian }
        if zeros.even * 2 > pairs, zeros.odd * 20 < pairs { return .utf16BigEndian }
        return nil
    }

    // MARK: - UTF-8 or not

    private var offset: Int64 = 0
    /// Bytes that a character still needs, and what the next of them may be.
    private var missing = 0
    private var range: ClosedRange<UInt8> = 0x80...0xBF
    /// Characters of more than one byte.
    private var characters = 0
    private var hasZero = false
    private var hasLineFeed = false
    private var hasUndefined = false
    /// The first byte that is no UTF-8.
    private(set) var firstInvalid: Int64?

    mutating func look(at piece: [UInt8]) {
        var place = 0
        while place < piece.count {
            // ASCII without zeros, which most of it is, eight bytes at once.
            if missing == 0, hasLineFeed {
                let begin = place
                place = Self.endOfText(piece, from: place)
                offset += Int64(place - begin)
                guard place < piece.count else { return }
            }
            let byte = piece[place]
            place += 1
            offset += 1
            if byte == 0 { hasZero = true }
            look(at: byte)
        }
    }

    private static func endOfText(_ piece: [UInt8], from begin: Int) -> Int {
        unsafe piece.withUnsafeBytes { bytes in
            var place = begin
            while place + 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                let high: UInt64 = 0x8080_8080_8080_8080
                guard word & high == 0, (word &- 0x0101_0101_0101_0101) & ~word & high == 0 else { return place }
                place += 8
            }
            return place
        }
    }

    private mutating func look(at byte: UInt8) {
        if missing > 0 {
            if range.contains(byte) {
                missing -= 1
                range = 0x80...0xBF
                if missing == 0 { characters += 1 }
                return
            }
            missing = 0
            range = 0x80...0xBF
            // The byte that began the character was none.
            firstInvalid = firstInvalid ?? offset - 2
        }
        if byte >= 0x80, byte < 0xA0, TextEncoding.windows1252.scalar(byte) == nil { hasUndefined = true }
        switch byte {
        case ..<0x80:
            if byte == ByteSource.newline { hasLineFeed = true }
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, range) = (2, 0xA0...0xBF)
        case 0xED: (missing, range) = (2, 0x80...0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, range) = (3, 0x90...0xBF)
        case 0xF4: (missing, range) = (3, 0x80...0x8F)
        case 0xF1...0xF3: missing = 3
        default: firstInvalid = firstInvalid ?? offset - 1
        }
    }

    /// The encoding, now that all of the file was looked at.
    ///
    /// - Throws: `MalformedInput` when there are several that it may be, or none.
    func encoding() throws(MalformedInput) -> TextEncoding {
        guard firstInvalid != nil || missing > 0 else { return .utf8 }
        // Single characters are damaged: that is for their lines to say.
        if characters > 0 || hasZero { return .utf8 }
        if hasUndefined {
            throw MalformedInput(
                message: "is neither UTF-8 nor Windows-1252; save it as UTF-8, or say what it is with --encoding"
            )
        }
        guard hasLineFeed else {
            throw MalformedInput(
                message: "is not UTF-8 but may be Windows-1252 or Mac OS Roman, as its lines end with CR; "
                    + "give --encoding windows-1252 or --encoding macintosh, and --dry-run to see the first job"
            )
        }
        return .windows1252
    }
}
