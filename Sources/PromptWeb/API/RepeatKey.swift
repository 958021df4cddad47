import Crypto
import HTTPTypes
import Hummingbird
import PromptQueue

/// What a program sends once more with a request whose answer it did not get: the header `Idempotency-Key`
/// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
struct RepeatKey: Sendable {
    static let header = HTTPField.Name("Idempotency-Key")
    private static let longest = 200

    private let digest: String

    /// Nil without the header.
    ///
    /// - Throws: `PageProblem` for what is none.
    init?(_ request: Request) throws(PageProblem) {
        guard let name = Self.header else { return nil }
        let values = request.headers[values: name]
        guard !values.isEmpty else { return nil }
        guard values.count == 1, (1...Self.longest).contains(values[0].utf8.count),
            values[0].utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw .badRequest("Idempotency-Key: takes 1 to \(Self.longest) visible ASCII characters, without spaces")
        }
        digest = Hex.text(SHA256.hash(data: Array(values[0].utf8)).prefix(16))
    }

    /// The unique key of a job that has none of its own.
    func uniqueKey(_ index: Int) -> String { "api-\(digest)-\(index + 1)" }
}
