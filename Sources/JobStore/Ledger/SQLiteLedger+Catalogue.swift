import GRDB
package import PromptQueue
import Synchronization

extension SQLiteLedger: CatalogueStore {
    package var catalogue: Catalogue { knownModels.withLock { $0.catalogue } }

    package func providerModels() async throws(LedgerError) -> [ProviderModel] {
        try await LedgerError.wrapping { try await self.pool.read { try ProviderModelRows.all($0) } }
    }

    package func catalogueReadAt() async throws(LedgerError) -> Instant? {
        try await LedgerError.wrapping { try await self.pool.read { try ProviderModelRows.readAt($0) } }
    }

    package func keep(_ models: [ProviderModel]) async throws(LedgerError) {
        try await commits.commit { try ProviderModelRows.keep(models, $0) }
        try await readModels()
    }

    /// Takes over what is committed; a transaction under way might yet be undone.
    func readModels() async throws(LedgerError) {
        try await LedgerError.wrapping {
            try await self.pool.read { [self] db in try knownModels.withLock { try $0.update(db) } }
        }
    }
}

/// The models as a database knows them, read again only when that has changed.
struct KnownModels {
    private(set) var catalogue = Catalogue.builtIn
    /// `daemon.catalogue_version` when they were read.
    private(set) var version: Int64 = 0

    mutating func update(_ db: Database) throws {
        let version = try ProviderModelRows.version(db)
        guard version != self.version else { return }
        catalogue = Catalogue.builtIn.with(try ProviderModelRows.all(db))
        self.version = version
    }
}

/// The table `provider_models`, in SQL.
enum ProviderModelRows {
    static func version(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT catalogue_version FROM daemon")) ?? 0
    }

    static func readAt(_ db: Database) throws -> Instant? {
        try Int64.fetchOne(db, sql: "SELECT max(read_at) FROM provider_models").map(Instant.init(milliseconds:))
    }

    static func all(_ db: Database) throws -> [ProviderModel] {
        try Row.fetchAll(db, sql: "SELECT * FROM provider_models ORDER BY model").map { row in
            let types: String = row["task_types"]
            let schema: String? = row["input_schema"]
            return ProviderModel(
                name: row["model"],
                isListed: row["listed"],
                title: row["title"],
                taskTypes: (try? JSONValue(parsing: types))?.arrayValue?.compactMap(\.stringValue) ?? [],
                pricing: row["pricing"],
                inputSchema: schema.flatMap(JSONValue.object(in:)),
                readAt: row.instant("read_at") ?? Instant(milliseconds: 0)
            )
        }
    }

    static func keep(_ models: [ProviderModel], _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO provider_models (model, listed, title, task_types, pricing, input_schema, read_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (model) DO UPDATE SET listed = excluded.listed, title = excluded.title,
                    task_types = excluded.task_types, pricing = excluded.pricing, input_schema = excluded.input_schema,
                    read_at = excluded.read_at
                """
        )
        for model in models {
            try statement.execute(arguments: [
                model.name, model.isListed, model.title, JSONValue.array(model.taskTypes.map { .string($0) }).json,
                model.pricing, model.inputSchema.map { JSONValue.object($0).json }, model.readAt.milliseconds,
            ])
        }
    }

    /// - Parameter model: nil: all.
    /// - Returns: how many there were.
    static func remove(_ model: String?, _ db: Database) throws -> Int {
        try db.execute(
            sql: "DELETE FROM provider_models WHERE ?1 IS NULL OR model = ?1",
            arguments: [model]
        )
        return db.changesCount
    }
}
