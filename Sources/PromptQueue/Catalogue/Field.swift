/// One field of a model's input, or what the items of a list are like.
package struct Field: Sendable, Hashable {
    package enum ValueType: String, Sendable, Hashable, CaseIterable, Codable {
        case string, integer, number, boolean, array, object
    }

    /// The key in `input`; empty for the items of a list.
    package let name: String
    package let type: ValueType
    package let isRequired: Bool
    /// Sent when the input leaves the field out: the service itself fills nothing in.
    package let defaultValue: JSONValue?
    /// The only values that the service takes; empty if it takes any.
    package let allowedValues: [JSONValue]
    /// Bounds of a number, of a text's length in Unicode scalars, or of a list's count, as `type` has it.
    package let bounds: Bounds
    /// A regular expression that matches a part of every valid text.
    package let pattern: String?
    /// `uri`, or `nil`.
    package let format: String?
    /// Whether a text field also takes JSON numbers. Those with numeric `allowedValues` always do.
    package let takesNumbers: Bool
    /// What the items of a list are like.
    package var element: Field? { elements.first }
    /// What an object consists of; empty if that is not known.
    package let properties: [Field]
    /// A hint for users: accepted files, what the field goes with.
    package let note: String?
    /// Whether the provider's own schema is known to be wrong here, and is not followed.
    package let isCorrected: Bool

    /// None or one: a structure cannot hold itself.
    private let elements: [Field]

    package init(
        name: String,
        type: ValueType,
        isRequired: Bool = false,
        defaultValue: JSONValue? = nil,
        allowedValues: [JSONValue] = [],
        bounds: Bounds = Bounds(),
        pattern: String? = nil,
        format: String? = nil,
        takesNumbers: Bool = false,
        element: Field? = nil,
        properties: [Field] = [],
        note: String? = nil,
        isCorrected: Bool = false
    ) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
        self.defaultValue = defaultValue
        self.allowedValues = allowedValues
        self.bounds = bounds
        self.pattern = pattern
        self.format = format
        self.takesNumbers = takesNumbers
        self.elements = element.map { [$0] } ?? []
        self.properties = properties
        self.note = note
        self.isCorrected = isCorrected
    }
}
