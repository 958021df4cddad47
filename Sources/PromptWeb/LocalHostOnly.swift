import HTTPTypes
import Hummingbird

/// Names of this machine.
enum Hosts {
    /// - Parameter host: a name or an address, without a port.
    static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        return host == "localhost" || host.hasSuffix(".localhost") || host == "::1" || host == "[::1]"
            || (host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == 0x2E || (0x30...0x39).contains($0) })
    }
}

/// Serves those who have asked for this machine by one of its own names: a page in somebody's browser, whose name leads here
/// by a trick of its DNS (rebinding), asks by that name.
struct LocalHostOnly<Context: RequestContext>: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let host = request.head.authority ?? ""
        let name = host.hasSuffix("]") ? host[...] : host.lastIndex(of: ":").map { host[..<$0] } ?? host[...]
        guard host.isEmpty || Hosts.isLoopback(String(name)) else {
            return Response(
                status: .misdirectedRequest,
                headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: .init(string: "ask for 127.0.0.1 or localhost\n"))
            )
        }
        return try await next(request, context)
    }
}
