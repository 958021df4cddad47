/// The statements that the server keeps parsed for a session. There are as many as literals in the program.
struct PreparedStatements {
    private var names: [String: String] = [:]
    /// Handed to libpq, and not yet known to be prepared.
    private var pending: [String: String] = [:]
    private var count = 0

    /// One text is prepared for each way of binding bytes to it, because their type is said.
    func key(of statement: Statement) -> String {
        statement.parameters.hasBytes ? statement.sql.text + "\u{0}" + statement.parameters.shape : statement.sql.text
    }

    /// - Returns: whether it has to be prepared first.
    mutating func name(of statement: Statement) -> (String, isNew: Bool) {
        let key = key(of: statement)
        if let name = names[key] ?? pending[key] { return (name, false) }
        count += 1
        let name = "s\(count)"
        pending[key] = name
        return (name, true)
    }

    mutating func isPrepared(_ key: String, as name: String) {
        names[key] = name
    }

    /// After a pipeline: what was not prepared then, because of a failure before it, is not.
    mutating func endPipeline() {
        pending.removeAll(keepingCapacity: true)
    }

    /// The server has forgotten them, or they are not what they were.
    mutating func forget() {
        names.removeAll()
    }
}
