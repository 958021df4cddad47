package import Hummingbird
package import Logging
import NIOCore

/// The listener that the provider reaches, apart from the one for health and metrics, because its address is public.
package enum CallbackServer {
    /// - Parameter logger: is not told of requests: their paths hold tokens.
    package static func application(
        host: String,
        port: Int,
        limits: CallbackLimits = CallbackLimits(),
        counter: CallbackCounter,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        receive: @escaping @Sendable (IncomingCallback) async -> CallbackOutcome
    ) -> some ApplicationProtocol {
        let roster = ConnectionRoster(limit: limits.connections)
        return Application(
            responder: CallbackResponder(limits: limits, counter: counter, receive: receive),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        ConnectionRoster.Handler(roster), ConnectionDeadline(limits.connectionTime),
                    ],
                    idleTimeout: TimeAmount(limits.idleTime),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: HeaderLimits.field,
                        maxHeaderListSize: HeaderLimits.list,
                        maxHeaderFieldCount: HeaderLimits.count
                    )
                )
            ),
            configuration: .init(
                address: .hostname(host, port: port),
                serverName: nil
            ),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? port) },
            logger: logger
        )
    }
}

/// Far more than the provider, a browser or Prometheus sends.
enum HeaderLimits {
    static let field = 8 * 1_024
    static let list = 16 * 1_024
    static let count = 100
}
