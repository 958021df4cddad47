/// What the provider's messages mean: the one place where its texts are matched, because nothing else tells.
enum ProviderMessages {
    /// Code 500 is a permanent error when it speaks of a field of the input, and a fault of the server otherwise.
    static func speaksOfInput(_ message: String) -> Bool {
        contains(
            message,
            [
                "is required", "not within the range", "is invalid", "must be", "cannot be empty", "can not be empty",
                "not supported", "exceeds", "too long", "too short", "maximum length", "characters",
            ]
        )
    }

    /// Whether an answer tells that somebody behind the API lost patience: what became of the request is open.
    static func isTimeOut(_ code: Int, _ message: String) -> Bool {
        switch code {
        // As gateways use them; 52x are a content delivery network's.
        case 502, 504, 520...524, 598, 599: true
        case 500, 503: contains(message, ["timeout", "timed out", "time out"])
        default: false
        }
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
