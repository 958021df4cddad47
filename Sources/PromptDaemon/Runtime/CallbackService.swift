import Hummingbird
import KieAPI
import NIOCore
import PromptConfiguration
import ServiceLifecycle

/// The callback listener among the daemon's services.
struct CallbackService: Service {
    let address: ListenAddress
    let application: any ApplicationProtocol

    func run() async throws {
        do {
            try await application.run()
        } catch let error as IOError {
            throw WebError(
                description: "callbacks.listen: cannot listen on \(address) (\(TransportError.reason(error))); "
                    + "set callbacks.listen to another address, or remove callbacks.publicURL"
            )
        }
    }
}
