import Postgres
package import PromptQueue
import Synchronization

extension PostgresLedger: CoreLedger {
    package func begin(_ identity: DaemonIdentity, now: Instant) async throws(LedgerError) {
        try await change { [self] transaction in
            _ = try await transaction.pipeline { pipeline in
                pipeline.add(
                    "UPDATE daemons SET pid = $2, version = $3 WHERE epoch = $1",
                    [.int(epoch.rawValue), .int(Int64(identity.processID)), .text(identity.version)]
                )
                for limits in identity.accounts { Self.note(limits, &pipeline) }
            }
        }
        if options.isKeptUp { keepUp() }
    }

    /// Accounts that other daemons work with stay: which are configured is for each daemon's own configuration to say, and one that
    /// has an account is enough for it.
    private static func note(_ limits: AccountLimits, _ pipeline: inout PostgresPipeline) {
        let name = PostgresValue.text(limits.name.rawValue)
        pipeline.add("INSERT INTO account (name) VALUES ($1) ON CONFLICT (name) DO NOTHING", [name])
        pipeline.add("UPDATE account SET is_configured = 1 WHERE name = $1 AND is_configured = 0", [name])
        pipeline.add(
            "SELECT record_limits($1, $2, $3, $4)",
            [
                name, .int(Int64(limits.rate.count)), .int(limits.rate.window.milliseconds),
                .int(Int64(limits.runningLimit)),
            ]
        )
        pipeline.add(
            "SELECT record_rules($1, $2, $3, $4)",
            [
                name, .int(limits.rules.creditReserve.millicredits), .text(limits.rules.unconfirmedPolicy.rawValue),
                .int(limits.rules.unconfirmedWindow.milliseconds),
            ]
        )
    }

    /// Renews the lease, which is renewed more often by itself.
    ///
    /// - Throws: `LedgerError` when it was over: others may have taken over, and the daemon has to join again.
    package func beat(now: Instant) async throws(LedgerError) {
        try await renewLease()
        guard !lease.isFenced else {
            throw LedgerError(
                .fenced,
                "this daemon's lease was over before it could be renewed; it has to join again"
            )
        }
    }

    /// Others may take over at once.
    package func end(now: Instant) async throws(LedgerError) {
        try await change { [self] transaction in
            _ = try await transaction.query("SELECT leave_daemons($1)", [.int(epoch.rawValue)])
        }
    }

    package func close() async throws(LedgerError) { await disconnect() }
}

/// The models as the store knows them, read again only when that has changed.
struct KnownModels {
    var catalogue = Catalogue.builtIn
    /// `store.catalogue_version` when they were read.
    var version: Int64 = 0
}

extension PostgresLedger {
    func readModels() async throws(LedgerError) {
        let (models, version) = try await readProviderModels()
        let known = KnownModels(catalogue: Catalogue.builtIn.with(models), version: version)
        standing.withLock { $0.models = known }
    }

    /// What the provider said of its models, and as of which change of that.
    func readProviderModels() async throws(LedgerError) -> (models: [ProviderModel], version: Int64) {
        let rows = try await LedgerError.wrapping {
            try await self.reads.connection().pipeline { pipeline in
                // The version first: what is changed in between is read again.
                pipeline.add("SELECT catalogue_version FROM store")
                pipeline.add(ProviderModel.all)
            }
        }
        return try LedgerError.wrapping {
            (try rows[1].map(ProviderModel.init(row:)), try rows[0].only()[0])
        }
    }

    package var catalogue: Catalogue { standing.withLock { $0.models.catalogue } }
}

extension ProviderModel {
    static let all: SQL = """
        SELECT model, listed, title, task_types, pricing, input_schema, read_at FROM provider_models ORDER BY model
        """

    /// From `all`.
    init(row: PostgresRow) throws {
        let types: String = try row[3]
        let schema: String? = try row[5]
        self.init(
            name: try row[0],
            isListed: try (row[1] as Int64) != 0,
            title: try row[2],
            taskTypes: (try? JSONValue(parsing: types))?.arrayValue?.compactMap(\.stringValue) ?? [],
            pricing: try row[4],
            inputSchema: schema.flatMap(JSONValue.object(in:)),
            readAt: Instant(milliseconds: try row[6])
        )
    }
}
