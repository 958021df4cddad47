import Postgres
package import PromptQueue

extension PostgresLedger: PriceStore {
    /// Those of the last daemon that has started: daemons of one store are to have one configuration.
    package func setPrices(_ prices: [PriceOverride], defaultPrice: Credits) async throws(LedgerError) {
        try await change { transaction in
            _ = try await transaction.pipeline { pipeline in
                pipeline.add(
                    "UPDATE store SET default_price_millicredits = $1",
                    [.int(defaultPrice.millicredits)]
                )
                pipeline.add("DELETE FROM prices WHERE source = 'configuration'")
                for price in prices {
                    pipeline.add(
                        """
                        INSERT INTO prices (model, input, millicredits, per, source, note)
                        VALUES ($1, $2, $3, $4, 'configuration', $5)
                        """,
                        [
                            .text(price.model), .text(JSONValue.object(price.conditions).json),
                            .int(price.credits.millicredits), .text(price.measure.text), .text(price.note),
                        ]
                    )
                }
            }
        }
    }

    package func charges() async throws(LedgerError) -> [String: [ObservedCharge]] {
        let rows = try await read(PriceRows.observed, PriceRows.sample)
        return try LedgerError.wrapping { try PriceRows.charges(rows) }
    }
}

extension PostgresLedger: CatalogueStore {
    package func providerModels() async throws(LedgerError) -> [ProviderModel] { try await readProviderModels().models }

    package func catalogueReadAt() async throws(LedgerError) -> Instant? {
        let rows = try await read("SELECT max(read_at) FROM provider_models")
        return try LedgerError.wrapping { try (rows.only()[0] as Int64?).map(Instant.init(milliseconds:)) }
    }

    package func keep(_ models: [ProviderModel]) async throws(LedgerError) {
        try await change { transaction in
            _ = try await transaction.pipeline { pipeline in
                for model in models {
                    pipeline.add(ProviderModel.keeping, model.arguments)
                }
            }
        }
        try await readModels()
    }
}

extension ProviderModel {
    /// In the place of what was kept of it.
    static let keeping: SQL = """
        INSERT INTO provider_models (model, listed, title, task_types, pricing, input_schema, read_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (model) DO UPDATE SET listed = excluded.listed, title = excluded.title, task_types = excluded.task_types,
            pricing = excluded.pricing, input_schema = excluded.input_schema, read_at = excluded.read_at
        """

    /// Of `keeping`.
    var arguments: [PostgresValue] {
        [
            .text(name), .int(isListed ? 1 : 0), .text(title),
            .text(JSONValue.array(taskTypes.map { .string($0) }).json), .text(pricing),
            .text(inputSchema.map { JSONValue.object($0).json }), .int(readAt.milliseconds),
        ]
    }
}
