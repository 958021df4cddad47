/// Who looks at a page, while it is made.
struct Visitor: Sendable {
    @TaskLocal static var current = Visitor()

    /// Whether there is a token to log in with.
    var canLogIn = false
    var session: Session?
    /// What the session's forms bear.
    var mark = ""
    /// The page, to come back to.
    var place = "/"
}
