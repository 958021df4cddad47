/// What the provider's messages mean: the one place where its texts are matched, because nothing else tells.
enum ProviderMessages {
    /// Whether a field of the input is missing or out of range: seen under code 500.
    static func refusesField(_ message: String) -> Bool {
        contains(message, ["is required", "is not within the range of allowed options"])
    }

    /// The API's own fault, seen word for word.
    static func isServerException(_ message: String) -> Bool {
        contains(message, ["server exception, please try again later"])
    }

    /// Whether a text may come from something behind the API that lost a connection or patience: what became of the request
    /// is open then, whatever else the answer says.
    static func speaksOfTransport(_ message: String) -> Bool {
        contains(
            message,
            [
                "timeout", "timed out", "time out", "upstream", "gateway", "deadline", "connection", "reset by",
                "disconnect", "broken pipe", "socket", "eof",
            ]
        )
    }

    static func speaksOfCredits(_ message: String) -> Bool {
        contains(message, ["credits insufficient", "insufficient credits", "top up"])
    }

    static func speaksOfModel(_ message: String) -> Bool {
        contains(message, ["model name you specified", "model is not supported"])
    }

    static func refusesContent(_ message: String) -> Bool {
        contains(
            message,
            [
                "sensitive", "content polic", "may contain real person", "nsfw", "violat", "flagged", "prohibited",
                "moderation",
            ]
        )
    }

    static func cannotUseInput(_ message: String) -> Bool {
        contains(
            message,
            ["resource download failed", "download failed", "file type", "unsupported file", "failed to download"]
        )
    }

    static func isPassingFault(_ message: String) -> Bool {
        contains(message, ["internal error", "try again later", "server exception", "timeout", "timed out"])
    }

    private static func contains(_ message: String, _ needles: [String]) -> Bool {
        let text = message.lowercased()
        return needles.contains { text.contains($0) }
    }
}
