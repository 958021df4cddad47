import KieAPI
import MediaStore
import PromptConfiguration
import PromptQueue

/// Brings a delivery to its hook, once.
protocol HookDeliverer: Sendable {
    /// - Parameters:
    ///   - id: the delivery's name, the same at each try.
    ///   - subject: what it is about.
    /// - Returns: what became of it, and what a program said.
    func deliver(
        _ delivery: HookDelivery,
        id: String,
        _ subject: JSONObject,
        to hook: Hook,
        now: Instant
    ) async throws -> HookCommand.End
}

/// Runs programs and posts webhooks.
struct HookSender: HookDeliverer {
    /// The largest body that is sent.
    static let mostBytes = 4 << 20

    let client: WebhookClient
    let database: String
    /// Read for each try, so that a new secret counts at once.
    let secret: @Sendable (_ hook: String, _ file: String?) throws -> Secret
    var policy: @Sendable (_ isHostAllowed: Bool) -> URLPolicy = {
        URLPolicy(allowsLoopback: false, allowsAllAddresses: $0, subject: "the hook's URL")
    }

    func deliver(
        _ delivery: HookDelivery,
        id: String,
        _ subject: JSONObject,
        to hook: Hook,
        now: Instant
    ) async throws -> HookCommand.End {
        switch hook.action {
        case .command(let words):
            let command = HookCommand(
                words: words,
                environment: environment(delivery, id: id),
                timeout: hook.timeout
            )
            return try await command.run(Array((JSONValue.object(subject).json + "\n").utf8))
        case .webhook(let webhook):
            let body: JSONObject = [
                "type": .string(delivery.event.rawValue), "timestamp": JSONValue(delivery.at), "data": .object(subject),
            ]
            let bytes = Array(JSONValue.object(body).json.utf8)
            guard bytes.count <= Self.mostBytes else {
                return HookCommand.End(outcome: .refused("it has more than \(Self.mostBytes) bytes"), output: "")
            }
            let outcome = try await post(bytes, id: id, webhook, hook, now)
            return HookCommand.End(outcome: outcome, output: "")
        }
    }

    /// Nothing of promptd's own: it may hold the API key.
    private func environment(_ delivery: HookDelivery, id: String) -> [String: String] {
        var environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "PROMPTD_DATABASE": database, "PROMPTD_HOOK": delivery.hook,
            "PROMPTD_EVENT": delivery.event.rawValue, "PROMPTD_DELIVERY": id,
        ]
        if let job = delivery.job { environment["PROMPTD_JOB"] = "\(job)" }
        return environment
    }

    private func post(
        _ body: [UInt8],
        id: String,
        _ webhook: Hook.Webhook,
        _ hook: Hook,
        _ now: Instant
    ) async throws -> HookOutcome {
        do {
            guard let signer = WebhookSigner(try secret(hook.name, webhook.secretFile)) else {
                return .failed("its secret is not whsec_ and 24 to 64 bytes in base64")
            }
            let addresses = try await policy(webhook.isHostAllowed).addresses(for: webhook.url)
            let status = try await client.post(
                body,
                to: webhook.url,
                at: addresses,
                headers: signer.headers(id: id, at: now, body: body),
                within: hook.timeout
            )
            switch status {
            case 200..<300: return .delivered
            case 410: return .refused("the receiver answered 410: it wants no more of these")
            case 300..<400: return .failed("the receiver answered \(status): redirects are not followed")
            default: return .failed("the receiver answered \(status)")
            }
        } catch let refusal as URLPolicy.Refusal {
            return .failed(refusal.reason)
        } catch let error as ConfigurationError {
            return .failed(error.description)
        } catch {
            try Task.checkCancellation()
            return .failed(WebhookClient.describe(error))
        }
    }
}
