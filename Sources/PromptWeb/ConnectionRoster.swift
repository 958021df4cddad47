import NIOCore
import Synchronization

/// Keeps the connections of a listener few, whatever strangers do: for one more than there may be, the oldest of the client
/// that has most is closed.
///
/// Whoever opens connections and leaves them idle, or lets a request drip in, so only loses his own older ones; an honest
/// request takes milliseconds and is over before its turn to go comes. Refusing new ones instead, or not accepting them,
/// would let idle connections keep the honest out.
package final class ConnectionRoster: Sendable {
    private struct Entry {
        var channel: any Channel
        var client: String
    }

    private struct State {
        /// In the order in which they came.
        var order: [ObjectIdentifier] = []
        var entries: [ObjectIdentifier: Entry] = [:]
        var closed = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    package init(limit: Int) { self.limit = limit }

    package var count: Int { state.withLock { $0.entries.count } }
    /// How many had to go.
    package var closed: Int { state.withLock { $0.closed } }

    /// Closes those that there are.
    package func closeAll() {
        for channel in state.withLock({ $0.entries.values.map(\.channel) }) { channel.close(promise: nil) }
    }

    func enter(_ channel: any Channel) {
        let client = channel.remoteAddress?.ipAddress ?? ""
        let surplus = state.withLock { state -> (any Channel)? in
            let id = ObjectIdentifier(channel)
            guard state.entries[id] == nil else { return nil }
            state.entries[id] = Entry(channel: channel, client: client)
            state.order.append(id)
            guard state.entries.count > limit, let victim = Self.victim(state) else { return nil }
            state.closed += 1
            return Self.remove(victim, from: &state)
        }
        surplus?.close(promise: nil)
    }

    func leave(_ channel: any Channel) {
        state.withLock { state in _ = Self.remove(ObjectIdentifier(channel), from: &state) }
    }

    private static func victim(_ state: State) -> ObjectIdentifier? {
        var counts: [String: Int] = [:]
        for entry in state.entries.values { counts[entry.client, default: 0] += 1 }
        let most = counts.values.max() ?? 0
        return state.order.first { id in state.entries[id].map { counts[$0.client] == most } ?? false }
    }

    private static func remove(_ id: ObjectIdentifier, from state: inout State) -> (any Channel)? {
        guard let entry = state.entries.removeValue(forKey: id) else { return nil }
        state.order.removeAll { $0 == id }
        return entry.channel
    }

    /// Enters its connection, for as long as that is open.
    final class Handler: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = NIOAny
        typealias InboundOut = NIOAny

        private let roster: ConnectionRoster

        init(_ roster: ConnectionRoster) { self.roster = roster }

        func handlerAdded(context: ChannelHandlerContext) { roster.enter(context.channel) }
        func handlerRemoved(context: ChannelHandlerContext) { roster.leave(context.channel) }
    }
}
