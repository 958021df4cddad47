import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
package import PromptQueue

/// The listener: health, readiness and metrics, and the pages.
package enum WebServer {
    /// - Parameters:
    ///   - isRunning: whether the engine is at work, which it says within a second or not at all; readiness asks for it.
    ///   - metrics: what the process counts, beside the figures of `source`.
    ///   - process: what it knows beside them.
    ///   - dashboard: the pages; nil: there are none.
    ///   - roster: the connections; how many there may be.
    package static func application(
        host: String,
        port: Int,
        source: any StatusSource,
        isRunning: @escaping @Sendable () async -> Bool,
        callbacks: CallbackCounter? = nil,
        metrics: PrometheusRegistry? = nil,
        process: @escaping @Sendable () async -> ProcessFigures = { ProcessFigures() },
        dashboard: Dashboard? = nil,
        roster: ConnectionRoster = ConnectionRoster(limit: 128),
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> some ApplicationProtocol {
        Application(
            router: router(
                source: source,
                isRunning: isRunning,
                callbacks: callbacks,
                metrics: metrics,
                process: process,
                dashboard: dashboard,
                isLocal: isLocal(host)
            ),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        ConnectionRoster.Handler(roster), IdleStateHandler(writeTimeout: .seconds(30)), StalledReader(),
                    ],
                    idleTimeout: .seconds(30),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: HeaderLimits.field,
                        maxHeaderListSize: HeaderLimits.list,
                        maxHeaderFieldCount: HeaderLimits.count
                    )
                )
            ),
            configuration: .init(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? port) },
            logger: logger
        )
    }

    /// - Parameters:
    ///   - isRunning: whether the engine is at work, which it says within a second or not at all; readiness asks for it.
    ///   - isLocal: whether this machine alone is served.
    package static func router(
        source: any StatusSource,
        isRunning: @escaping @Sendable () async -> Bool,
        callbacks: CallbackCounter? = nil,
        metrics: PrometheusRegistry? = nil,
        process: @escaping @Sendable () async -> ProcessFigures = { ProcessFigures() },
        dashboard: Dashboard? = nil,
        isLocal: Bool = false
    ) -> Router<BasicRequestContext> {
        let startedAt = Date.now.timeIntervalSince1970.rounded()
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: SecurityHeaders())
        if isLocal { router.add(middleware: LocalHostOnly()) }
        router.add(middleware: OwnSiteOnly())
        router.get("healthz") { _, _ in plain(.ok, "ok\n") }
        router.get("readyz") { _, _ in
            guard await isRunning() else { return plain(.serviceUnavailable, "the engine is not running\n") }
            guard await source.isWritable() else {
                return plain(.serviceUnavailable, "the database cannot be written\n")
            }
            return plain(.ok, "ready\n")
        }
        router.get("metrics") { _, _ in
            do {
                let figures = try await source.figures()
                let text = PrometheusText.text(
                    figures,
                    await process(),
                    version: Version.current,
                    startedAt: startedAt
                )
                let more = (metrics?.text ?? "") + (callbacks?.prometheusText ?? "")
                return plain(.ok, text + more, contentType: PrometheusText.contentType)
            } catch {
                return plain(.serviceUnavailable, "the database cannot be read\n")
            }
        }
        for path in ["healthz", "readyz", "metrics"] {
            WrongMethod.refuse(router, path, but: [.get]) { plain(.methodNotAllowed, "\($0.message)\n") }
        }
        dashboard?.add(to: router)
        return router
    }

    /// Whether a listener on `host` is reached from this machine alone.
    package static func isLocal(_ host: String) -> Bool { Hosts.isLoopback(host) }

    private static func plain(
        _ status: HTTPResponse.Status,
        _ text: String,
        contentType: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status,
            headers: [.contentType: contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
