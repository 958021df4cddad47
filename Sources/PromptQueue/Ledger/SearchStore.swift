/// Keeps an index of the words of prompts beside the store. It holds nothing that the store has not: without it searches take
/// longer, and find the same.
package protocol SearchStore: Sendable {
    /// Takes a bounded number of prompts into it that it does not have yet.
    ///
    /// - Returns: whether there is more to do.
    /// - Throws: what is wrong with the index; it is made anew where that helps.
    func indexPrompts() async throws(LedgerError) -> Bool
}
