import Hummingbird
import KieAPI
import NIOCore
import PromptConfiguration
import ServiceLifecycle

/// The web listener among the daemon's services.
struct WebService: Service {
    let address: ListenAddress
    let application: any ApplicationProtocol

    func run() async throws {
        do {
            try await application.run()
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
