import PromptQueue
import Testing

@Suite struct PromptWordsTests {
    @Test(arguments: [
        ("A red Fox, in the SNOW", "fox"), ("A red fox", "FO"), ("a café at night", "cafe"), ("a cafe", "CAFÉ"),
        ("cafe\u{301}", "cafés".dropLast().description), ("Ñandú", "nandu"), ("Łódź", "lodz"), ("phở", "pho"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"), ("Ёлка", "елка"), ("İstanbul", "istanbul"), ("16:9 at f/2.8", "16 9 2"),
        ("well-known", "known well"), ("a_b", "b"), ("赤い猫", "猫"), ("赤い猫", "い赤"), ("ネコ", "コ"), ("हिन्दी", "हिन्"),
        ("soft\u{AD}ware", "software"), ("it's", "it s"), ("x² + y", "x²"), ("ﷺ", "ﷺ"),
    ])
    func `words are found by their beginnings, whatever their case and accents`(_ prompt: String, _ search: String) {
        #expect(PromptWords([search]).match(prompt))
    }

    @Test(arguments: [
        ("a red fox", "ox"), ("a red fox", "red cat"), ("redo", "red-fox"), ("", "a"), ("a", ""), ("a", "!?"),
        ("हिन्दी", "हिम"),
        ("foxes", "fox es"), ("ab", "a\u{0}b c"),
    ])
    func `and nothing else is`(_ prompt: String, _ search: String) {
        #expect(!PromptWords([search]).match(prompt))
    }

    @Test func `a search keeps a bounded number of words`() {
        #expect(PromptWords(["b a b", "A"]).words == ["b", "a"])
        #expect(PromptWords((0..<500).map { "w\($0)" }).words.count == PromptWords.limit)
        #expect(PromptWords(folded: PromptWords(["Ein Fuß, rot"]).text) == PromptWords(["ein fuß rot"]))
    }
}
