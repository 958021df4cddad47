import KieSandbox
import PromptQueue
import Testing

struct MediaTests {
    @Test(
        arguments: [
            ("1:1", "1K", 1_024, 1_024), ("16:9", "1K", 1_024, 576), ("9:16", "1K", 576, 1_024),
            ("4:3", "1K", 1_024, 768), ("2:3", "1K", 682, 1_024), ("1:1", "2K", 2_048, 2_048),
            ("16:9", "2K", 2_048, 1_152),
        ]
    )
    func `a result is an image of the size asked for`(
        ratio: String,
        resolution: String,
        width: Int,
        height: Int
    ) throws {
        var fixture = ProviderFixture()
        let input: JSONObject = ["aspect_ratio": .string(ratio), "resolution": .string(resolution)]
        let id = try #require(fixture.create(input: input).json["data"]["taskId"].stringValue)
        fixture.wait(.seconds(3))
        let answer = fixture.send("GET", "/media/\(id)/0.png", key: nil)
        #expect(answer.status == 200)
        guard case .media(let media, let ordinal) = answer.body else {
            Issue.record("no file")
            return
        }
        #expect(media.contentType == "image/png")
        let header = media.file(ordinal)[16..<24]
        #expect(DecodedPNG.number(header.prefix(4)) == width)
        #expect(DecodedPNG.number(header.suffix(4)) == height)
    }

    @Test(arguments: [(320, 200), (200, 321), (1, 1), (1_024, 3)])
    func `a picture of any size is whole`(width: Int, height: Int) throws {
        let image = try DecodedPNG(Landscape(width: width, height: height, seed: 1).png().encoded())
        #expect(image.width == width)
        #expect(image.height == height)
        #expect(image.pixels.count == width * height)
        #expect(Set(image.pixels).count > 8 || height < 9)
    }

    @Test func `equal prompts give equal pictures and different ones do not`() {
        func picture(_ prompt: String) -> [UInt8] {
            Landscape(width: 256, height: 256, seed: prompt.fnv1a).png().encoded()
        }
        #expect(picture("a fox") == picture("a fox"))
        #expect(picture("a fox") != picture("a heron"))
    }

    @Test func `runs of every length survive the compression`() throws {
        let lengths = Array(1...300) + [515, 516, 517, 774, 1_000]
        let width = lengths.reduce(0, +)
        let runs = lengths.enumerated().map { PNG.Run(color: UInt8($0 % 256), length: $1) }
        let palette = (0..<256).map { PNG.Color(red: UInt8($0), green: 0, blue: 255 - UInt8($0)) }
        let image = try DecodedPNG(
            PNG(width: width, palette: palette, bands: [PNG.Band(runs: runs, rows: 3)]).encoded()
        )
        let row = runs.flatMap { Array(repeating: $0.color, count: $0.length) }
        #expect(image.pixels == row + row + row)
    }

    @Test func `a file exists only once its task has succeeded`() {
        var fixture = ProviderFixture()
        let id = fixture.task()
        #expect(fixture.send("GET", "/media/\(id)/0.png").status == 404)
        fixture.wait(.seconds(3))
        #expect(fixture.send("GET", "/media/\(id)/0.png").status == 200)
        #expect(fixture.send("GET", "/media/\(id)/1.png").status == 404)
        #expect(fixture.send("GET", "/media/\(id)").status == 404)
        #expect(fixture.send("GET", "/media/\(id)/../0.png").status == 404)
    }

    @Test func `a file can be missing, stalled, cut or in trouble`() {
        var fixture = ProviderFixture()
        let id = fixture.task()
        fixture.wait(.seconds(3))
        fixture.strike("media-404", "media-500", "media-stall", "media-cut")
        let answers = (0..<5).map { _ in fixture.send("GET", "/media/\(id)/0.png") }
        #expect(answers.map(\.status) == [404, 500, 200, 200, 200])
        #expect(answers.map(\.delivery) == [.whole, .whole, .stalled, .cut, .whole])
        #expect(fixture.get("/sandbox/stats")["media"] == .object(["requests": 5, "served": 1, "parts": 0]))
    }

    @Test func `a download URL is good for twenty minutes`() throws {
        var fixture = ProviderFixture()
        let id = fixture.task()
        fixture.wait(.seconds(3))
        let body = #"{"url":"http://127.0.0.1/media/\#(id)/0.png"}"#
        let answer = fixture.send("POST", "/api/v1/common/download-url", body: body)
        let url = try #require(answer.json["data"].stringValue)
        let expiry = try #require(url.split(separator: "=").last.map(String.init))
        func status() -> Int {
            fixture.send("GET", "/media/\(id)/0.png", query: ["expires": expiry]).status
        }
        fixture.wait(.milliseconds(20 * 60_000 - 1))
        #expect(status() == 200)
        fixture.wait(.milliseconds(1))
        #expect(status() == 403)
    }

    @Test(arguments: ["https://example.com/a.png", "http://127.0.0.1/media/x/0.png", "http://127.0.0.1"])
    func `a foreign URL is wrong`(url: String) {
        var fixture = ProviderFixture()
        let answer = fixture.send("POST", "/api/v1/common/download-url", body: #"{"url":"\#(url)"}"#)
        #expect(answer.status == 200)
        #expect(answer.text == #"{"code":422,"msg":"url is wrong","data":null}"#)
    }

    @Test func `sound is a second of WAVE`() {
        let file = WAVE(seed: 1).encoded()
        #expect(file.prefix(4).elementsEqual("RIFF".utf8))
        #expect(file[8..<16].elementsEqual("WAVEfmt ".utf8))
        #expect(file.count == 44 + 8_000)
        #expect(file != WAVE(seed: 2).encoded())
    }

    @Test func `film is a second of AVI`() {
        let file = AVI(seed: 1).encoded()
        #expect(file.prefix(4).elementsEqual("RIFF".utf8))
        #expect(file[8..<12].elementsEqual("AVI ".utf8))
        let size = file[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(file.count == size + 8)
    }
}
