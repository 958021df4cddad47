package import Hummingbird
package import Logging
import NIOCore
import PromptQueue

extension Sandbox {
    /// The sandbox as a server.
    /// - Parameters:
    ///   - port: 0 takes any that is free.
    ///   - logger: is told every request at level debug; the server itself is heard from level notice up.
    ///   - onListening: is told the base URL once the server answers.
    package func application(
        host: String = "127.0.0.1",
        port: Int = 0,
        logger: Logger,
        onListening: @escaping @Sendable (String) -> Void = { _ in }
    ) -> Application<SandboxResponder> {
        var serverLogger = logger
        serverLogger.logLevel = max(logger.logLevel, .notice)
        return Application(
            responder: SandboxResponder(sandbox: self, logger: logger),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            services: [CallbackSender(sandbox: self, logger: logger)],
            onServerRunning: { @concurrent [self] channel in
                let url = "http://\(host):\(channel.localAddress?.port ?? port)"
                setBaseURL(url)
                onListening(url)
            },
            logger: serverLogger
        )
    }
}
