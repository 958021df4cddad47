import PromptQueue
import Testing

/// Texts that stand for files of this machine.
@Suite struct LocalFileReferenceTests {
    @Test(arguments: [
        ("file:///srv/fox.png", "/srv/fox.png"), ("file:///srv/a%20fox%2e.png", "/srv/a fox..png"),
        ("file:///srv/50%", "/srv/50%"), ("file:///srv/%+A%zz%4", "/srv/%+A%zz%4"), ("file:///srv/%C3%A4", "/srv/ä"),
    ])
    func `a file URL is a path, with its escapes read`(text: String, path: String) {
        #expect(LocalFileReference(text) == .path(path))
    }

    @Test(arguments: [
        "", "file:", "file:///", "file://host/x.png", "FILE:///x", "upload:", "upload:abc.png", "result:1/0", "job:1",
        "upload:" + String(repeating: "AB", count: 32) + ".png", "upload:" + String(repeating: "ab", count: 32),
        "upload:" + String(repeating: "ab", count: 32) + ".", "upload:" + String(repeating: "ab", count: 32) + ".../x",
        "upload:" + String(repeating: "ab", count: 32) + ".extension",
    ])
    func `other texts are none`(text: String) {
        #expect(!LocalFileReference.isOne(text))
    }
}
