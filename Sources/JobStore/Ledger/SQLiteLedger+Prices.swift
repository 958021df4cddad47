import GRDB
package import PromptQueue

extension SQLiteLedger: PriceStore {
    package func setPrices(_ prices: [PriceOverride], defaultPrice: Credits) async throws(LedgerError) {
        try await commits.commit { db in
            try db.execute(
                sql: "UPDATE daemon SET default_price_millicredits = ?",
                arguments: [defaultPrice.millicredits]
            )
            try db.execute(sql: "DELETE FROM prices WHERE source = 'configuration'")
            for price in prices { try PriceRows.insert(price, source: .configuration, db) }
        }
    }

    package func charges() async throws(LedgerError) -> [String: [ObservedCharge]] {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                try PriceRows.chargedModels(db).reduce(into: [:]) { $0[$1] = try PriceRows.charges(of: $1, db) }
            }
        }
    }
}

/// The price book of one claim, read as far as its jobs need it.
struct ClaimPrices {
    private var book: PriceBook?
    private var hasOverrides = false
    /// Models whose overrides have been read.
    private var read: Set<String> = []
    /// Models whose charges have been read.
    private var observed: Set<String> = []

    /// What is to be reserved for a job.
    mutating func estimate(of prepared: PreparedInput, model: String, _ db: Database) throws -> Estimate {
        var book = try self.book ?? open(db)
        if hasOverrides, read.insert(model).inserted { book.add(try PriceRows.overrides(of: model, db)) }
        if prepared.estimate == nil, observed.insert(model).inserted {
            let charges = try PriceRows.charges(of: model, db).map(\.charged)
            book.setObserved(ObservedPrice(charges: charges), model: model)
        }
        self.book = book
        return book.estimate(of: prepared, model: model)
    }

    private mutating func open(_ db: Database) throws -> PriceBook {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT default_price_millicredits, EXISTS (SELECT 1 FROM prices) AS has_overrides FROM daemon"
            )
        )
        guard let row else { return PriceBook() }
        hasOverrides = row["has_overrides"]
        return PriceBook(defaultPrice: Credits(millicredits: row["default_price_millicredits"]))
    }
}

/// The tables of prices and charges, in SQL.
enum PriceRows {
    /// Those settled well, with a charge that the provider has reported. The index `attempts_charged` is for these words.
    private static let charged = "state = 'accepted' AND error_code IS NULL AND charged_millicredits IS NOT NULL"

    /// The latest charges of a model, the newest first.
    static func charges(of model: String, _ db: Database) throws -> [ObservedCharge] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT charged_millicredits, estimated_millicredits, estimate_basis FROM attempts
                    WHERE \(charged) AND model = ? AND charge_reported IS NOT 0 ORDER BY id DESC
                    LIMIT \(ObservedPrice.sampleSize)
                    """
            ),
            arguments: [model]
        ).map { row in
            let basis: String? = row["estimate_basis"]
            return ObservedCharge(
                charged: Credits(millicredits: row["charged_millicredits"]),
                estimated: row.credits("estimated_millicredits"),
                basis: basis.flatMap(Estimate.Kind.init)
            )
        }
    }

    /// The models that have been charged for: a seek for each, however many attempts there are.
    static func chargedModels(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE seen (model) AS (
                        SELECT min(model) FROM attempts WHERE \(charged)
                        UNION ALL
                        SELECT (SELECT min(model) FROM attempts WHERE \(charged) AND model > seen.model)
                        FROM seen WHERE seen.model IS NOT NULL
                    )
                    SELECT model FROM seen WHERE model IS NOT NULL
                    """
            )
        )
    }

    /// The overrides of a model, or of all.
    static func overrides(of model: String? = nil, _ db: Database) throws -> [PriceOverride] {
        let columns = "SELECT model, input, millicredits, per, source, note FROM prices"
        let rows =
            if let model {
                try Row.fetchAll(db.cachedStatement(sql: "\(columns) WHERE model = ?"), arguments: [model])
            } else {
                try Row.fetchAll(db.cachedStatement(sql: columns))
            }
        return rows.compactMap { row in
            // Nesting or escapes that SQLite takes and we do not: such a price fits no input, and holds up no claim.
            guard let conditions = JSONValue.object(in: row["input"]) else { return nil }
            let source: String = row["source"]
            return PriceOverride(
                model: row["model"],
                conditions: conditions,
                credits: Credits(millicredits: row["millicredits"]),
                measure: PriceOverride.Measure(text: row["per"]),
                source: PriceOverride.Source(rawValue: source) ?? .operator,
                note: row["note"]
            )
        }
    }

    static func insert(_ price: PriceOverride, source: PriceOverride.Source, _ db: Database) throws {
        try db.cachedStatement(
            sql: "INSERT INTO prices (model, input, millicredits, per, source, note) VALUES (?, ?, ?, ?, ?, ?)"
        )
        .execute(arguments: [
            price.model, JSONValue.object(price.conditions).json, price.credits.millicredits, price.measure.text,
            source.rawValue, price.note,
        ])
    }
}
