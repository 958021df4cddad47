import Testing

/// The rules of both stores' schemas, against what `Tests/SchemaCases` says of them.
@Suite struct SchemaCaseTests {
    @Test func `there are cases`() {
        #expect(SchemaCase.all.count >= 50)
        #expect(SchemaCase.all.allSatisfy { !$0.statements.isEmpty })
    }

    @Test(arguments: Array(SchemaCase.all.enumerated().map { ($0.offset, $0.element) }))
    func `what a user does has the same outcome in both stores`(number: Int, played: SchemaCase) async throws {
        var outcomes: [SchemaCase.Store: [SchemaOutcome]] = [:]
        for store in SchemaCase.Store.allCases {
            let statements = played.statements.filter { $0.only == nil || $0.only == store }
            outcomes[store] =
                switch store {
                case .sqlite: try SQLiteCases.play(statements)
                case .postgresql: try await PostgresCases.play(statements, number: number)
                }
            for (statement, outcome) in zip(statements, outcomes[store] ?? []) {
                if let problem = statement.problem(with: outcome, in: store) {
                    Issue.record("\(statement.place) in \(store.rawValue): \(problem)")
                }
            }
        }
        let common = SchemaCase.Store.allCases.map { store in
            zip(played.statements.filter { $0.only == nil || $0.only == store }, outcomes[store] ?? [])
                .filter { $0.0.only == nil && $0.0.refusals.isEmpty }
        }
        for ((statement, sqlite), (_, postgres)) in zip(common[0], common[1]) where sqlite != postgres {
            Issue.record("\(statement.place) differs: \(sqlite) and \(postgres)")
        }
    }
}
