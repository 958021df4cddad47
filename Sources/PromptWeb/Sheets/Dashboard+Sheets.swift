import ContactSheets
import HTTPTypes
import Hummingbird
import NIOCore
import PromptQueue
import ServiceLifecycle

// Contact sheets: results side by side, as a page or as one picture that people keep and send on.
extension Dashboard {
    /// A page of more is no longer one to scroll through.
    static let mostOnPage = 2_000
    /// So wide are small pictures in a page.
    private static let pageWidth = 640
    /// So many sheets are made at once.
    static let mostSheets = 2
    /// Small pictures are made for so long before the reader is told how far that is.
    static let patience: Duration = .seconds(10)

    func addSheets(to router: Router<BasicRequestContext>) {
        router.get("gallery.html") { request, _ in await sheet(request, sheetPage) }
        router.get("gallery.png") { request, _ in await sheet(request, sheetPicture) }
    }

    private func sheet(
        _ request: Request,
        _ make: (Request, ResultChoice, Thumbnails, Place) async throws -> Response
    ) async -> Response {
        do {
            let visitor = try admit(request)
            return await Visitor.$current.withValue(visitor) {
                do {
                    let choice = try ResultChoice(FormFields(request.uri.query ?? ""))
                    guard let thumbnails, thumbnails.isReady else {
                        throw PageProblem(
                            .unavailable,
                            "A contact sheet is made of small pictures, and none are made here: install Debian's \(VipsTools.package) "
                                + "(apt install \(VipsTools.package)) on promptd's machine, and leave web.thumbnails on."
                        )
                    }
                    guard let place = sheets.enter() else {
                        throw PageProblem(
                            .unavailable,
                            "\(Self.mostSheets) contact sheets are being made already. Try again in a moment."
                        )
                    }
                    return try await make(request, choice, thumbnails, place)
                } catch let progress as SheetProgress {
                    return answer(progress)
                } catch {
                    return problemPage(error)
                }
            }
        } catch {
            return problemPage(error)
        }
    }

    /// The small picture of a part; nil if none can be made of it.
    private func small(
        _ part: SheetContent.Part,
        _ width: Int,
        _ format: ThumbnailName.Format,
        _ thumbnails: Thumbnails
    ) async throws -> [UInt8]? {
        guard Self.isReduced(part.item.contentType),
            let file = try await FileReads.shared.open(part.item.path, files)
        else { return nil }
        let name = ThumbnailName(part.id, mark: Self.mark(part.sha256, file), width: width, format: format)
        guard case .picture(let picture) = try await thumbnails.picture(name, of: file, isPatient: true) else {
            return nil
        }
        return Array(buffer: picture)
    }

    // MARK: - A page

    private func sheetPage(
        _ request: Request,
        _ choice: ResultChoice,
        _ thumbnails: Thumbnails,
        _ place: Place
    ) async throws -> Response {
        let content = try await SheetContent(choice, most: Self.mostOnPage, on: "one page", source)
        let page = GalleryPage(
            title: content.title,
            summary: content.summary,
            generator: "promptd",
            hasLinks: false
        )
        let headers = Self.headers("text/html; charset=utf-8", "\(choice.fileName).html", policy: page.policy)
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody { writer in
                defer { withExtendedLifetime(place) {} }
                try await writer.write(ByteBuffer(string: page.head))
                var index = 0
                while index < content.parts.count {
                    for part in try await content.next(from: index, source) {
                        // A stop must not wait for it; that it is not whole, the reader sees by the end of the connection.
                        guard !Task.isShuttingDownGracefully else { throw CancellationError() }
                        let small = try await small(part, Self.pageWidth, .webp, thumbnails)
                        let thumbnail = small.map { GalleryPage.Thumbnail($0, .webp) }
                        let figure = GalleryPage.figure(part.item, thumbnail: thumbnail, link: nil)
                        try await writer.write(ByteBuffer(string: figure))
                        index += 1
                    }
                }
                try await writer.write(ByteBuffer(string: GalleryPage.foot))
                try await writer.finish(nil)
            }
        )
    }

    // MARK: - One picture

    private func sheetPicture(
        _ request: Request,
        _ choice: ResultChoice,
        _ thumbnails: Thumbnails,
        _ place: Place
    ) async throws -> Response {
        defer { withExtendedLifetime(place) {} }
        let content = try await SheetContent(choice, most: ContactSheet.mostItems, on: "one picture", source)
        let headers = Self.headers("image/png", "\(choice.fileName).png", policy: "default-src 'none'")
        guard request.method != .head else { return Response(status: .ok, headers: headers) }
        // Nothing is drawn for somebody who has gone.
        let picture = try await request.body.consumeWithCancellationOnInboundClose { _ in
            let drawing = try await drawing(content, thumbnails)
            let picture = try await thumbnailFiles.scratch()
            do {
                try await thumbnails.draw(drawing.descriptor, into: picture.descriptor)
            } catch let failure as PictureFailure {
                throw PageProblem(
                    .unavailable,
                    "The picture could not be drawn: \(failure). Choose fewer, or make a page of them."
                )
            }
            return try picture.grown()
        }
        return Response(
            status: .ok,
            headers: headers,
            body: FileReads.shared.body(picture, 0..<picture.size, try FileReads.shared.enter())
        )
    }

    /// - Throws: `SheetProgress` when the small pictures take longer than somebody should wait without a word.
    private func drawing(_ content: SheetContent, _ thumbnails: Thumbnails) async throws -> MediaFile {
        let sheet = ContactSheet(title: content.title, summary: content.summary, count: content.parts.count)
        let begun = now()
        let file = try await thumbnailFiles.scratch()
        try await thumbnailFiles.append(sheet.head, to: file)
        var index = 0
        while index < content.parts.count {
            for part in try await content.next(from: index, source) {
                try Task.checkCancellation()
                guard now() - begun < Self.patience, !Task.isShuttingDownGracefully else {
                    throw SheetProgress(made: index, count: content.parts.count)
                }
                let small = try await small(part, ContactSheet.side, .jpeg, thumbnails)
                try await thumbnailFiles.append(sheet.cell(part.item, at: index, thumbnail: small), to: file)
                index += 1
            }
        }
        try await thumbnailFiles.append(ContactSheet.foot, to: file)
        return file
    }

    /// Small pictures that were made are kept, so that whoever asks again is further.
    private func answer(_ progress: SheetProgress) -> Response {
        let message =
            "\(grouped(progress.made)) of \(grouped(progress.count)) small pictures are ready. This page asks again by itself; the "
            + "contact sheet is downloaded when all are."
        var response = html(
            .serviceUnavailable,
            PageContent("message", MessageView(frame: Frame("The contact sheet is being made"), message: message))
        )
        response.headers[.retryAfter] = "1"
        if let refresh = HTTPField.Name("Refresh") { response.headers[refresh] = "1" }
        return response
    }

    private static func headers(_ type: String, _ name: String, policy: String) -> HTTPFields {
        var headers: HTTPFields = [
            .contentType: type, .contentDisposition: "attachment; filename=\"\(name)\"",
        ]
        if let name = HTTPField.Name("Content-Security-Policy") { headers[name] = "\(policy); sandbox" }
        return headers
    }
}

/// How far the small pictures of a contact sheet are.
private struct SheetProgress: Error {
    let made: Int
    let count: Int
}
