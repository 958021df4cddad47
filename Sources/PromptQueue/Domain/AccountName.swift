/// Names an account at the provider: what one key opens, with its balance and its rate window.
package struct AccountName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let rawValue: String

    /// The account of queues that name none. Its settings are those of the configuration's top level.
    package static let standard = AccountName(trusted: "default")

    private init(trusted text: String) { rawValue = text }

    /// As the ledger has it.
    package init(stored text: String) { rawValue = text }

    /// - Parameter text: letters, digits, `_` and `-` of ASCII, 64 at most.
    package init?(text: String) {
        let isAllowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isAllowed, (1...64).contains(text.utf8.count) else { return nil }
        rawValue = text
    }

    package var description: String { rawValue }

    package static func < (left: AccountName, right: AccountName) -> Bool { left.rawValue < right.rawValue }
}
