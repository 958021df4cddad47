/// What a start finds out about the age of its database.
package struct AgeCheck: Sendable, Hashable {
    /// Nil: all is well.
    package var copy: RestoredCopy?
    /// Why some of what is to be noted outside cannot be.
    package var problems: [String]

    package init(copy: RestoredCopy?, problems: [String]) {
        self.copy = copy
        self.problems = problems
    }
}

/// A database that may be an older copy of itself: it may not know all requests that were made, and paid for.
package struct RestoredCopy: Sendable, Hashable {
    /// When that was noticed.
    package let since: Instant
    /// How many requests it does not know of; nil if nobody can tell.
    package let requests: Int64?
    /// The last job that it brought along: what was inserted later has never been sent.
    package let lastJob: JobID

    package init(since: Instant, requests: Int64?, lastJob: JobID) {
        self.since = since
        self.requests = requests
        self.lastJob = lastJob
    }

    /// What is known, as a message.
    package var text: String {
        switch requests {
        case let requests? where requests > 0:
            "the database is an older copy: \(requests) later request\(requests == 1 ? " is" : "s are") missing in it, which may have been paid for"
        default: "the database is a copy, or may be one: which later requests are missing in it is not known"
        }
    }
}
