import HTTPTypes
import Hummingbird

/// Refuses what a page of another site has a browser ask for: it could not read the answers, but make work. Links to pages work
/// from everywhere. Browsers say where a request comes from (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/); programs do
/// not, and are served.
struct OwnSiteOnly<Context: RequestContext>: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { request.headers[$0] } }
        let path = request.uri.path
        let isPage =
            (request.method == .get || request.method == .head) && header("Sec-Fetch-Mode") == "navigate"
            && header("Sec-Fetch-Dest") == "document"
            && !["/api/", "/media/", "/gallery."].contains(where: path.hasPrefix)
        guard let site = header("Sec-Fetch-Site"), site == "cross-site" || site == "same-site", !isPage else {
            return try await next(request, context)
        }
        return Response(
            status: .forbidden,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: .init(string: "not for pages of other sites\n"))
        )
    }
}
