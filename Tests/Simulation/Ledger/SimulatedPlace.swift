package import GRDB
package import PromptQueue

/// Where the simulated ledger lies: a store that is to be simulated brings one. The engine's side takes `ledger`, as the daemon
/// does; what users do and what is checked is said in SQL, because strangers with a shell are part of that world. (A
/// `LedgerPlace` of the conformance checks has no SQL.)
package protocol SimulatedPlace: AnyObject {
    /// The daemon's.
    var ledger: any LedgerStore { get }
    /// A user's, with promptctl.
    var client: any QueueClient { get }

    /// Opens the daemon's connection again, after its process has ended.
    func reopen() throws
    /// Goes on with a copy of what lies there now: what a process that was killed leaves.
    func moveToCopy() throws
    func remove() throws

    // A user's shell.

    func rows(_ sql: String, _ arguments: StatementArguments) throws -> [Row]
    func number(_ sql: String, _ arguments: StatementArguments) throws -> Int64
    /// A stranger's statement; false if it is refused, for whatever reason.
    func tries(_ sql: String) throws -> Bool
    /// A user's statement; false if a rule of the schema refuses it.
    @discardableResult
    func run(_ sql: String, _ arguments: StatementArguments) throws -> Bool
    /// The same statement with each of some values, together or not at all.
    func runAll(_ sql: String, _ arguments: [StatementArguments]) throws
}

extension SimulatedPlace {
    func rows(_ sql: String) throws -> [Row] { try rows(sql, []) }
    func number(_ sql: String) throws -> Int64 { try number(sql, []) }
    @discardableResult
    func run(_ sql: String) throws -> Bool { try run(sql, []) }
}
