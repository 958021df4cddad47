import HTTPTypes
import Hummingbird
import PromptQueue

// Methods that the pages do not have.
extension Dashboard {
    private static let pages = [
        "/", "jobs", "jobs/:id", "gallery", "batches", "schedules", "budgets", "models", "again",
        "assets/:name", "media/:job/:ordinal", "media/:job/:ordinal/small", "gallery.zip", "gallery.html",
        "gallery.png",
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
        WrongMethod.refuse(router, path, but: methods) { problem in
            path.hasPrefix("api/") ? API.failure(problem) : problemPage(problem)
        }
    }
}
