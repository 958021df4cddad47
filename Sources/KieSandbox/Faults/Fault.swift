/// Something that goes wrong on demand. The raw value is its name on the command line and in `/sandbox/faults`.
package enum Fault: String, Sendable, Hashable, CaseIterable {
    // The way to createTask.
    case held

    // createTask: an error is answered and no task is made.
    case accessDenied = "401"
    case unauthorized = "http-401"
    case blockedByCDN = "cdn-403"
    case creditsInsufficient = "402"
    case creditsInsufficientAsServerError = "402-as-500"
    case notFound = "404"
    case upstreamTimeout = "408"
    case invalidInput = "422"
    case tooManyRequests = "429"
    case tooManyRequestsAsStatus = "http-429"
    case subKeyLimit = "433"
    case inputUnreachable = "451"
    case maintenance = "455"
    case serverException = "500"
    case generationFailed = "501"
    case featureDisabled = "505"
    case gateway = "gateway"
    case gatewayEmpty = "gateway-empty"
    case lostBefore = "lost-before"

    // createTask: the task is made, but the answer does not say so.
    case lost
    case cutBody = "cut-body"
    case brokenBody = "broken-body"
    case gatewayMade = "gateway-made"

    // createTask: the task is made, and the answer is odd.
    case slow
    case documentedForm = "documented-form"

    // What becomes of a task.
    case fail
    case failContent = "fail-content"
    case failInput = "fail-input"
    case failCharged = "fail-charged"
    case failAnswer501 = "fail-501"
    case failAnswer408 = "fail-408"
    case noResult = "no-result"
    case invisible
    case slowTask = "slow-task"
    case stuck
    case oddState = "odd-state"
    case creditsUnreported = "credits-unreported"

    // recordInfo.
    case pollTooMany = "poll-429"
    case pollNotFound = "poll-404"
    case pollMaintenance = "poll-455"
    case pollServerException = "poll-500"
    case pollGateway = "poll-gateway"
    case pollLost = "poll-lost"
    case pollBroken = "poll-broken"
    case pollSlow = "poll-slow"

    // Result files.
    case mediaNotFound = "media-404"
    case mediaServerError = "media-500"
    case mediaStall = "media-stall"
    case mediaCut = "media-cut"
    case mediaWithoutRanges = "media-no-ranges"

    // Uploads.
    case uploadServerError = "upload-502"
    case uploadTooMany = "upload-429"
    case uploadLost = "upload-lost"

    // The balance.
    case creditServerException = "credit-500"

    // Callbacks.
    case callbackLost = "callback-lost"
    case callbackTwice = "callback-twice"
    case callbackForged = "callback-forged"
    case callbackStale = "callback-stale"
    case callbackOldForm = "callback-old-form"
}

extension Fault {
    /// Where a fault strikes. Each stage draws from its own chances and has its own list of what comes next.
    package enum Stage: String, Sendable, Hashable, CaseIterable {
        case front
        case createTask
        case task
        case recordInfo
        case media
        case upload
        case credit
        case callback
    }

    /// Where this fault strikes.
    package var stage: Stage {
        switch self {
        case .held: .front
        case .fail, .failContent, .failInput, .failCharged, .failAnswer501, .failAnswer408, .noResult, .invisible,
            .slowTask, .stuck, .oddState, .creditsUnreported:
            .task
        case .pollTooMany, .pollNotFound, .pollMaintenance, .pollServerException, .pollGateway, .pollLost,
            .pollBroken, .pollSlow:
            .recordInfo
        case .mediaNotFound, .mediaServerError, .mediaStall, .mediaCut, .mediaWithoutRanges: .media
        case .uploadServerError, .uploadTooMany, .uploadLost: .upload
        case .creditServerException: .credit
        case .callbackLost, .callbackTwice, .callbackForged, .callbackStale, .callbackOldForm: .callback
        default: .createTask
        }
    }
}
