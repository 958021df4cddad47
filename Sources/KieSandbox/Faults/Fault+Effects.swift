extension Fault {
    /// What `createTask` answers instead of making a task.
    var answerInsteadOfTask: SandboxAnswer? {
        switch self {
        case .accessDenied: .accessDenied
        case .unauthorized: .unauthorized
        case .blockedByCDN: .blockedByCDN
        case .creditsInsufficient: .creditsInsufficient
        case .creditsInsufficientAsServerError: .error(500, SandboxAnswer.creditsMessage)
        case .notFound: .notFound
        case .upstreamTimeout: .error(408, "The upstream service has not returned a result for 10 minutes")
        case .invalidInput: .fieldRequired
        case .tooManyRequests: .tooManyRequests
        case .tooManyRequestsAsStatus: .error(429, SandboxAnswer.tooManyMessage, status: 429)
        case .subKeyLimit: .error(433, "Sub-key Usage Exceeds Limit")
        case .inputUnreachable: .error(451, "Failed to fetch the file. Please check that the link can be accessed.")
        case .maintenance: .maintenance
        case .serverException: .serverException
        case .generationFailed: .error(501, "Generation failed")
        case .featureDisabled: .error(505, "This feature is currently disabled")
        case .gateway: .gateway(502, "Bad Gateway")
        case .gatewayEmpty: SandboxAnswer(status: 503, body: .html(""))
        case .lostBefore: .lost
        default: nil
        }
    }

    /// What the task results in instead of what was ordered.
    var result: SandboxTask.Result? {
        switch self {
        case .fail, .failCharged: .failure(code: "500", message: "Internal Error, Please try again later.")
        case .failContent:
            .failure(code: "400", message: "Your prompt was flagged by Website as violating content policies.")
        case .failInput: .failure(code: "451", message: "resource download failed")
        case .failAnswer501: .answeredFailure(code: 501, message: "Generation failed")
        case .failAnswer408:
            .answeredFailure(code: 408, message: "The upstream service has not returned a result for 10 minutes")
        case .noResult: .nothing
        default: nil
        }
    }

    /// What `recordInfo` answers instead of the record.
    var answerInsteadOfRecord: SandboxAnswer? {
        switch self {
        case .pollTooMany: .tooManyRequests
        case .pollNotFound: .error(404, "Task not found")
        case .pollMaintenance: .maintenance
        case .pollServerException: .serverException
        case .pollGateway: .gateway(502, "Bad Gateway")
        case .pollLost: .lost
        case .pollBroken: .broken
        default: nil
        }
    }
}
