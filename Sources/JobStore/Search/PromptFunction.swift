import GRDB
import PromptQueue

/// `promptd_has_words(PROMPT, WORDS)`: whether a prompt has the words of a search, for this program's own statements.
enum PromptFunction {
    static let name = "promptd_has_words"

    static let function = DatabaseFunction(name, argumentCount: 2, pure: true) { values in
        guard values.count == 2, let prompt = String.fromDatabaseValue(values[0]),
            let words = String.fromDatabaseValue(values[1])
        else { return false }
        return PromptWords(folded: words).match(prompt)
    }
}
