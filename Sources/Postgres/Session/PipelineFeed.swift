import CPostgres

/// Which statements of a pipeline have been handed to libpq, and whose answers are awaited.
struct PipelineFeed {
    /// An answer that the server owes.
    struct Owed {
        enum Kind: Equatable {
            case preparation(sql: String, name: String)
            case statement
            case end
        }
        let kind: Kind
        let statement: Int
        var hasAnswered = false
    }

    private let statements: [Statement]
    private var next = 0
    private var hasEnded = false
    private(set) var owed: [Owed] = []
    private var first = 0

    init(_ statements: [Statement]) { self.statements = statements }

    var head: Owed? { first < owed.count ? owed[first] : nil }
    var isAllSent: Bool { hasEnded }
    var isOver: Bool { hasEnded && head == nil }
    /// Which statement is under way, for notices: behind one that has answered comes the next.
    var position: Int { head.map { $0.hasAnswered ? $0.statement + 1 : $0.statement } ?? statements.count }

    mutating func answered() { owed[first].hasAnswered = true }
    mutating func settle() { first += 1 }

    /// Hands over statements until about `size` bytes wait to be sent, and behind the last one the end of the pipeline.
    ///
    /// - Returns: false if libpq does not take them.
    mutating func send(_ size: Int, to connection: OpaquePointer, _ prepared: inout PreparedStatements) -> Bool {
        var left = size
        while next < statements.count, left > 0 {
            let statement = statements[next]
            guard unsafe send(statement, to: connection, &prepared) else { return false }
            left -= statement.size
            next += 1
        }
        guard next == statements.count, !hasEnded else { return true }
        hasEnded = true
        owed.append(Owed(kind: .end, statement: next))
        return unsafe PQpipelineSync(connection) == 1
    }

    private mutating func send(
        _ statement: Statement,
        to connection: OpaquePointer,
        _ prepared: inout PreparedStatements
    ) -> Bool {
        let parameters = statement.parameters
        guard !statement.sql.isPasted else {
            owed.append(Owed(kind: .statement, statement: next))
            return unsafe parameters.withPointers { count, types, values, lengths, formats in
                unsafe PQsendQueryParams(connection, statement.sql.text, count, types, values, lengths, formats, 0)
            } == 1
        }
        let (name, isNew) = prepared.name(of: statement)
        if isNew {
            owed.append(Owed(kind: .preparation(sql: prepared.key(of: statement), name: name), statement: next))
            let isSent = unsafe parameters.withPointers { count, types, _, _, _ in
                unsafe PQsendPrepare(connection, name, statement.sql.text, count, types) == 1
            }
            guard isSent else { return false }
        }
        owed.append(Owed(kind: .statement, statement: next))
        return unsafe parameters.withPointers { count, _, values, lengths, formats in
            unsafe PQsendQueryPrepared(connection, name, count, values, lengths, formats, 0)
        } == 1
    }
}
