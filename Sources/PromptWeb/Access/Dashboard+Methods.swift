import HTTPTypes
import Hummingbird
import PromptQueue

// What is there, but not to be asked for that way (https://www.rfc-editor.org/rfc/rfc9110#name-405-method-not-allowed).
extension Dashboard {
    private static let pages = [
        "/", "jobs", "jobs/:id", "gallery", "batches", "schedules", "budgets", "models", "again",
    ]
    private static let forms = ["add", "login", "changes/:id"]

    func addRefusals(to router: Router<BasicRequestContext>) {
        for path in Self.pages { refuse(router, path, but: [.get]) }
        for path in Self.forms { refuse(router, path, but: [.get, .post]) }
        for path in ["changes", "logout"] { refuse(router, path, but: [.post]) }
        let read = API.routes.map(\.routerPath) + [API.live]
        let done = API.actions.map(\.path)
        for path in Set(read + done).sorted() {
            let methods = (read.contains(path) ? [HTTPRequest.Method.get] : []) + (done.contains(path) ? [.post] : [])
            refuse(router, "api/v1/\(path)", but: methods)
        }
    }

    private func refuse(
        _ router: Router<BasicRequestContext>,
        _ path: String,
        but methods: [HTTPRequest.Method]
    ) {
        let shown = methods.contains(.get) ? methods + [.head] : methods
        let allow = shown.map(\.rawValue).joined(separator: ", ")
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] where !methods.contains(method) {
            router.on(RouterPath(path), method: method) { _, _ in
                let problem = PageProblem(.methodNotAllowed, "\(method.rawValue) is not possible here, but \(allow).")
                var response = path.hasPrefix("api/") ? API.failure(problem) : problemPage(problem)
                response.headers[.allow] = allow
                return response
            }
        }
    }
}
