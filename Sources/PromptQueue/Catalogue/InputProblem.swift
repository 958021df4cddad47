/// One thing that keeps an input from being sent.
package struct InputProblem: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case missing, wrongType, notAllowed, tooShort, tooLong, tooSmall, tooLarge, tooFewItems, tooManyItems
        case patternMismatch, unknownModel
        /// Spelt almost like a field that the model has.
        case misspeltField
        /// The result of another job is not there.
        case missingResult
    }

    /// The field, as a path if it is inside another: `multi_prompt[0].duration`. `model` for an unknown model.
    package let field: String
    package let kind: Kind
    /// What is wrong. Never the prompt's text; short values of other fields are quoted.
    package let message: String

    package init(field: String, kind: Kind, message: String) {
        self.field = field
        self.kind = kind
        self.message = message
    }
}

extension InputProblem: CustomStringConvertible {
    package var description: String { "\(field): \(message)" }
}

/// Why the catalogue does not let a job through.
package struct Refusal: Error, Sendable, Hashable {
    /// `invalidInput`, `unknownModel` or `inputMissing`.
    package let code: FailureCode
    /// At least one, in the order of the model's fields.
    package let problems: [InputProblem]

    package init(code: FailureCode, problems: [InputProblem]) {
        self.code = code
        self.problems = problems
    }
}

extension Refusal: CustomStringConvertible {
    package var description: String { problems.map(\.description).joined(separator: "; ") }
}
