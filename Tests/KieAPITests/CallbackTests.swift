import FoundationEssentials
import KieAPI
import PromptQueue
import Testing

@Suite struct CallbackTests {
    private let now = Instant(milliseconds: 1_777_539_190_339)
    private let task = TaskID("abc123")
    /// python3: base64.b64encode(hmac.new(b"secret", b"abc123.1777539190", "sha256").digest())
    private let signature = "nhvwQI0d/hWSnV8HxYYmadxaCCp7WHIe8UHOA6lB7no="

    private func verdict(
        key: String? = "secret",
        task: String = "abc123",
        timestamp: String? = "1777539190",
        signature: String?,
        later: Duration = .zero
    ) -> CallbackVerifier.Verdict {
        CallbackVerifier(key: key.map(Secret.init))
            .verdict(task: TaskID(task), timestamp: timestamp, signature: signature, now: now + later)
    }

    @Test func `a right signature is admitted for five minutes, whichever clock is ahead`() {
        #expect(verdict(signature: signature) == .admitted)
        #expect(verdict(signature: signature, later: .seconds(299)) == .admitted)
        #expect(verdict(signature: signature, later: .seconds(301)) == .stale)
        #expect(verdict(signature: signature, later: .seconds(-300)) == .admitted)
        #expect(verdict(signature: signature, later: .seconds(-302)) == .stale)
    }

    @Test func `anything else is refused`() {
        #expect(verdict(key: "other", signature: signature) == .badSignature)
        #expect(verdict(task: "abc124", signature: signature) == .badSignature)
        #expect(verdict(timestamp: "1777539191", signature: signature) == .badSignature)
        #expect(verdict(timestamp: nil, signature: signature) == .badSignature)
        #expect(verdict(timestamp: "", signature: signature) == .badSignature)
        #expect(verdict(timestamp: "+1777539190", signature: signature) == .badSignature)
        #expect(verdict(timestamp: "9999999999999999999999", signature: signature) == .badSignature)
        #expect(verdict(signature: nil) == .badSignature)
        #expect(verdict(signature: "") == .badSignature)
        #expect(verdict(signature: "not base64!") == .badSignature)
        #expect(verdict(signature: String(signature.dropLast(4))) == .badSignature)
    }

    @Test func `without a key everything is admitted, and a key counts from the moment it is there`() {
        let verifier = CallbackVerifier(key: nil)
        #expect(!verifier.hasKey)
        #expect(verifier.verdict(task: task, timestamp: nil, signature: nil, now: now) == .admitted)
        verifier.replaceKey(Secret("secret"))
        #expect(verifier.hasKey)
        #expect(verifier.verdict(task: task, timestamp: nil, signature: nil, now: now) == .badSignature)
    }

    static let bodies: [(String, String?)] = [
        (#"{"code":200,"data":{"taskId":"abc","state":"success"}}"#, "abc"),
        (#"{"code":200,"data":{"task_id":"old"}}"#, "old"),
        (#"{"data":{"taskId":null,"task_id":"old"}}"#, "old"),
        (#"{"data":{"taskId":"abc","task_id":"old"}}"#, "abc"),
        (#"{"data":{"taskId":7}}"#, nil),
        (#"{"data":{"taskId":""}}"#, nil),
        (#"{"data":{"taskId":"a b"}}"#, nil),
        (#"{"data":{"taskId":"a\nb"}}"#, nil),
        (#"{"data":{}}"#, nil),
        (#"{"data":"abc"}"#, nil),
        ("{}", nil),
    ]

    @Test(arguments: bodies)
    func `the task is read from either form`(body: String, task: String?) throws {
        let read = try #require(CallbackBody(Data(body.utf8)))
        #expect(read.task == task.map(TaskID.init))
    }

    @Test func `an endless task id is none`() throws {
        let body = #"{"data":{"taskId":"\#(String(repeating: "a", count: 201))"}}"#
        #expect(try #require(CallbackBody(Data(body.utf8))).task == nil)
    }

    @Test(arguments: ["", "ok", "[]", "7", "null", #"{"data":{"taskId":"abc""#, "\u{0}"])
    func `what is no object is no callback`(body: String) {
        #expect(CallbackBody(Data(body.utf8)) == nil)
    }

    @Test(arguments: ["[", #"{"data":"#, #"{"x":["#])
    func `a body nested as deep as it may be long does no harm`(opening: String) {
        let body = String(repeating: opening, count: 256 * 1_024 / opening.utf8.count)
        #expect(CallbackBody(Data(body.utf8)) == nil)
    }
}
