import HTTPTypes
import Hummingbird
import HummingbirdTesting
import KieAPI
import PromptConfiguration
import PromptQueue
import Synchronization
import Testing

@testable import PromptDaemon

/// Webhooks, to a receiver that listens.
@Suite struct WebhookTests {
    private let asked = Asked()

    private final class Asked: Sendable {
        let paths = Mutex<[String]>([])
    }

    private static let delivery = HookDelivery(
        id: HookDeliveryID(7),
        hook: "shop",
        event: .succeeded,
        job: JobID(12),
        subject: nil,
        message: nil,
        at: Instant(milliseconds: 1_800_000_000_000),
        state: .pending,
        attempts: 0,
        nextTry: Instant(milliseconds: 0),
        lastError: nil,
        endedAt: nil
    )

    /// What becomes of a delivery to a path of a receiver on this machine.
    private func deliver(
        _ path: String,
        host: String = "127.0.0.1",
        isHostAllowed: Bool = true,
        timeout: Duration = .seconds(10)
    ) async throws -> HookOutcome {
        let router = Router(context: BasicRequestContext.self)
        router.post("**") { [asked] request, _ -> Response in
            asked.paths.withLock { $0.append(request.uri.path) }
            let path = request.uri.path.dropFirst()
            let status = HTTPResponse.Status(code: Int(path) ?? 200)
            return Response(status: status, headers: (300..<400).contains(status.code) ? [.location: "/200"] : [:])
        }
        return try await Application(router: router).test(.live) { @concurrent client in
            let http = WebhookClient(userAgent: "promptd-test")
            let sender = HookSender(
                client: http,
                database: "/q.sqlite",
                secret: { _, _ in Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") }
            )
            let hook = Hook(
                rule: HookRule(name: "shop", events: [.succeeded]),
                action: .webhook(
                    Hook.Webhook(
                        url: "http://\(host):\(client.port ?? 0)/\(path)",
                        secretFile: nil,
                        isHostAllowed: isHostAllowed
                    )
                ),
                timeout: timeout
            )
            let end = try await sender.deliver(
                Self.delivery,
                id: "msg_x_7",
                ["id": 12],
                to: hook,
                now: Instant(milliseconds: 1_800_000_000_000)
            )
            await http.shutdown()
            return end.outcome
        }
    }

    @Test func `what is answered with 200 was told`() async throws {
        #expect(try await deliver("200") == .delivered)
        #expect(try await deliver("204") == .delivered)
        #expect(asked.paths.withLock { $0 } == ["/200", "/204"])
    }

    @Test(arguments: [301, 302, 307, 308])
    func `a redirect is not followed`(_ status: Int) async throws {
        #expect(
            try await deliver("\(status)") == .failed("the receiver answered \(status): redirects are not followed")
        )
        #expect(asked.paths.withLock { $0 } == ["/\(status)"])
    }

    @Test func `410 ends it, and any other answer has it tried again`() async throws {
        #expect(try await deliver("410") == .refused("the receiver answered 410: it wants no more of these"))
        #expect(try await deliver("500") == .failed("the receiver answered 500"))
        #expect(try await deliver("404") == .failed("the receiver answered 404"))
    }

    @Test(arguments: ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0", "127.1"])
    func `no receiver of this machine is asked that was not allowed by name`(_ host: String) async throws {
        guard case .failed = try await deliver("200", host: host, isHostAllowed: false) else {
            Issue.record("\(host) was asked")
            return
        }
        #expect(asked.paths.withLock { $0 }.isEmpty)
    }
}
