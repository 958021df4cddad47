package import PromptQueue

/// Gives results their names, by a template that may change while the daemon runs.
package struct ResultNaming: Sendable {
    private let template: @Sendable () -> NameTemplate
    private let source: any ProvenanceSource

    /// - Parameters:
    ///   - template: asked for each result, because a reload may change it.
    ///   - source: knows what a job was about.
    package init(template: @escaping @Sendable () -> NameTemplate, source: any ProvenanceSource) {
        self.template = template
        self.source = source
    }

    /// - Throws: `LedgerError` if it cannot be found out what the job was about: a result has one name, not now this and
    ///   then that.
    func name(_ download: PendingDownload) async throws(LedgerError) -> ResultName {
        let template = template()
        guard template.needsProvenance, let provenance = try await source.provenance(of: download.result.job) else {
            return ResultName(template, NameFields(download))
        }
        return ResultName(template, NameFields(download, provenance))
    }
}
