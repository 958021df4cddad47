/// Reads the files of cases.
struct SchemaCaseReading {
    private var setups: [String: [SchemaCase.Step]] = [:]
    private var found: [(name: String, steps: [SchemaCase.Step])] = []
    private var isSetup = false
    private var setup = ""

    var cases: [SchemaCase] { found.map { SchemaCase(name: $0.name, statements: statements(of: $0.steps)) } }

    private func statements(of steps: [SchemaCase.Step]) -> [SchemaCase.Statement] {
        steps.flatMap { step in
            switch step {
            case .statement(let statement): [statement]
            case .use(let name): statements(of: setups[name] ?? [])
            }
        }
    }

    mutating func read(_ text: String, file: String) {
        var pending: [Substring] = []
        var only: SchemaCase.Store?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if pending.isEmpty {
                if let name = line.rest(after: "-- case: ") {
                    isSetup = false
                    found.append(("\(file): \(name)", []))
                } else if let name = line.rest(after: "-- setup: ") {
                    isSetup = true
                    setup = name
                    setups[setup] = []
                } else if let name = line.rest(after: "-- use: ") {
                    change { $0.append(.use(name)) }
                } else if let name = line.rest(after: "-- only: ") {
                    only = SchemaCase.Store(rawValue: name)
                } else if let row = line.rest(after: "--=") {
                    expect(row: row.first == " " ? String(row.dropFirst()) : row)
                } else if let words = line.rest(after: "--! ") {
                    expect(refusal: words)
                }
                if line.hasPrefix("--") || line.allSatisfy(\.isWhitespace) { continue }
            }
            pending.append(line)
            guard line.hasSuffix(";") else { continue }
            let statement = SchemaCase.Statement(
                sql: String(pending.joined(separator: "\n").dropLast()),
                only: only,
                place: "\(file):\(index + 2 - pending.count)"
            )
            change { $0.append(.statement(statement)) }
            pending = []
            only = nil
        }
    }

    private mutating func change(_ body: (inout [SchemaCase.Step]) -> Void) {
        if isSetup { body(&setups[setup, default: []]) } else if !found.isEmpty { body(&found[found.count - 1].steps) }
    }

    private mutating func changeLast(_ body: (inout SchemaCase.Statement) -> Void) {
        change { steps in
            guard case .statement(var statement) = steps.last else { return }
            body(&statement)
            steps[steps.count - 1] = .statement(statement)
        }
    }

    private mutating func expect(row: String) {
        changeLast { $0.rows = ($0.rows ?? []) + (row == "(none)" ? [] : [row]) }
    }

    private mutating func expect(refusal words: String) {
        changeLast { statement in
            for store in SchemaCase.Store.allCases {
                if let own = words.rest(after: "\(store.rawValue): ") {
                    statement.refusals[store] = own
                    return
                }
            }
            for store in SchemaCase.Store.allCases { statement.refusals[store] = words }
        }
    }
}

extension StringProtocol {
    /// What comes behind a beginning; nil if there is another one.
    fileprivate func rest(after prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
