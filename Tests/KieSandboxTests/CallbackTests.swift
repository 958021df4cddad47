import KieSandbox
import PromptQueue
import Testing

struct CallbackTests {
    /// The callback of a task made with `faults`, once it has ended.
    private func callback(_ faults: String..., key: String? = "secret") throws -> CallbackRequest {
        var fixture = ProviderFixture { $0.hmacKey = key }
        for fault in faults { fixture.strike(fault) }
        _ = fixture.task(callback: "http://127.0.0.1:9/kie")
        let callbacks = fixture.provider.takeCallbacks()
        let scheduled = try #require(callbacks.first)
        #expect(scheduled.at == fixture.now + .seconds(3))
        let request = fixture.provider.callback(for: scheduled.id, now: scheduled.at)
        return try #require(request)
    }

    @Test func `the signature covers the task and the time`() {
        // python3: base64.b64encode(hmac.new(b"secret", b"abc123.1777539190", "sha256").digest())
        let signature = WebhookSignature(taskID: TaskID("abc123"), seconds: 1_777_539_190, key: "secret")
        #expect(signature.text == "nhvwQI0d/hWSnV8HxYYmadxaCCp7WHIe8UHOA6lB7no=")
    }

    @Test func `a callback is signed and tells the whole record`() throws {
        let request = try callback()
        #expect(request.url == "http://127.0.0.1:9/kie")
        #expect(request.copies == 1)
        #expect(request.headers["X-Webhook-Timestamp"] == "1777539193")
        let expected = WebhookSignature(taskID: request.id, seconds: 1_777_539_193, key: "secret")
        #expect(request.headers["X-Webhook-Signature"] == expected.text)
        let body = try JSONValue(parsing: request.body)
        #expect(body["code"] == 200)
        #expect(body["msg"] == "Playground task completed successfully.")
        #expect(body["data"]["taskId"].stringValue == request.id.rawValue)
        #expect(body["data"]["state"] == "success")
        #expect(body["data"]["updateTime"] == 1_777_539_193_339)
        #expect(body["data"]["creditsConsumed"].doubleValue == 14)
    }

    @Test func `a failure calls back with code 501`() throws {
        let body = try JSONValue(parsing: callback("fail").body)
        #expect(body["code"] == 501)
        #expect(body["msg"] == "Playground task failed.")
        #expect(body["data"]["failCode"] == "500")
        #expect(body["data"]["creditsConsumed"].doubleValue == 0)
    }

    @Test func `without a key there is no signature`() throws {
        #expect(try callback(key: nil).headers.isEmpty)
    }

    @Test func `a callback can be forged, sent twice or of the older form`() throws {
        let forged = try callback("callback-forged")
        let right = WebhookSignature(taskID: forged.id, seconds: 1_777_539_193, key: "secret")
        #expect(forged.headers["X-Webhook-Signature"] != right.text)
        #expect(try callback("callback-twice").copies == 2)
        let stale = try callback("callback-stale")
        #expect(stale.headers["X-Webhook-Timestamp"] == "1777538593")
        let old = WebhookSignature(taskID: stale.id, seconds: 1_777_538_593, key: "secret")
        #expect(stale.headers["X-Webhook-Signature"] == old.text)
        let data = try JSONValue(parsing: callback("callback-old-form").body)["data"]
        #expect(data["taskId"] == .null)
        #expect(data["task_id"] != .null)
        #expect(data["consumeCredits"].doubleValue == 14)
        #expect(data["remainedCredits"].doubleValue == 986)
    }

    @Test func `a callback can get lost, and a task without one has none`() {
        var fixture = ProviderFixture()
        fixture.strike("callback-lost")
        _ = fixture.task(callback: "http://127.0.0.1:9/kie")
        _ = fixture.task()
        #expect(fixture.provider.takeCallbacks() == [])
    }
}
