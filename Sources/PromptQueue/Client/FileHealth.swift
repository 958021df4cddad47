/// What a look at the database tells.
package struct FileHealth: Sendable {
    /// What has it.
    package enum Engine: Sendable {
        case sqlite(version: String, journalMode: String)
        case postgresql(ServerHealth)
    }

    package let engine: Engine
    package let schemaVersion: Int
    /// The latest instant that anything in it bears.
    package let latest: Instant?
    /// When the daemon last wrote; nil before its first start.
    package let heartbeat: Instant?
    /// What SQLite, or amcheck, finds wrong; `nil` if it was not asked, or cannot be.
    package let damages: [String]?
    /// Why nothing can be written, and where the queue has gone; nil: it is here.
    package let refusal: String?

    package init(
        engine: Engine,
        schemaVersion: Int,
        latest: Instant?,
        heartbeat: Instant?,
        damages: [String]?,
        refusal: String? = nil
    ) {
        self.engine = engine
        self.schemaVersion = schemaVersion
        self.latest = latest
        self.heartbeat = heartbeat
        self.damages = damages
        self.refusal = refusal
    }
}
