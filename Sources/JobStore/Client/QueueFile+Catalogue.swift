import GRDB
package import PromptQueue
import Synchronization

extension QueueFile {
    package func catalogue() throws(LedgerError) -> Catalogue {
        try read { try catalogue($0) }
    }

    func catalogue(_ db: Database) throws -> Catalogue {
        try knownModels.withLock { models in
            try models.update(db)
            return models.catalogue
        }
    }

    package func providerModels() throws(LedgerError) -> [ProviderModel] { try read { try ProviderModelRows.all($0) } }

    package func keep(_ models: [ProviderModel]) throws(LedgerError) {
        try write { try ProviderModelRows.keep(models, $0) }
    }

    package func removeProviderModels(named model: String?) throws(LedgerError) -> Int {
        try write { try ProviderModelRows.remove(model, $0) }
    }
}
