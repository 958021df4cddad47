/// What becomes of a job whose model the catalogue does not know.
package enum UnknownModelPolicy: String, Sendable, Hashable, CaseIterable {
    case refuse, allow
}

/// The outcome of checking a job against the catalogue.
package enum Preparation: Sendable, Hashable {
    case ready(PreparedInput)
    case refused(Refusal)
}

/// An input as it is sent.
package struct PreparedInput: Sendable, Hashable {
    /// Complete: with the prompt and the defaults.
    package let input: JSONObject
    /// By the catalogue's prices; `nil` if it has none, or the price depends on what the input does not tell.
    package let estimate: Estimate?
    /// Fields that the catalogue does not know, sorted. They are sent unchanged: the service adds fields faster than
    /// any catalogue.
    package let unknownFields: [String]

    package init(input: JSONObject, estimate: Estimate?, unknownFields: [String] = []) {
        self.input = input
        self.estimate = estimate
        self.unknownFields = unknownFields
    }
}
