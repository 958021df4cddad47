import FoundationEssentials
import KieSandbox
import PromptQueue
import Testing

/// The host that files are uploaded to.
struct UploadTests {
    private func multipart(_ content: String, path: String = "photos", name: String = "fox.png") -> String {
        [
            "--x", #"Content-Disposition: form-data; name="file"; filename="\#(name)""#, "Content-Type: image/png", "",
            content, "--x", #"Content-Disposition: form-data; name="uploadPath""#, "", path, "--x--", "",
        ].joined(separator: "\r\n")
    }

    private func send(_ fixture: inout ProviderFixture, _ body: String, key: String? = "sandbox-key") -> SandboxAnswer {
        let request = SandboxRequest(
            method: "POST",
            path: "/api/file-stream-upload",
            authorization: key.map { "Bearer \($0)" },
            userAgent: "promptd-tests/1",
            contentType: "multipart/form-data; boundary=x",
            body: Data(body.utf8)
        )
        return fixture.provider.answer(to: request, now: fixture.now)
    }

    @Test func `a file gets a URL, costs nothing, and is gone after its time`() throws {
        var fixture = ProviderFixture { $0.uploadsKept = .seconds(60) }
        let before = fixture.balance
        let data = send(&fixture, multipart("a\r\n--b")).json["data"]
        #expect(data["fileSize"] == 6)
        #expect(data["mimeType"] == "image/png")
        let url = try #require(data["downloadUrl"].stringValue)
        let path = String(url.dropFirst("http://127.0.0.1".count))
        #expect(path == "/uploads/photos/fox.png")
        guard case .upload(let upload) = fixture.send("GET", path, key: nil).body else {
            Issue.record("no file")
            return
        }
        #expect(upload.content == Array("a\r\n--b".utf8))
        #expect(fixture.balance == before)
        fixture.wait(.seconds(60))
        #expect(fixture.send("GET", path, key: nil).status == 404)
    }

    @Test func `a task takes what is there, and nothing is charged for what is not`() throws {
        var fixture = ProviderFixture { $0.uploadsKept = .seconds(60) }
        let model = "flux-2/flex-image-to-image"
        func create(_ fixture: inout ProviderFixture, _ url: String) -> SandboxAnswer {
            let input: JSONObject = ["input_urls": .array([.string(url)]), "aspect_ratio": "1:1", "resolution": "1K"]
            return fixture.create(input: input, model: model)
        }
        let url = try #require(send(&fixture, multipart("x")).json["data"]["downloadUrl"].stringValue)
        #expect(create(&fixture, url).code == 200)
        #expect(create(&fixture, "https://example.org/fox.png").code == 200)
        let balance = fixture.balance
        #expect(create(&fixture, url + "x").code == 451)
        fixture.wait(.seconds(60))
        #expect(create(&fixture, url).code == 451)
        #expect(fixture.balance == balance)
    }

    @Test func `a result is no longer there after its time`() {
        var fixture = ProviderFixture { $0.resultsKept = .seconds(60) }
        let id = fixture.task()
        fixture.wait(.seconds(30))
        #expect(fixture.send("GET", "/media/\(id)/0.png").status == 200)
        fixture.wait(.seconds(60))
        #expect(fixture.send("GET", "/media/\(id)/0.png").status == 404)
    }

    @Test(arguments: ["", "--x--", "--y\r\n", "--x\r\nno end"])
    func `a body that is no form is refused`(body: String) {
        var fixture = ProviderFixture()
        #expect(send(&fixture, body).code == 400)
    }

    @Test func `Base64 and URLs do as well, and no key does not`() {
        var fixture = ProviderFixture()
        #expect(send(&fixture, multipart("x"), key: "wrong").status == 401)
        let base64 = #"{"base64Data":"data:image/png;base64,Zm94","uploadPath":"p","fileName":"a b.png"}"#
        let data = fixture.send("POST", "/api/file-base64-upload", body: base64).json["data"]
        #expect(data["filePath"] == "p/a_b.png")
        #expect(data["fileSize"] == 3)
        let url = #"{"fileUrl":"http://127.0.0.1/uploads/p/a_b.png","uploadPath":"q","fileName":"b.png"}"#
        #expect(fixture.send("POST", "/api/file-url-upload", body: url).json["data"]["fileSize"] == 3)
    }

    @Test func `uploads can fail on demand`() {
        var fixture = ProviderFixture()
        fixture.strike("upload-502", "upload-429", "upload-lost")
        let answers = (0..<4).map { _ in send(&fixture, multipart("x")) }
        #expect(answers.map(\.label) == ["http-502", "429", "lost", "200"])
    }
}
