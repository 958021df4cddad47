/// Why a queue's jobs are not submitted: what `queue_status.blocked_by` and `gates.name` say.
package enum BlockReason: Sendable, Hashable, RawRepresentable {
    case paused
    /// The database may be an older copy, which does not know all that was paid for.
    case restored
    /// The key is refused.
    case key
    /// No credits are left, in the account or under the key's cap; or the reserve would be touched.
    case credits
    /// The provider is down or out of reach.
    case provider
    /// The database cannot be written, or results cannot be stored.
    case disk
    /// The rate window is full, or smaller for a while.
    case rate
    /// As many tasks run as may.
    case running
    /// All its jobs wait for the results of others, or for files to be uploaded.
    case inputs
    /// The account that the queue names is not in the configuration.
    case account
    /// What the named budget has left does not fit.
    case budget(String)
    /// The model is switched off.
    case model(String)
    /// Of a version that knows more.
    case other(String)

    private static let budgetPrefix = "budget:"
    private static let modelPrefix = "model:"

    package init(rawValue: String) {
        self =
            switch rawValue {
            case "paused": .paused
            case "restored": .restored
            case "key": .key
            case "credits": .credits
            case "provider": .provider
            case "disk": .disk
            case "rate": .rate
            case "running": .running
            case "inputs": .inputs
            case "account": .account
            case _ where rawValue.hasPrefix(Self.budgetPrefix):
                .budget(String(rawValue.dropFirst(Self.budgetPrefix.count)))
            case _ where rawValue.hasPrefix(Self.modelPrefix):
                .model(String(rawValue.dropFirst(Self.modelPrefix.count)))
            default: .other(rawValue)
            }
    }

    package var rawValue: String {
        switch self {
        case .paused: "paused"
        case .restored: "restored"
        case .key: "key"
        case .credits: "credits"
        case .provider: "provider"
        case .disk: "disk"
        case .rate: "rate"
        case .running: "running"
        case .inputs: "inputs"
        case .account: "account"
        case .budget(let name): Self.budgetPrefix + name
        case .model(let name): Self.modelPrefix + name
        case .other(let text): text
        }
    }

    package var isBudget: Bool {
        if case .budget = self { true } else { false }
    }

    /// Whether everything waits, whatever its queue and model.
    package var holdsAll: Bool {
        switch self {
        case .key, .credits, .provider, .disk, .paused, .restored, .running, .account, .budget, .other: true
        // A smaller rate lets jobs through, if fewer.
        case .rate, .model, .inputs: false
        }
    }

    /// Whether it passes by the working of the queue alone: nobody has to do anything, and nothing is wrong.
    package var isOrdinary: Bool {
        switch self {
        case .rate, .running, .inputs: true
        case .paused, .restored, .key, .credits, .provider, .disk, .account, .budget, .model, .other: false
        }
    }
}
