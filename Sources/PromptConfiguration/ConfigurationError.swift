/// What is wrong with the configuration: the key, the value, what is allowed, and where it stands.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
