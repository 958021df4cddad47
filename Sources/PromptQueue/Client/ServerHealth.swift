/// What a PostgreSQL server tells of itself and of the store in it.
package struct ServerHealth: Sendable {
    /// A standby that this server feeds.
    package struct Standby: Sendable {
        /// Its `application_name`.
        package let name: String
        /// `streaming` when all is well.
        package let state: String
        /// Whether a COMMIT waits for it.
        package let isSynchronous: Bool
        /// How far behind it shows what is committed; nil while nothing happens.
        package let lag: Duration?

        package init(name: String, state: String, isSynchronous: Bool, lag: Duration?) {
            self.name = name
            self.state = state
            self.isSynchronous = isSynchronous
            self.lag = lag
        }
    }

    /// A table, by the server's own estimates.
    package struct Table: Sendable {
        package let name: String
        package let live: Int
        /// Rows that VACUUM has yet to clear up.
        package let dead: Int
        package let bytes: Int64

        package init(name: String, live: Int, dead: Int, bytes: Int64) {
            self.name = name
            self.live = live
            self.dead = dead
            self.bytes = bytes
        }
    }

    /// A transaction that is open.
    package struct Transaction: Sendable {
        /// The server's process.
        package let process: Int64
        package let application: String
        /// `idle in transaction`, `active` and so on.
        package let state: String
        package let age: Duration

        package init(process: Int64, application: String, state: String, age: Duration) {
            self.process = process
            self.application = application
            self.state = state
            self.age = age
        }
    }

    /// A replication slot that nobody reads from, for which the server keeps its log all the same.
    package struct Slot: Sendable {
        package let name: String
        /// Bytes of log.
        package let retained: Int64

        package init(name: String, retained: Int64) {
            self.name = name
            self.retained = retained
        }
    }

    /// A daemon that has not ended, as far as anybody knows.
    package struct Daemon: Sendable {
        package let epoch: Int64
        package let name: String
        package let host: String?
        /// On that machine.
        package let processID: Int64?
        package let heartbeat: Instant
        /// Whether its lease holds.
        package let mayClaim: Bool

        package init(epoch: Int64, name: String, host: String?, processID: Int64?, heartbeat: Instant, mayClaim: Bool) {
            self.epoch = epoch
            self.name = name
            self.host = host
            self.processID = processID
            self.heartbeat = heartbeat
            self.mayClaim = mayClaim
        }
    }

    /// `15.8 (Debian 15.8-0+deb12u1)`.
    package let version: String
    /// 150008.
    package let versionNumber: Int64
    package var isStandby = false
    /// `on`, `remote_apply`, `remote_write`, `local` or `off`.
    package var synchronousCommit = "on"
    /// The server's setting `synchronous_standby_names`; empty: a COMMIT waits for no standby.
    package var synchronousStandbys = ""
    /// `fsync`.
    package var syncsFiles = true
    /// `full_page_writes`.
    package var writesFullPages = true
    /// `autovacuum`.
    package var vacuums = true
    /// The server's clock.
    package var now = Instant(milliseconds: 0)
    /// The database's size.
    package var bytes: Int64 = 0
    /// How many transactions old the oldest row is that was not frozen: at two thousand million the server stops.
    package var transactionAge = 0
    package var standbys: [Standby] = []
    /// Parts of sums that daemons have yet to fold.
    package var unfolded = 0
    /// Changes that have no number yet, so that nobody is told of them.
    package var unnumbered = 0
    /// For how long the oldest of these has waited.
    package var unnumberedFor: Duration?
    /// Those with most dead rows first.
    package var tables: [Table] = []
    /// The oldest one of others.
    package var oldestTransaction: Transaction?
    package var idleSlots: [Slot] = []
    package var daemons: [Daemon] = []

    package init(version: String, versionNumber: Int64) {
        self.version = version
        self.versionNumber = versionNumber
    }
}
