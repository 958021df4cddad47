/// Trouble that lasts for a while.
struct Spell {
    enum Kind: Hashable {
        /// Nobody listens at the provider's address.
        case refusingConnections
        /// createTask answers 500 and makes nothing.
        case serverError
        /// A gateway answers with HTML; whether a task was made behind it is a matter of luck.
        case gatewayError
        /// 455.
        case maintenance
        /// 429 for most requests, whatever was sent before.
        case rateStorm
        /// 401 until somebody reloads with a good key.
        case keyRefused
        /// 433.
        case capReached
        /// 505 for one model.
        case modelOff(String)
        case pollsFail
        case downloadsFail
        /// The database cannot be written.
        case databaseFull
        /// Results cannot be stored.
        case mediaFull
        /// No callback comes through.
        case callbacksLost
    }

    var kind: Kind
    var from: Duration
    var to: Duration
}

/// All spells of a run.
struct Weather {
    private var spells: [Spell]

    init(_ spells: [Spell]) {
        self.spells = spells
    }

    func has(_ kind: Spell.Kind, at time: Duration) -> Bool {
        spells.contains { $0.kind == kind && $0.from <= time && time < $0.to }
    }

    mutating func clear() { spells = [] }

    mutating func end(_ kind: Spell.Kind) { spells.removeAll { $0.kind == kind } }
}
