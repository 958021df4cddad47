import Testing

@testable import PromptQueue

/// Where results are put, whatever producers call their batches.
@Suite struct PathPartTests {
    static let names: [(String, String)] = [
        ("shop", "shop"), ("../../etc", "_._.._etc"), ("/abs", "_abs"), (".", "_"), ("..", "_"), ("...", "_"),
        ("", "_"), ("a/../b", "a_.._b"), ("a\\b", "a_b"), ("C:\\x", "C__x"), ("x\u{0}y", "x_y"), ("a\nb", "a_b"),
        ("a\u{1B}[31m", "a__31m"), ("\u{202E}gnp", "_gnp"), ("zero\u{200B}width", "zero_width"), ("-rf", "_rf"),
        (" lead", "_lead"), ("trail. .", "trail"), ("CON", "_CON"), ("nul.txt", "_nul.txt"), ("Lpt9", "_Lpt9"),
        ("console", "console"), ("Büro 2026", "Büro 2026"), ("日本語", "日本語"), ("हिन्दी", "हिन्दी"), ("a*?\"<>|b", "a______b"),
        (".partial", "_partial"), ("🦊", "_"), (".\u{301}y", "_\u{301}y"), ("\u{301}y", "_\u{301}y"),
        ("-\u{301}", "_\u{301}"),
        ("x.\u{600}", "x._"), ("con\u{301}", "con\u{301}"), ("COM1.\u{301}", "_COM1.\u{301}"),
    ]

    @Test(arguments: names)
    func `a name leads nowhere else and stays legible`(name: String, expected: String) {
        let safe = PathPart.safe(name)
        #expect(safe == expected)
        #expect(!safe.isEmpty && safe != "." && safe != "..")
        #expect(!safe.hasPrefix(".") && !safe.hasPrefix("-") && !safe.hasSuffix(".") && !safe.hasSuffix(" "))
        #expect(!safe.contains("/") && !safe.contains("\\"))
        #expect(safe.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }

    @Test(arguments: ["x", "日", "🦊", "é", "CON."])
    func `a long name is cut to a hundred bytes, never within a letter`(piece: String) {
        let safe = PathPart.safe(String(repeating: piece, count: 300))
        #expect(safe.utf8.count <= 100)
        #expect(safe.utf8.count > 90)
        #expect(!safe.unicodeScalars.contains("\u{FFFD}"))
    }
}
