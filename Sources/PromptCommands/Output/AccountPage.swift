import PromptQueue

extension AccountRecord {
    /// One sentence about what account and ledger differ by; nil if they agree.
    var difference: String? {
        guard unexplained != .zero else { return nil }
        let about = estimated > .zero ? "about " : ""
        guard unexplained > .zero else {
            return "the account lost \(about)\((Credits.zero - unexplained).inWords) less than the ledger has booked: "
                + "promptctl credits"
        }
        if isCovered {
            return "requests without an answer cost \(about)\(unexplained.inWords), it seems; "
                + "\((reservedForUnknown + givenUp).inWords) are set aside for them: promptctl credits"
        }
        return "the account lost \(about)\(unexplained.inWords) that the ledger does not know of: promptctl credits"
    }

    /// Whether what is reserved or booked for requests without an answer covers all that is unexplained.
    private var isCovered: Bool { unexplained > .zero && unexplained <= reservedForUnknown + givenUp }

    /// The comparison, for people.
    var lines: [String] {
        var rows: [(String, Credits)] = [("spent by the account", accountSpend), ("booked by the ledger", ledgerSpend)]
        if topUps != .zero { rows.append(("added to the account, or given back", topUps)) }
        if estimated > .zero { rows.append(("  of it estimated, for running tasks", estimated)) }
        rows.append(("unexplained", unexplained))
        if reservedForUnknown > .zero { rows.append(("reserved for requests without an answer", reservedForUnknown)) }
        if givenUp != .zero { rows.append(("booked for requests that were given up", givenUp)) }
        let width = rows.map(\.0.count).max() ?? 0
        let figures = rows.map(\.1.grouped)
        let right = figures.map(\.count).max() ?? 0
        let table = zip(rows, figures).map { row, figure in
            row.0 + String(repeating: " ", count: width - row.0.count + 2 + right - figure.count) + figure
        }
        return ["since \(since), compared at \(comparedAt), in credits:"] + table + advice
    }

    private var advice: [String] {
        guard unexplained != .zero else { return [] }
        if isCovered {
            return [
                "Requests without an answer may have been charged: as much, or more, is reserved or booked for them."
            ]
        }
        if unexplained > .zero {
            return [
                "Requests without an answer may have been charged, or somebody else uses the account. With tasks running, "
                    + "wait until they end: they count at their estimate."
            ]
        }
        return ["The provider did not report charges or refunds; such tasks are booked at their estimate."]
    }
}
