import PromptQueue
import Testing

/// URLs are read where they come in; what nobody can connect to is none.
struct WebURLTests {
    static let taken: [(String, WebURL.Scheme, String, Int?)] = [
        ("https://api.kie.ai", .https, "api.kie.ai", nil), ("HTTP://Example.ORG:80/x?y#z", .http, "example.org", 80),
        ("https://[::1]:65535/", .https, "::1", 65_535), ("https://[2001:db8::1]/x", .https, "2001:db8::1", nil),
        ("https://a.example:1", .https, "a.example", 1), ("https://a.example/x:99999", .https, "a.example", nil),
        ("https://a.example/bücher", .https, "a.example", nil),
    ]

    @Test(arguments: taken)
    func `a URL is read`(text: String, scheme: WebURL.Scheme, host: String, port: Int?) throws {
        let url = try #require(WebURL(text))
        #expect(url.scheme == scheme)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.text == text)
    }

    @Test(arguments: [
        "", "x", "//a.example", "ftp://a.example", "https://", "https:///x", "https://a.example:0",
        "https://a.example:65536",
        "https://a.example:99999", "https://a.example:4294967376", "https://a.example:18446744073709551617",
        "https://a.example:", "https://a.example:-1", "https://a.example:8a", "https://a.example:٣",
        "https://[::1]:99999",
        "https://[::1", "https://u@a.example", "https://u:p@a.example", "https://a%2eexample",
        "https://[fe80::1%25eth0]",
        "https://a.example\u{0}", "https://a.example/\r\nX: y", "https://a.example\\@b.example",
        "https://a.example/" + String(repeating: "x", count: 8_192),
    ])
    func `what is no such URL is none`(text: String) {
        #expect(WebURL(text) == nil)
    }
}
