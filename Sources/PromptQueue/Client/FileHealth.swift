/// What a look at the database file tells.
package struct FileHealth: Sendable {
    package let sqliteVersion: String
    package let schemaVersion: Int
    package let journalMode: String
    /// The latest instant that anything in it bears.
    package let latest: Instant?
    /// When the daemon last wrote; nil before its first start.
    package let heartbeat: Instant?
    /// What SQLite finds wrong with the file; `nil` if it was not asked.
    package let damages: [String]?

    package init(
        sqliteVersion: String,
        schemaVersion: Int,
        journalMode: String,
        latest: Instant?,
        heartbeat: Instant?,
        damages: [String]?
    ) {
        self.sqliteVersion = sqliteVersion
        self.schemaVersion = schemaVersion
        self.journalMode = journalMode
        self.latest = latest
        self.heartbeat = heartbeat
        self.damages = damages
    }
}
