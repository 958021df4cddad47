import GRDB
import PromptQueue

/// Some of the prompts, from all over the index: they tell how frequent words are.
///
/// FTS5 collects all prompts that have a word's beginning before it gives the first of them: of a word that is in every prompt,
/// millions.
struct SearchSample: Sendable {
    private static let size: Int64 = 300
    /// Fewer are looked for without asking.
    private static let least: Int64 = 20_000
    /// A word of more prompts than one in so many is common.
    private static let common = 50
    /// Where one prompt in so many matches, a page of them is soon found.
    private static let frequent = 100

    let lastJob: Int64
    private let prompts: [String]

    /// - Parameter db: the index.
    init(_ db: Database, lastJob: Int64) throws {
        self.lastJob = lastJob
        guard lastJob >= Self.least else {
            prompts = []
            return
        }
        let ids = (1...Self.size).map { JSONValue.integer(lastJob / Self.size * $0) }
        prompts = try String.fetchAll(
            db,
            sql: "SELECT folded FROM words WHERE rowid IN (SELECT value FROM json_each(?))",
            arguments: [JSONValue.array(ids).json]
        )
    }

    /// The words to ask the index for, and whether many prompts match.
    func plan(_ words: PromptWords) -> (words: PromptWords, isCommon: Bool) {
        guard !prompts.isEmpty else { return (words, false) }
        let counts = words.words.map { word in prompts.count { PromptWords(folded: word).match($0) } }
        let rare = zip(words.words, counts).filter { $0.1 * Self.common <= prompts.count }.map(\.0)
        guard rare.isEmpty else { return (PromptWords(folded: rare.joined(separator: " ")), false) }
        let rarest = zip(words.words, counts).min { $0.1 < $1.1 }?.0 ?? ""
        let matches = prompts.count { words.match($0) }
        return (PromptWords(folded: rarest), matches * Self.frequent >= prompts.count)
    }
}
