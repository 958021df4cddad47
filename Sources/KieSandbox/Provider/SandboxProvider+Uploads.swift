import FoundationEssentials
import PromptQueue

extension SandboxProvider {
    /// Takes a file and gives it a URL. It costs nothing.
    mutating func upload(_ request: SandboxRequest, now: Instant) -> SandboxAnswer {
        statistics.uploads += 1
        guard isAuthorized(request) else { return .unauthorized }
        switch faults.draw(.upload) {
        case .uploadServerError: return .gateway(502, "Bad Gateway")
        case .uploadTooMany: return .tooManyRequests
        case .uploadLost: return .lost
        default: break
        }
        guard let form = form(of: request, now: now) else { return .error(400, "Invalid file data") }
        guard let content = form.content, !content.isEmpty else { return .error(400, "File is required") }
        guard let folder = form.uploadPath, !folder.isEmpty else { return .error(400, "uploadPath is required") }
        guard content.count <= SandboxUpload.largest else { return .error(400, "File size exceeds the limit") }
        let name = Self.plain(form.fileName ?? "file-\(statistics.uploads)")
        let path = folder.split(separator: "/").map { Self.plain(String($0)) }.joined(separator: "/") + "/" + name
        let upload = SandboxUpload(
            name: name,
            path: path,
            contentType: form.contentType ?? "application/octet-stream",
            content: content,
            uploadedAt: now
        )
        // A file of the same name takes its place.
        uploads[path] = upload
        statistics.uploadedBytes += content.count
        var data = WireObject()
        data.add("success", true)
        data.add("fileName", name)
        data.add("filePath", path)
        data.add("downloadUrl", baseURL + SandboxUpload.folder + path)
        data.add("fileSize", content.count)
        data.add("mimeType", upload.contentType)
        data.add("uploadedAt", now.iso8601)
        let json = #"{"success":true,"code":200,"msg":"File uploaded successfully","data":\#(data.json)}"#
        return SandboxAnswer(status: 200, code: 200, body: .json(json))
    }

    /// An uploaded file by its URL.
    func uploaded(_ path: String, now: Instant) -> SandboxAnswer {
        guard let upload = keptUpload(at: path, now: now) else {
            return SandboxAnswer(status: 404, body: .plain("Not Found"))
        }
        return SandboxAnswer(status: 200, body: .upload(upload))
    }

    /// The first URL of the sandbox's own in an input behind which there is no file, or no longer.
    func unreachable(in value: JSONValue, now: Instant) -> String? {
        switch value {
        case .string(let text):
            guard text.hasPrefix(baseURL + "/") else { return nil }
            let path = String(text.dropFirst(baseURL.count).prefix { $0 != "?" })
            let isThere = ([self] + others).contains {
                $0.keptUpload(at: path, now: now) != nil || $0.file(at: path, now: now) != nil
            }
            return isThere ? nil : text
        case .array(let items): return items.lazy.compactMap { unreachable(in: $0, now: now) }.first
        case .object(let object):
            return object.keys.sorted().lazy.compactMap { unreachable(in: object[$0] ?? .null, now: now) }.first
        case .null, .bool, .integer, .unsigned, .number: return nil
        }
    }

    private func keptUpload(at path: String, now: Instant) -> SandboxUpload? {
        guard path.hasPrefix(SandboxUpload.folder),
            let upload = uploads[String(path.dropFirst(SandboxUpload.folder.count))],
            upload.uploadedAt + configuration.uploadsKept > now
        else { return nil }
        return upload
    }

    private func form(of request: SandboxRequest, now: Instant) -> UploadForm? {
        switch SandboxUpload.Form(path: request.path) {
        case .stream?: return UploadForm(multipart: Array(request.body), contentType: request.contentType ?? "")
        case .base64?:
            guard let json = try? JSONValue(parsing: request.body).objectValue,
                let text = json["base64Data"]?.stringValue
            else { return nil }
            var form = UploadForm(json: json)
            // With or without `data:image/png;base64,` before it.
            let parts = text.split(separator: ",", maxSplits: 1)
            form.content = Data(base64Encoded: String(parts.last ?? "")).map { Array($0) }
            if parts.count == 2 { form.contentType = String(parts[0].dropFirst("data:".count).prefix { $0 != ";" }) }
            return form
        case .url?:
            guard let json = try? JSONValue(parsing: request.body).objectValue, let url = json["fileUrl"]?.stringValue,
                url.hasPrefix(baseURL + "/")
            else { return nil }
            let path = String(url.dropFirst(baseURL.count))
            var form = UploadForm(json: json)
            if let upload = keptUpload(at: path, now: now) {
                (form.content, form.contentType) = (upload.content, upload.contentType)
            } else if let (media, ordinal) = file(at: path, now: now) {
                (form.content, form.contentType) = (media.file(ordinal), media.contentType)
            }
            return form
        case nil: return nil
        }
    }

    /// A part of a path, of characters that mean nothing to a URL.
    private static func plain(_ name: String) -> String {
        let text = String(
            name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" }
        )
        return text.allSatisfy { $0 == "." } ? "_" : text
    }
}
