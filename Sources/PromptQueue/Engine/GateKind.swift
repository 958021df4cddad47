/// What can be wrong with the provider, the account or this machine, so that nothing, or nothing of one model, is
/// submitted.
package enum GateKind: Sendable, Hashable {
    /// The API key is refused (401, 403).
    case key
    /// The account has no credits left (402). Its balance tells when to try again.
    case credits
    /// The key's own cap is reached (433), of which the balance says nothing.
    case keyCap
    /// The provider is down or out of reach (455, 5xx, connection refused).
    case provider
    /// The provider has switched this model off (505).
    case model(String)
    /// The ledger cannot be written: the disk is full, or something holds the database.
    case disk
    /// Results cannot be stored: the media disk is full, or the directory cannot be written. Opens when one could be, or
    /// when none waits for it any more.
    case media

    /// As `queue_status.blocked_by` shows it.
    package var reason: BlockReason {
        switch self {
        case .key: .key
        case .credits, .keyCap: .credits
        case .provider: .provider
        case .model(let model): .model(model)
        case .disk, .media: .disk
        }
    }

    package var name: String { reason.rawValue }

    package var backoff: Gate.Backoff {
        switch self {
        case .key: .init(initial: .seconds(60), maximum: .seconds(60), jitter: 0)
        case .credits: .init(initial: .seconds(15), maximum: .seconds(60))
        // It resets by the hour or the day, or when somebody raises it.
        case .keyCap: .init(initial: .seconds(15), maximum: .seconds(3_600))
        case .provider: .init(initial: .seconds(1), maximum: .seconds(300))
        case .model: .init(initial: .seconds(60), maximum: .seconds(3_600))
        case .disk, .media: .init(initial: .seconds(1), maximum: .seconds(30))
        }
    }

    /// What to do about it, for the log and `status`.
    package var advice: String {
        switch self {
        case .key:
            "put a valid key into the key file; it is read and tried again once a minute, and at once after a reload (SIGHUP); "
                + "a systemd credential is read at a restart"
        case .credits: "top up the account; it goes on by itself within a minute"
        case .keyCap:
            "raise this key's own limit at the provider, or wait until it resets; it is tried again with backoff"
        case .provider: "nothing to do, the next job is sent as a trial, with backoff"
        case .model: "nothing to do; one of its jobs is sent as a trial, with backoff"
        case .disk:
            "end the process that holds the database, make room on its disk, or bring its server back, as the message says; it goes on by itself"
        case .media: "make room, or let promptd write there; it goes on by itself"
        }
    }
}
