import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Whether callbacks would arrive: asks for the public URL as the provider would, but by GET, which promptd refuses.
package enum CallbackReach {
    /// - Parameter publicURL: `callbacks.publicURL`.
    /// - Returns: what is in the way; nil if promptd's listener answered.
    package static func obstacle(publicURL: String) async -> String? {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(5)
        configuration.httpVersion = .http1Only
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let token = String(repeating: "0", count: 32)
        let problem: String?
        do {
            let answer = try await client.get(
                url: "\(publicURL)/callbacks/kie/\(token)",
                deadline: .now() + .seconds(10)
            )
            .get()
            problem =
                answer.status == .methodNotAllowed
                ? nil
                : "something else answers there, with HTTP \(answer.status.code); does the proxy pass /callbacks/kie/ on unchanged?"
        } catch {
            problem = TransportError.describe(error)
        }
        // Nothing is under way any more that could be lost.
        try? await client.shutdown()
        return problem
    }
}
