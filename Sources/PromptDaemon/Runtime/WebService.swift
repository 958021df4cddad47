import Hummingbird
import KieAPI
import NIOCore
import PromptConfiguration
import PromptWeb
import ServiceLifecycle

/// The web listener among the daemon's services.
struct WebService: Service {
    let address: ListenAddress
    let roster: ConnectionRoster
    let application: any ApplicationProtocol

    /// For answers under way, once promptd is to stop.
    private static let patience: Duration = .seconds(2)

    func run() async throws {
        do {
            let roster = roster
            try await withGracefulShutdownHandler {
                try await application.run()
            } onGracefulShutdown: {
                // An answer that nobody reads must not hold up the end.
                Task {
                    try? await ContinuousClock().sleep(for: Self.patience)
                    roster.closeAll()
                }
            }
        } catch let error as IOError {
            throw WebError(
                description: "web.listen: cannot listen on \(address) (\(TransportError.reason(error))); "
                    + "set web.listen to another address, or to off"
            )
        }
    }
}

/// The web listener's address cannot be used.
struct WebError: Error, CustomStringConvertible {
    var description: String
}
