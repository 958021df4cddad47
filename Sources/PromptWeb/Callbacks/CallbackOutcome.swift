package import HTTPTypes

/// What became of a request to the callback listener. The raw value is the label of the metric.
package enum CallbackOutcome: String, Sendable, Hashable, CaseIterable {
    /// promptd asks the provider about the task now.
    case accepted
    /// The attempt is settled already: there is nothing to ask.
    case duplicate
    /// It names a task for an attempt that is settled as refused.
    case contradicted
    /// No attempt of this ledger has the token.
    case unknownToken = "unknown_token"
    case badSignature = "bad_signature"
    /// Signed correctly, but more than five minutes away from this machine's time.
    case stale
    /// The body is not a JSON object, or names no task where the signature needs one.
    case malformed
    case tooLarge = "too_large"
    /// The body did not arrive in time.
    case slow
    case wrongMethod = "wrong_method"
    /// Another path, or a token of another form.
    case notFound = "not_found"
    /// The daemon is starting or stopping, or its database does not answer; the provider tries again later.
    case unavailable

    package var status: HTTPResponse.Status {
        switch self {
        case .accepted, .duplicate, .contradicted: .ok
        case .unknownToken, .notFound: .notFound
        case .badSignature, .stale: .unauthorized
        case .malformed: .badRequest
        case .tooLarge: .contentTooLarge
        case .slow: .requestTimeout
        case .wrongMethod: .methodNotAllowed
        case .unavailable: .serviceUnavailable
        }
    }

    /// The answer's body. An unknown token reads like an unknown path.
    package var text: String {
        switch self {
        case .accepted, .duplicate, .contradicted: "ok"
        case .unknownToken, .notFound: "not found"
        case .badSignature: "bad signature"
        case .stale: "timestamp too far away"
        case .malformed: "malformed body"
        case .tooLarge: "body too large"
        case .slow: "body too slow"
        case .wrongMethod: "only POST"
        case .unavailable: "try again later"
        }
    }

    /// What to tell an operator; nil where all is well.
    var complaint: String? {
        switch self {
        case .accepted, .duplicate: nil
        case .contradicted:
            "it names a task for a request that counts as refused; if there is one it was charged: see account_status"
        case .unknownToken: "its token belongs to no attempt in this database"
        case .badSignature: "its signature is missing or wrong; is the key here the one at the provider?"
        case .stale: "it was signed more than five minutes ago or ahead; is this machine's clock right?"
        case .malformed: "its body is not understood"
        case .tooLarge: "its body is too large"
        case .slow: "its body came too slowly"
        case .wrongMethod: "it is not a POST"
        case .notFound: "there is nothing at its path; does the proxy pass /callbacks/kie/ on unchanged?"
        case .unavailable: "promptd was not able to look it up; the provider tries again"
        }
    }
}
