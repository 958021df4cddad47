import PromptConfiguration
import PromptQueue

/// Which queues and batches there are, for whoever has mistyped one.
enum KnownNames {
    private static let shown = 8

    /// - Throws: `CommandError` for a queue or batch that is not there, with those that are.
    static func check(queue: String?, batch: String?, _ file: any QueueClient) throws {
        if let problem = try problem(queue: queue, batch: batch, file) { throw CommandError(.badData, problem) }
    }

    /// `queue adz: there is none of that name; there are ads, default`; nil if both are there.
    static func problem(queue: String?, batch: String?, _ file: any QueueClient) throws -> String? {
        if let queue {
            let known = try file.queues().map(\.name)
            if !known.contains(queue) { return sentence("queue", queue, known, "promptctl queue list") }
        }
        if let batch, try !file.hasBatch(batch) {
            return sentence("batch", batch, try file.batches(limit: 1_000), nil)
        }
        return nil
    }

    /// An account that the daemon knows, or that stands in the database.
    ///
    /// - Throws: `CommandError` for one that is not there, with those that are.
    static func account(_ text: String, in file: any QueueClient) throws(CommandError) -> AccountName {
        let known: [AccountStatus]
        do throws(LedgerError) { known = try file.accounts() } catch { throw CommandError(.unavailable, error.message) }
        guard let found = known.first(where: { $0.name.rawValue == text }) else {
            let sentence = sentence("account", text, known.map(\.name.rawValue), nil)
            throw CommandError(
                .badData,
                "\(sentence). accounts in the configuration names them, and promptd makes them known when it starts"
            )
        }
        return found.name
    }

    static func sentence(_ kind: String, _ name: String, _ known: [String], _ more: String?) -> String {
        let head = "\(kind) \(oneLine(name)): there is none of that name"
        guard !known.isEmpty else { return "\(head), and no other \(kind)" }
        let near = Suggestion.nearest(to: name, among: known)
        let others = ([near].compactMap(\.self) + known.filter { $0 != near }).prefix(shown).map(oneLine)
        let rest = known.count > shown ? " and \(grouped(known.count - shown)) more" : ""
        return "\(head); there \(known.count == 1 ? "is" : "are") \(others.joined(separator: ", "))\(rest)"
            + (known.count > shown ? more.map { " (\($0))" } ?? "" : "")
    }
}

extension FilterOptions {
    /// - Throws: `CommandError` for a queue or batch that is not there: nothing would be done, and nobody would notice.
    func check(_ file: any QueueClient) throws { try KnownNames.check(queue: queue, batch: batch, file) }
}
