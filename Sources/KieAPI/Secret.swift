/// Text that must not show: not in a log, an error, a cell or a debugger's description.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for the header that needs it.
    package let value: String

    package init(_ value: String) { self.value = value }

    /// Whether it can go into a header: printable ASCII without spaces.
    package var isSendable: Bool { value.utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
