import HTTPTypes
import Hummingbird

/// What a browser may do with a page: load what this listener serves, and nothing else; run no script and apply no style
/// that stands in the page itself; show it in no frame.
struct SecurityHeaders<Context: RequestContext>: RouterMiddleware {
    static var policy: String {
        """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; \
        form-action 'self'; base-uri 'none'; frame-ancestors 'none'
        """
    }

    @concurrent
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as any HTTPResponseError {
            // The router's own answers, too: that there is no such page, or that an address is none.
            response = try error.response(from: request, context: context)
        }
        func set(_ name: String, _ value: String) {
            guard let name = HTTPField.Name(name), response.headers[name] == nil else { return }
            response.headers[name] = value
        }
        set("Content-Security-Policy", Self.policy)
        set("X-Content-Type-Options", "nosniff")
        // Without the origin, a browser would send `Origin: null` with the forms.
        set("Referrer-Policy", "same-origin")
        set("X-Frame-Options", "DENY")
        set("Cross-Origin-Opener-Policy", "same-origin")
        set("Cross-Origin-Resource-Policy", "same-origin")
        set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }
}
