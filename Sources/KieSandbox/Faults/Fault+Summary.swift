extension Fault {
    /// What the fault does, in a line.
    package var summary: String {
        switch self {
        case .held: "connection cut without an answer; the request arrives after --held, and is charged then"
        case .accessDenied: "code 401 in HTTP 200"
        case .unauthorized: "HTTP 401"
        case .blockedByCDN: "HTTP 403 with the text `error code: 1010`"
        case .creditsInsufficient: "code 402: no credits left"
        case .creditsInsufficientAsServerError: "the text of 402 under code 500"
        case .notFound: "code 404"
        case .upstreamTimeout: "code 408"
        case .invalidInput: "code 422: input invalid"
        case .tooManyRequests: "code 429 in HTTP 200"
        case .tooManyRequestsAsStatus: "HTTP 429"
        case .subKeyLimit: "code 433: the key's own cap"
        case .inputUnreachable: "code 451: an input file could not be fetched"
        case .maintenance: "code 455: maintenance"
        case .serverException: "code 500: server fault, nothing made"
        case .generationFailed: "code 501"
        case .featureDisabled: "code 505: model switched off"
        case .gateway: "HTTP 502 with an HTML page, no task made"
        case .gatewayEmpty: "HTTP 503 with an empty body, no task made"
        case .lostBefore: "connection cut without an answer, no task made"
        case .lost: "task made and charged, connection cut without an answer"
        case .cutBody: "task made, connection cut in the middle of the answer"
        case .brokenBody: "task made, the answer is half a JSON text"
        case .gatewayMade: "task made, HTTP 504 with an HTML page"
        case .slow: "task made, the answer comes after --slow"
        case .documentedForm: "task made, id and answer in the documented form"
        case .fail: "the task fails, refunded, worth a retry"
        case .failContent: "the task fails, refunded: content refused"
        case .failInput: "the task fails, refunded: input file unusable"
        case .failCharged: "the task fails and stays charged"
        case .failAnswer501: "the task fails; recordInfo answers code 501"
        case .failAnswer408: "the task fails; recordInfo answers code 408"
        case .noResult: "the task succeeds without any result"
        case .invisible: "the task is unknown to recordInfo for --invisible, or 10s"
        case .slowTask: "the task takes twenty times as long"
        case .stuck: "the task waits for ever"
        case .oddState: "the task shows a state nobody documented until it ends"
        case .creditsUnreported: "creditsConsumed is null"
        case .pollTooMany: "code 429"
        case .pollNotFound: "code 404: Task not found"
        case .pollMaintenance: "code 455"
        case .pollServerException: "code 500"
        case .pollGateway: "HTTP 502 with an HTML page"
        case .pollLost: "connection cut without an answer"
        case .pollBroken: "half a JSON text"
        case .pollSlow: "the answer comes after --slow"
        case .mediaNotFound: "HTTP 404"
        case .mediaServerError: "HTTP 500"
        case .mediaStall: "half the file, then nothing for --slow, then cut"
        case .mediaCut: "half the file, then cut"
        case .mediaWithoutRanges: "the whole file, whatever part was asked for"
        case .uploadServerError: "HTTP 502 with an HTML page"
        case .uploadTooMany: "code 429"
        case .uploadLost: "connection cut without an answer"
        case .creditServerException: "code 500"
        case .callbackLost: "the callback is never sent"
        case .callbackTwice: "the callback comes twice"
        case .callbackForged: "the callback's signature is wrong"
        case .callbackStale: "the callback was signed ten minutes ago"
        case .callbackOldForm: "the older form: data.task_id, consumeCredits"
        }
    }

    /// All faults with their summaries, a paragraph for each stage.
    package static var manual: String {
        Stage.allCases.map { stage in
            let faults = allCases.filter { $0.stage == stage }
            let width = faults.map(\.rawValue.count).max() ?? 0
            let lines = faults.map { fault in
                "  \(fault.rawValue)\(String(repeating: " ", count: width - fault.rawValue.count))  \(fault.summary)"
            }
            return "\(stage.title)\n" + lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

extension Fault.Stage {
    fileprivate var title: String {
        switch self {
        case .front: "The way to createTask:"
        case .createTask: "Answers of createTask:"
        case .task: "What becomes of a task:"
        case .recordInfo: "Answers of recordInfo:"
        case .media: "Result files:"
        case .upload: "Uploads:"
        case .credit: "The balance:"
        case .callback: "Callbacks:"
        }
    }
}
