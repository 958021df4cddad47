import Mustache
import PromptQueue

/// How text gets into a page.
///
/// The library's own escaping goes by characters: a quotation mark with an accent over it is none to it, and ends an
/// attribute all the same. This one goes by bytes.
struct HTMLText: MustacheContentType {
    /// By this name templates ask for it.
    static let name = "promptd.HTML"

    func escapeText(_ text: String) -> String {
        let text = PlainText.lines(text)
        guard text.utf8.contains(where: { Self.escape(of: $0) != nil }) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 64)
        for byte in text.utf8 {
            if let escape = Self.escape(of: byte) { bytes += escape.utf8 } else { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func escape(of byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }
}
