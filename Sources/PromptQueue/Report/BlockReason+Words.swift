extension BlockReason {
    /// What is the matter, in a few words.
    package var title: String {
        switch self {
        case .paused: "Paused"
        case .restored: "Nothing is submitted: the database may be an older copy"
        case .key: "Nothing is submitted: the provider refuses the API key"
        case .credits: "Nothing is submitted: the credits do not suffice"
        case .provider: "Nothing is submitted: the provider is down or out of reach"
        case .disk: "Nothing is submitted: results cannot be stored"
        case .rate: "The provider wants fewer requests for a while"
        case .running: "As many tasks run as may"
        case .inputs: "All its jobs wait for the results of others, or for uploads"
        case .account: "Its account is not in the configuration"
        case .budget(let name): "Budget \(name) is used up"
        case .model(let name): "The provider has switched off \(name)"
        case .other(let name): "Held by \(name)"
        }
    }

    /// What somebody does about it.
    package var whatToDo: String {
        switch self {
        case .paused: "It goes on when it is resumed."
        case .restored: "\(Advice.lookAtRestored)."
        case .key: "Put a key that works where promptd reads it, and reload promptd."
        case .credits: "Top up the account; promptd notices, and goes on by itself."
        case .provider, .rate, .running, .inputs: "Nothing to do: promptd goes on by itself."
        case .disk: "Make room, or give promptd the right to write there; it goes on by itself."
        case .account: "What to do: \(Advice.nameAccount)."
        case .budget: "What does not fit waits for \(Advice.nextPeriodOrHigherLimit)."
        case .model: "Other models go on; jobs of this one wait until it is back."
        case .other: "A newer version of promptd has closed it."
        }
    }
}
