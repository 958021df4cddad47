import AsyncHTTPClient
import Synchronization

/// A host name and the address that was checked for it.
struct Pin: Hashable, Sendable {
    /// As the URL spells it: the HTTP client looks it up by this spelling.
    var host: String
    var address: String
}

/// HTTP clients that connect one host name to one address, and resolve nothing themselves.
///
/// A name that was checked and is then resolved again by whoever connects may lead somewhere else the second time (DNS
/// rebinding). `dnsOverride` is what AsyncHTTPClient has against it; it belongs to a whole client, so each pair has one
/// of its own. The host name stays what TLS asks for and what the certificate is checked against.
final class PinnedClients: Sendable {
    private struct Entry {
        var client: HTTPClient
        var users = 0
        var lastUse = 0
    }

    private struct State {
        var entries: [Pin: Entry] = [:]
        var uses = 0
    }

    private let configuration: HTTPClient.Configuration
    private let idleLimit: Int
    private let state = Mutex(State())

    /// - Parameter idleLimit: how many clients are kept while nobody uses them, with their connections.
    init(_ configuration: HTTPClient.Configuration, idleLimit: Int) {
        self.configuration = configuration
        self.idleLimit = idleLimit
    }

    /// How many clients there are.
    var count: Int { state.withLock { $0.entries.count } }

    /// Lends the pair's client for as long as `body` runs.
    func with<T>(_ pin: Pin, _ body: (HTTPClient) async throws -> T) async throws -> T {
        let client = acquire(pin)
        let result: Result<T, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        for client in release(pin) { await Self.end(client) }
        return try result.get()
    }

    func shutdown() async {
        let clients = state.withLock { state in
            defer { state.entries = [:] }
            return state.entries.values.map(\.client)
        }
        for client in clients { await Self.end(client) }
    }

    private func acquire(_ pin: Pin) -> HTTPClient {
        state.withLock { state in
            state.uses += 1
            var entry = state.entries[pin] ?? Entry(client: makeClient(pin))
            entry.users += 1
            entry.lastUse = state.uses
            state.entries[pin] = entry
            return entry.client
        }
    }

    /// Returns the clients that nobody uses any more and that are too many.
    private func release(_ pin: Pin) -> [HTTPClient] {
        state.withLock { state in
            state.entries[pin]?.users -= 1
            let idle = state.entries.filter { $0.value.users == 0 }.sorted { $0.value.lastUse < $1.value.lastUse }
            let surplus = idle.prefix(max(0, idle.count - idleLimit))
            for (pin, _) in surplus { state.entries[pin] = nil }
            return surplus.map(\.value.client)
        }
    }

    private func makeClient(_ pin: Pin) -> HTTPClient {
        var configuration = configuration
        configuration.dnsOverride = [pin.host: pin.address]
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Nobody uses it: what could fail in closing idle connections concerns nobody.
    private static func end(_ client: HTTPClient) async {
        do { try await client.shutdown() } catch { return }
    }
}
