/// A store whose rows can be read as they travel.
package protocol MoveReader: Sendable {
    /// What it is called in messages, without a password.
    var place: String { get }

    /// Gives the rows of a table in the order of their keys, some at a time.
    ///
    /// - Throws: `LedgerError`; what `body` throws.
    func read(_ table: MovedTable, _ body: (MovedRows) async throws -> Void) async throws

    /// Counts and sums, worked out from the rows.
    func sums() async throws -> MoveSums

    /// Ends the connections.
    func disconnect() async
}

/// A store that a queue leaves. While this exists, no daemon can start on it, and no other move.
package protocol MoveSource: MoveReader {
    /// The move that it is in, or went by; nil: none.
    func record() async throws -> MoveRecord?

    /// Looks whether all that is known of the queue is in it.
    ///
    /// - Throws: `LedgerError` that says what to do first.
    /// - Returns: what is left behind, in words.
    func check() async throws -> [String]

    /// Refuses whatever is written from now on, with words about where the queue goes.
    ///
    /// - Throws: `LedgerError` while somebody works on it.
    func close(for destination: String) async throws -> MoveRecord

    /// Takes the move back: the queue can be worked on again. Only until `finish`.
    func reopen() async throws

    /// The queue is the destination's from now on.
    func finish() async throws
}

/// A store that a queue comes to.
package protocol MoveDestination: MoveReader {
    /// How far a move has come in it; nil: nothing is known of this move.
    func state(of move: MoveRecord) async throws -> MoveRecord.State?

    /// Takes it for a move: from now on it refuses whatever else is written.
    ///
    /// - Returns: the tables that are there already, of an earlier try.
    /// - Throws: `LedgerError` if it has a queue of its own, or is in another move.
    func begin(_ move: MoveRecord) async throws -> [String: MovedPart]

    /// Takes a table: all of it, or nothing that counts.
    ///
    /// - Parameter body: given what takes rows; returns what all of them were.
    func take(
        _ table: MovedTable,
        _ move: MoveRecord,
        _ body: ((MovedRows) async throws -> Void) async throws -> MovedPart
    ) async throws

    /// Makes from the rows what is not carried.
    func complete() async throws

    /// Forgets what was taken: a table was found to differ.
    func forget(_ move: MoveRecord) async throws

    /// The queue can be worked on. For one window of the rate nothing is sent: instants of requests are another clock's.
    func open(_ move: MoveRecord) async throws
}
