package import PromptQueue

/// Where the simulated ledger lies: a store that is to be simulated brings one. The engine's side takes `ledger`, as the daemon
/// does; what users do and what is checked is said in SQL, because strangers with a shell are part of that world. (A
/// `LedgerPlace` of the conformance checks has no SQL.)
package protocol SimulatedPlace: AnyObject {
    /// The daemon's.
    var ledger: any LedgerStore { get throws }
    /// A user's, with promptctl.
    var client: any QueueClient { get throws }
    /// In what words its SQL differs from other stores'.
    var dialect: Dialect { get }
    /// Whether the ledger's instants are those of a clock of its own, which nobody sets, and not the daemon's.
    var hasOwnClock: Bool { get }
    /// Whether several daemons work on it, each of which has a lease.
    var isShared: Bool { get }
    /// Of which daemon `ledger` is, and everything else that a daemon does.
    var turn: Int { get set }
    /// Whether a daemon adds up every ten seconds what others have appended.
    var isFolded: Bool { get }

    /// Sets the store's own clock, if it has one.
    func setClock(_ now: Instant)
    /// Opens it for a daemon's process that starts.
    func open() async throws
    /// Opens the daemon's connection again, after its process has ended.
    func reopen() async throws
    /// Goes on with a copy of what lies there now: what a process that was killed leaves.
    func moveToCopy() async throws
    /// What a daemon does at its start, after it has said that it is there, about the process before it.
    ///
    /// - Returns: why the store is held, if it is.
    func takeOver(now: Instant) async throws -> String?
    /// Adds up what was appended.
    func fold() throws
    func remove() async throws

    // A user's shell.

    func columns(of table: String) throws -> [String]
    func rows(_ sql: String, _ arguments: SimulatedArguments) throws -> [SimulatedRow]
    func number(_ sql: String, _ arguments: SimulatedArguments) throws -> Int64
    /// A stranger's statement; false if it is refused, for whatever reason.
    func tries(_ sql: String) throws -> Bool
    /// A user's statement; false if a rule of the schema refuses it.
    @discardableResult
    func run(_ sql: String, _ arguments: SimulatedArguments) throws -> Bool
    /// The same statement with each of some values, together or not at all.
    func runAll(_ sql: String, _ arguments: [SimulatedArguments]) throws
}

extension SimulatedPlace {
    func rows(_ sql: String) throws -> [SimulatedRow] { try rows(sql, []) }
    func number(_ sql: String) throws -> Int64 { try number(sql, []) }
    @discardableResult
    func run(_ sql: String) throws -> Bool { try run(sql, []) }
}
