import PromptQueue

extension SandboxProvider {
    private static let downloadLifetime = Duration.seconds(20 * 60)

    /// A result file by its URL. Whoever knows the URL gets the file.
    mutating func media(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        statistics.mediaRequests += 1
        guard let (media, ordinal) = file(at: request.path, now: now) else {
            return SandboxAnswer(status: 404, body: .plain("Not Found"))
        }
        if let expiry = request.query["expires"], Int64(expiry).map({ $0 <= now.milliseconds }) ?? true {
            return SandboxAnswer(status: 403, body: .plain("Request has expired"))
        }
        var answer = SandboxAnswer(status: 200, body: .media(media, ordinal: ordinal))
        // A file never changes, so its URL names its version too.
        let tag = "\"\(request.path.dropFirst("/media/".count))\""
        answer.entityTag = tag
        // A part of another version of the file is of no use to anybody (RFC 9110, section 13.1.5).
        if request.ifRange == nil || request.ifRange == tag { answer.range = request.range }
        switch faults.draw(.media) {
        case .mediaNotFound: return SandboxAnswer(status: 404, body: .plain("Not Found"))
        case .mediaServerError: return SandboxAnswer(status: 500, body: .plain("Internal Server Error"))
        case .mediaStall: answer.delivery = .stalled
        case .mediaCut: answer.delivery = .cut
        case .mediaWithoutRanges:
            answer.range = nil
            answer.entityTag = nil
            statistics.mediaServed += 1
        default: statistics.mediaServed += 1
        }
        if answer.range != nil { statistics.mediaParts += 1 }
        return answer
    }

    /// A second URL of a result file, good for 20 minutes.
    mutating func downloadURL(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        guard isAuthorized(request) else { return .unauthorized }
        guard let url = try? JSONValue(parsing: request.body).objectValue?["url"]?.stringValue else {
            return .fieldRequired
        }
        guard url.hasPrefix(baseURL + "/"), file(at: String(url.dropFirst(baseURL.count)), now: now) != nil else {
            return .error(422, "url is wrong")
        }
        return .success("\(url)?expires=\((now + Self.downloadLifetime).milliseconds)".jsonLiteral)
    }

    /// Finds `/media/TASK/0.png` and `/media/TASK/lastFrame.png`.
    func file(at path: String, now: Instant) -> (ResultMedia, ordinal: Int)? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[1] == "media" else { return nil }
        guard let task = tasks[TaskID(parts[2])], task.hasEnded(at: now), case .files(let media) = task.result else {
            return nil
        }
        if let kept = configuration.resultsKept, let end = task.endsAt, end + kept <= now { return nil }
        if let frames = media.frames,
            let frame = ResultMedia.frameNames.firstIndex(where: { parts[3] == "\($0).\(frames.fileExtension)" })
        {
            return (frames, frame)
        }
        guard let ordinal = (0..<media.count).first(where: { parts[3] == "\($0).\(media.fileExtension)" }) else {
            return nil
        }
        return (media, ordinal)
    }
}
