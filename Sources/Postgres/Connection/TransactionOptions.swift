/// How a transaction is begun, and how its outcome can be found out.
package struct TransactionOptions: Sendable {
    /// Said in every BEGIN, whatever the server's default is.
    package enum Isolation: Sendable, CaseIterable {
        case readCommitted, repeatableRead, serializable
    }

    /// When the transaction's number is asked for, by which the outcome of a COMMIT without an answer is found out.
    package enum Numbering: Sendable {
        /// After each round trip, until something was written. It costs nothing when nothing is written.
        case whenWritten
        /// With the BEGIN: then what is written may go in one round trip with the COMMIT.
        case atBegin
    }

    /// A question that is true if the transaction's rows are there: what tells its outcome where its number cannot.
    package struct Proof: Sendable {
        let sql: SQL
        let parameters: [PostgresValue]

        /// - Parameter sql: returns one row with one boolean.
        package init(_ sql: SQL, _ parameters: [PostgresValue]) {
            self.sql = sql
            self.parameters = parameters
        }
    }

    package var isolation = Isolation.readCommitted
    package var isReadOnly = false
    package var numbering = Numbering.whenWritten
    package var proof: Proof?

    package init() {}

    var begin: SQL {
        switch (isolation, isReadOnly) {
        case (.readCommitted, false): "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        case (.readCommitted, true): "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
        case (.repeatableRead, false): "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
        case (.repeatableRead, true): "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        case (.serializable, false): "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
        case (.serializable, true): "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
        }
    }
}
