import GRDB
package import PromptQueue

extension QueueFile {
    /// Everything that the ledger knows of prices, for estimates like the daemon's.
    package func priceBook() throws(LedgerError) -> PriceBook { try read { try Self.priceBook($0) } }

    /// What the latest tasks of each model were charged, the newest first.
    package func charges() throws(LedgerError) -> [String: [ObservedCharge]] { try read { try Self.charges($0) } }

    /// Sets a price of the operator's own, in place of one with the same conditions.
    package func setPrice(_ price: PriceOverride) throws(LedgerError) {
        try write { db in
            _ = try Self.remove(price.model, price.conditions, db)
            try PriceRows.insert(price, source: .operator, db)
        }
    }

    /// Removes a price of the operator's own.
    ///
    /// - Returns: false if there was none with these conditions.
    package func removePrice(model: String, conditions: JSONObject) throws(LedgerError) -> Bool {
        try write { db in try Self.remove(model, conditions, db) }
    }

    static func priceBook(_ db: Database) throws -> PriceBook {
        let price = try Int64.fetchOne(db, sql: "SELECT default_price_millicredits FROM daemon")
        var book = PriceBook(
            overrides: try PriceRows.overrides(db),
            defaultPrice: price.map(Credits.init(millicredits:)) ?? PriceBook.fallbackPrice
        )
        for (model, charges) in try charges(db) {
            book.setObserved(ObservedPrice(charges: charges.map(\.charged)), model: model)
        }
        return book
    }

    private static func charges(_ db: Database) throws -> [String: [ObservedCharge]] {
        try PriceRows.chargedModels(db).reduce(into: [:]) { result, model in
            let charges = try PriceRows.charges(of: model, db)
            if !charges.isEmpty { result[model] = charges }
        }
    }

    /// Finds the row by its meaning: people write JSON in many ways.
    private static func remove(_ model: String, _ conditions: JSONObject, _ db: Database) throws -> Bool {
        let inputs = try String.fetchAll(
            db,
            sql: "SELECT input FROM prices WHERE model = ? AND source = 'operator'",
            arguments: [model]
        )
        let found = inputs.filter { JSONValue.object(in: $0) == conditions }
        for input in found {
            try db.execute(
                sql: "DELETE FROM prices WHERE model = ? AND source = 'operator' AND input = ?",
                arguments: [model, input]
            )
        }
        return !found.isEmpty
    }
}
