import PromptQueue

/// What proves that `createTask` made no task: nothing else does.
///
/// A row needs the HTTP status, the JSON's `code` and its text together. Whatever is not here, a gateway's page, a code that
/// nobody has documented, a text that may come from behind the API, leaves it open whether there is a task that is paid
/// for. The sources are the API's documentation and recorded answers; for answers that are not the API's own, RFC 9110.
enum Refusals {
    /// The API's own answers. Each is believed at HTTP 200, where the API puts its errors, and at the HTTP status that
    /// equals its code.
    static func ofAPI(_ answer: Answer, code: Int) -> FailureCode? {
        guard answer.httpStatus == 200 || answer.httpStatus == code else { return nil }
        // An answer that refuses holds no data.
        switch answer.data {
        case nil, .object([:])?: break
        default: return nil
        }
        guard !ProviderMessages.speaksOfTransport(answer.message) else { return nil }
        return AnswerCode.known[code]?.refusal(answer.message)
    }

    /// Answers that are not the API's JSON: a content delivery network's, a proxy's, a web server's. Their status says by
    /// its definition (RFC 9110 by section, RFC 6585) that the request was not carried out.
    static func ofOthers(_ answer: Answer) -> FailureCode? {
        switch answer.httpStatus {
        // 15.5.2: "has not been applied because it lacks valid authentication credentials".
        case 401: .keyRefused
        // Seen: the plain text "error code: 1010" of the content delivery network, which has passed nothing on. 15.5.4:
        // "refuses to fulfill it".
        case 403: .keyRefused
        // 15.5.5, 15.5.6, 15.5.8: there is nothing at this address, not for this method, not through this proxy.
        case 404, 405, 407: .providerUnavailable
        // 15.5.12, 15.5.14, 15.5.15, 15.5.16, 15.5.20 and RFC 6585, 5: refused for its form.
        case 411, 413, 414, 415, 421, 431: .providerUnavailable
        // RFC 6585, 4.
        case 429: .rateLimited
        // 15.4.2, 15.4.8, 15.4.9: to be sent elsewhere, which is not done. After 302 and 303 it may have been carried out.
        case 301, 307, 308: .providerUnavailable
        default: nil
        }
    }
}
