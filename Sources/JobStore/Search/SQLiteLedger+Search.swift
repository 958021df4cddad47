import GRDB
package import PromptQueue

extension SQLiteLedger: SearchStore {
    package func indexPrompts() async throws(LedgerError) -> Bool {
        do {
            return try await LedgerError.wrapping {
                do {
                    return try await self.indexStep()
                } catch let error as DatabaseError where error.isDamage {
                    self.searchIndex.discard()
                    throw error
                }
            }
        } catch {
            throw LedgerError(error.code, "\(SearchFile.path(of: path)): \(error.message)")
        }
    }

    private func indexStep() async throws -> Bool {
        let index = try await pool.read { [searchIndex, databaseID] db in
            try searchIndex.open(databaseID) { try $0.holds(in: db) }
        }
        let mark = try await index.read { try SearchMark(index: $0) }
        guard let mark else {
            searchIndex.discard()
            return true
        }
        let found = try await pool.read { try SearchIndex.find($0, after: mark) }
        if found.prompts.isEmpty, found.mark == mark { return false }
        try await index.write { try SearchIndex.take(found, into: $0) }
        if let last = found.lastChange {
            // Not before it is in the index.
            try await commits.commit { db in
                try db.execute(sql: "DELETE FROM search_changes WHERE sequence <= ?", arguments: [last])
            }
        }
        return found.hasMore
    }
}
