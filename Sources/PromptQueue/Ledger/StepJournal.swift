/// What is under way, kept so that the next start knows of what this process has died.
package protocol StepJournal: AnyObject, Sendable {
    /// What the last process left under way; nil if it ended in order.
    var leftovers: (steps: [RiskyStep], end: SuddenEnd)? { get }

    /// Where a handler of signals notes with which one the process ends: a descriptor and an offset for `pwrite`.
    var signalPlace: (descriptor: Int32, offset: Int) { get }

    /// Forgets what the last process left, which is in the ledger now.
    func reset()

    /// The process ends in order. What it has not taken in stays for the next.
    func remove()

    func begin(_ step: RiskyStep)
    func end(_ step: RiskyStep)
}

/// Keeps other daemons from a ledger for as long as it lives.
package protocol LedgerLock: AnyObject, Sendable {}

/// Another daemon works on the ledger.
package struct LedgerHeld: Error, Sendable, CustomStringConvertible {
    package var processID: Int32?
    package var place = "on this database"

    package init(processID: Int32?) { self.processID = processID }

    package var description: String {
        let holder = processID.map { "pid \($0)" } ?? "another process"
        return "another promptd (\(holder)) works \(place); stop it first, or use another"
    }
}
