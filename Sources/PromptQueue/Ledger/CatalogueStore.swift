/// Where the daemon finds the models as they are known now, and leaves what the provider says of them.
package protocol CatalogueStore: Sendable {
    /// The built-in models, and over them what the provider said last. As of the last claim, or of when it was last kept.
    var catalogue: Catalogue { get }

    /// What the provider said last, by name.
    func providerModels() async throws(LedgerError) -> [ProviderModel]

    /// When the provider was last asked; nil: never.
    func catalogueReadAt() async throws(LedgerError) -> Instant?

    /// Keeps what the provider says, beside what is kept of other models.
    func keep(_ models: [ProviderModel]) async throws(LedgerError)
}
