import Hummingbird
import HummingbirdTesting
import KieAPI
import Testing

/// Whether callbacks would arrive.
@Suite struct CallbackReachTests {
    private func obstacle(_ status: HTTPResponse.Status) async throws -> String? {
        let router = Router()
        router.get("callbacks/kie/:token") { _, context in
            let token = try context.parameters.require("token")
            return Response(status: token.count == 32 ? status : .badRequest)
        }
        return try await Application(router: router).test(.live) { client in
            let port = try #require(client.port)
            return await CallbackReach.obstacle(publicURL: "http://127.0.0.1:\(port)")
        }
    }

    @Test func `promptd's listener refuses a GET, and so is known`() async throws {
        #expect(try await obstacle(.methodNotAllowed) == nil)
    }

    @Test func `what else answers is named, and what does not answer`() async throws {
        #expect(try await obstacle(.notFound)?.contains("something else answers there, with HTTP 404") == true)
        #expect(await CallbackReach.obstacle(publicURL: "http://127.0.0.1:1")?.contains("refused") == true)
    }
}
