import PromptQueue

/// How to reach the provider.
package struct KieSettings: Sendable {
    /// Without a slash at its end: `https://api.kie.ai`.
    package var baseURL: String
    package var connectTimeout: Duration = .seconds(10)
    /// From the request to the end of its answer.
    package var answerTimeout: Duration = .seconds(30)
    /// For questions about tasks: they are free and asked again soon, so one that hangs is given up earlier.
    package var questionTimeout: Duration = .seconds(10)
    package var maximumBodyBytes = 4 << 20
    /// A bare library name is refused by the provider's CDN.
    package var userAgent = "promptd/\(Version.current) (prompt queue daemon)"

    package init(baseURL: String) {
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
    }
}
