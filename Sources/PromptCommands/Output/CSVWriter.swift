/// Records of comma-separated values (RFC 4180), as spreadsheets read them.
enum CSVWriter {
    /// One record, without its line end.
    static func record(_ fields: some Sequence<String>) -> String {
        fields.map(field).joined(separator: ",")
    }

    /// Quoted where it has to be: with a comma, a quote or a line end in it, or space at an end.
    private static func field(_ text: String) -> String {
        let needsQuotes =
            text.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }
            || text.first == " " || text.last == " "
        guard needsQuotes else { return text }
        // By bytes: a quote with a combining mark is a quote to whoever reads it.
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}
