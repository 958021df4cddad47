/// What the process knows beside the ledger.
package struct ProcessFigures: Sendable {
    /// Gates that are closed, whether or not the ledger could be told.
    package var closedGates: Set<String>
    /// What is free on the media directory's file system, in bytes; nil if that cannot be told.
    package var mediaAvailableBytes: Int64?

    package init(closedGates: Set<String> = [], mediaAvailableBytes: Int64? = nil) {
        self.closedGates = closedGates
        self.mediaAvailableBytes = mediaAvailableBytes
    }
}
