import HTTPTypes
import Hummingbird

/// What is there, but not to be asked for that way (https://www.rfc-editor.org/rfc/rfc9110#name-405-method-not-allowed).
enum WrongMethod {
    /// - Parameters:
    ///   - methods: those that the path has; HEAD goes with GET.
    ///   - answer: how it is said there.
    static func refuse(
        _ router: Router<BasicRequestContext>,
        _ path: String,
        but methods: [HTTPRequest.Method],
        _ answer: @escaping @Sendable (PageProblem) -> Response
    ) {
        let shown = methods.contains(.get) ? methods + [.head] : methods
        let allow = shown.map(\.rawValue).joined(separator: ", ")
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] where !methods.contains(method) {
            router.on(RouterPath(path), method: method) { _, _ in
                var response = answer(
                    PageProblem(.methodNotAllowed, "\(method.rawValue) is not possible here, but \(allow).")
                )
                response.headers[.allow] = allow
                return response
            }
        }
    }
}
