import Foundation
import Testing

/// What a user does by SQL, and what comes of it: a case of `Tests/SchemaCases`, whose README says how they are written.
struct SchemaCase: Sendable, CustomTestStringConvertible {
    enum Store: String, Sendable, CaseIterable { case sqlite, postgresql }

    struct Statement: Sendable {
        var sql: String
        /// The only store that has it; nil: both.
        var only: Store?
        /// File and line.
        var place: String
        /// The rows that are expected, columns with `|` between them; nil: whatever both stores give.
        var rows: [String]?
        var refusals: [Store: String] = [:]

        /// What is wrong with an outcome of it; nil: nothing.
        func problem(with outcome: SchemaOutcome, in store: Store) -> String? {
            switch outcome {
            case .refused(let words):
                guard !refusals.isEmpty else { return "was refused: \(words)" }
                guard let expected = refusals[store] else { return nil }
                // Where the words differ, a part of them is enough.
                let areSame = refusals.count == Store.allCases.count && Set(refusals.values).count == 1
                let isSo = areSame ? words == expected : words.contains(expected)
                return isSo ? nil : "was refused: \(words); expected: \(expected)"
            case .rows(let found):
                guard refusals.isEmpty else { return "was not refused; expected: \(refusals)" }
                guard let rows, rows.map(SchemaOutcome.alike) != found else { return nil }
                return "has the rows \(found); expected: \(rows)"
            }
        }
    }

    enum Step: Sendable {
        case statement(Statement)
        case use(String)
    }

    var name: String
    var statements: [Statement]

    var testDescription: String { name }

    static let all: [SchemaCase] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("SchemaCases")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        var reading = SchemaCaseReading()
        for name in names.sorted() where name.hasSuffix(".sql") {
            let text = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            reading.read(text ?? "", file: name)
        }
        return reading.cases
    }()
}

/// What came of a statement.
enum SchemaOutcome: Sendable, Equatable {
    case rows([String])
    case refused(String)

    /// Numbers are written differently by the stores.
    static func alike(_ row: String) -> String {
        row.split(separator: "|", omittingEmptySubsequences: false).map { column in
            guard column.contains("."), let number = Double(column), number.magnitude < 1e15, number == number.rounded()
            else {
                return String(column)
            }
            return String(Int64(number))
        }
        .joined(separator: "|")
    }
}
