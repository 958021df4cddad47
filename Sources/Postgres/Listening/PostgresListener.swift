/// Hears NOTIFY on some channels, on a connection of its own that is made anew when it is lost.
///
/// A notification is a hint: what comes while nobody listens is lost, so `.everything` says when to look at everything.
package struct PostgresListener: AsyncSequence, Sendable {
    package enum News: Sendable {
        /// Listening has begun, or begun again, or more came than is kept: anything may have happened.
        case everything
        /// Each that waits to be taken is there once, however often it came.
        case notification(PostgresNotification)
        /// The connection is gone, or could not be made; it is tried again, at first soon, then ever more rarely.
        case lost(PostgresError)
    }

    private let settings: PostgresSettings
    private let channels: [String]
    private let mostWaiting: Int
    private let longestPause: Duration

    /// - Parameter mostWaiting: how many notifications are kept until they are taken; beyond it they become one `.everything`.
    package init(
        _ settings: PostgresSettings,
        channels: [String],
        mostWaiting: Int = 1_000,
        longestPause: Duration = .seconds(5)
    ) {
        self.settings = settings
        self.channels = channels
        self.mostWaiting = mostWaiting
        self.longestPause = longestPause
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(settings: settings, channels: channels, mostWaiting: mostWaiting, longestPause: longestPause)
    }

    package struct Iterator: AsyncIteratorProtocol {
        private static let firstPause = Duration.milliseconds(50)

        let settings: PostgresSettings
        let channels: [String]
        let mostWaiting: Int
        let longestPause: Duration
        private var connection: PostgresConnection?
        private var inbox: NotificationInbox?
        private var pause: Duration?

        init(settings: PostgresSettings, channels: [String], mostWaiting: Int, longestPause: Duration) {
            self.settings = settings
            self.channels = channels
            self.mostWaiting = mostWaiting
            self.longestPause = longestPause
        }

        /// - Returns: nil when the task is cancelled.
        package mutating func next() async -> News? {
            guard let inbox else { return await listen() }
            switch await inbox.next() {
            case .notification(let notification): return .notification(notification)
            case .overflow: return .everything
            case .cancelled: return nil
            case .lost(let reason):
                self.inbox = nil
                connection = nil
                return .lost(.lost(reason))
            }
        }

        private mutating func listen() async -> News? {
            do {
                if let pause { try await settings.clock.sleep(for: pause) }
                pause = Swift.min(pause.map { $0 * 2 } ?? Self.firstPause, longestPause)
                let inbox = NotificationInbox(most: mostWaiting)
                let connection = try await PostgresConnection.open(settings, inbox: inbox)
                let channels = channels
                for channel in channels {
                    _ = try await connection.query(SQL(pasted: "LISTEN " + SQL.quoted(channel)))
                }
                self.connection = connection
                self.inbox = inbox
                pause = nil
                return .everything
            } catch let error as PostgresError {
                return .lost(error)
            } catch {
                return nil
            }
        }
    }
}
