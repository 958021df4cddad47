import Postgres
import PromptQueue

/// What the store knows of prices.
enum PriceRows {
    static let observed: SQL = "SELECT model, charged, estimated, basis FROM observed_charges($1)"
    /// The parameters of `observed`.
    static let sample: [PostgresValue] = [.int(Int64(ObservedPrice.sampleSize))]

    /// From `observed`, the newest first.
    static func charges(_ rows: PostgresRows) throws -> [String: [ObservedCharge]] {
        var charges: [String: [ObservedCharge]] = [:]
        for row in rows {
            charges[try row[0], default: []].append(
                ObservedCharge(
                    charged: Credits(millicredits: try row[1]),
                    estimated: try row.credits(2),
                    basis: try (row[3] as String?).flatMap(Estimate.Kind.init)
                )
            )
        }
        return charges
    }

    /// How many questions `ask` asks.
    static let questions = 3

    static func ask(_ pipeline: inout PostgresPipeline) {
        pipeline.add("SELECT default_price_millicredits FROM store")
        pipeline.add("SELECT model, input, millicredits, per, source, note FROM prices")
        pipeline.add(observed, sample)
    }

    /// The answers to what `ask` asks.
    static func book(_ rows: ArraySlice<PostgresRows>) throws -> PriceBook {
        let start = rows.startIndex
        var book = PriceBook(
            overrides: try rows[start + 1].compactMap(PriceOverride.init(row:)),
            defaultPrice: Credits(millicredits: try rows[start].only()[0])
        )
        for (model, charges) in try charges(rows[start + 2]) {
            book.setObserved(ObservedPrice(charges: charges.map(\.charged)), model: model)
        }
        return book
    }
}
