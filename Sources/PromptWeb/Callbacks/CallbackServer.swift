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
        tally: CallbackTally,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in },
        receive: @escaping @Sendable (IncomingCallback) async -> CallbackOutcome
    ) -> some ApplicationProtocol {
        Application(
            responder: CallbackResponder(limits: limits, tally: tally, receive: receive),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionDeadline(limits.connectionTime)],
                    idleTimeout: TimeAmount(limits.idleTime),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 8 * 1_024,
                        maxHeaderListSize: 16 * 1_024,
                        maxHeaderFieldCount: 100
                    )
                )
            ),
            configuration: .init(
                address: .hostname(host, port: port),
                serverName: nil,
                availableConnectionsDelegate: .maximum(limits.connections, logger: logger)
            ),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? port) },
            logger: logger
        )
    }
}
