import Postgres
package import PromptQueue
import Synchronization

extension PostgresQueue {
    package func catalogue() throws(LedgerError) -> Catalogue {
        try reading { try catalogue($0) }
    }

    /// Read again only when it has changed.
    func catalogue(_ connection: BlockingConnection) throws -> Catalogue {
        let version: Int64 = try connection.query("SELECT catalogue_version FROM store").only()[0]
        let known = knownModels.withLock { $0 }
        guard known.version != version else { return known.catalogue }
        let models = try connection.query(ProviderModel.all).map(ProviderModel.init(row:))
        let read = KnownModels(catalogue: Catalogue.builtIn.with(models), version: version)
        knownModels.withLock { $0 = read }
        return read.catalogue
    }

    package func providerModels() throws(LedgerError) -> [ProviderModel] {
        let rows = try read(ProviderModel.all)
        return try LedgerError.wrapping { try rows.map(ProviderModel.init(row:)) }
    }

    package func priceBook() throws(LedgerError) -> PriceBook {
        try reading { try PriceRows.book($0.pipeline { PriceRows.ask(&$0) }[...]) }
    }

    package func charges() throws(LedgerError) -> [String: [ObservedCharge]] {
        let rows = try read(PriceRows.observed, PriceRows.sample)
        return try LedgerError.wrapping { try PriceRows.charges(rows) }
    }
}
