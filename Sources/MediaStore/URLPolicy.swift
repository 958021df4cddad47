import Concurrency
import KieAPI
import PromptQueue

/// Which URLs may be fetched, and at which addresses: whoever controls an answer of the provider must not reach this
/// machine's network.
package struct URLPolicy: Sendable {
    /// Plain HTTP and loopback addresses, for the sandbox.
    var allowsLoopback: Bool
    /// Plain HTTP and any address, for a host that somebody has allowed by name.
    var allowsAllAddresses: Bool
    /// Whose URL it is, for messages.
    var subject: String
    var maximumBytes: Int64
    /// All addresses of a host, as text; blocks. Throws when there are none.
    var resolve: @Sendable (_ host: String) throws -> [String]
    var lookup = HostLookup.shared

    package init(
        allowsLoopback: Bool,
        allowsAllAddresses: Bool = false,
        subject: String = "the result's URL",
        maximumBytes: Int64 = 4 << 30,
        resolve: @escaping @Sendable (_ host: String) throws -> [String] = { try HostAddresses.resolve($0) }
    ) {
        self.allowsLoopback = allowsLoopback
        self.allowsAllAddresses = allowsAllAddresses
        self.subject = subject
        self.maximumBytes = maximumBytes
        self.resolve = resolve
    }

    /// Why a URL is not fetched.
    package struct Refusal: Error, Equatable {
        package var reason: String
        /// Whether asking again later is pointless.
        var isFinal = true
    }

    /// How many addresses of a host are tried.
    private static let addressLimit = 4

    /// The addresses at which a URL may be fetched: these were checked, so no others may be connected to.
    ///
    /// One address that is not allowed makes the whole host suspect.
    /// - Throws: `Refusal`.
    package func addresses(for text: String) async throws(Refusal) -> [String] {
        guard let url = WebURL(text) else {
            throw Refusal(reason: "\(subject) is malformed, or neither http nor https")
        }
        guard url.scheme == .https || allowsLoopback || allowsAllAddresses else {
            throw Refusal(reason: "\(subject) has the scheme http; https is allowed")
        }
        let addresses: [String]
        do {
            addresses = try await lookup.addresses(of: url.host, resolve)
        } catch is DeadlineExceeded {
            throw Refusal(
                reason: "\(url.host) could not be looked up within \(lookup.limit.text)",
                isFinal: false
            )
        } catch {
            throw Refusal(reason: "\(url.host) cannot be resolved", isFinal: false)
        }
        guard !addresses.isEmpty else { throw Refusal(reason: "\(url.host) has no address", isFinal: false) }
        for address in addresses {
            if allowsAllAddresses { continue }
            if allowsLoopback, AddressRange.isLoopback(address: address) { continue }
            guard AddressRange.isPublic(address: address) else {
                throw Refusal(reason: "\(subject) leads to \(address) in a private network")
            }
        }
        return Array(addresses.prefix(Self.addressLimit))
    }
}
