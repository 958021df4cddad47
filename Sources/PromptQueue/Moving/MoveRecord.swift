/// A move of a queue from one store to another, as both of them remember it.
package struct MoveRecord: Sendable, Hashable {
    package enum State: String, Sendable {
        /// Neither can be worked on; it goes on, or is taken back.
        case moving
        /// The queue is the destination's for good.
        case moved
    }

    /// Never another's.
    package let id: String
    package let state: State
    /// Where the queue comes from, and where it goes.
    package let source: String
    package let destination: String
    /// The queue's own id, which moves with it.
    package let databaseID: String

    package init(id: String, state: State, source: String, destination: String, databaseID: String) {
        self.id = id
        self.state = state
        self.source = source
        self.destination = destination
        self.databaseID = databaseID
    }

    /// What a source says to whoever writes in it.
    package var refusalOfSource: String {
        switch state {
        case .moving:
            "this queue is being moved to \(destination): promptctl migrate goes on with it, and promptctl migrate --undo takes it back"
        case .moved: "this queue has moved to \(destination), and goes on there"
        }
    }

    /// What a destination says to whoever writes in it before it is complete.
    package var refusalOfDestination: String {
        "this queue is being moved here from \(source), and is not complete: promptctl migrate, called as before, goes on with it"
    }
}
