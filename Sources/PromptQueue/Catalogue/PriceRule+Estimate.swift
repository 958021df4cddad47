extension PriceRule {
    /// Whether the rule is about inputs like this one, which has its defaults.
    func applies(to input: JSONObject) -> Bool {
        guard given.isEmpty || given.contains(where: { input.itemCount(of: $0) > 0 }) else { return false }
        return when.allSatisfy { field, values in
            guard let value = input[field] else { return false }
            return values.contains { $0.matches(value) }
        }
    }

    /// The price of a task with `input`; `nil` if the input does not tell, or tells nonsense.
    func credits(for input: JSONObject) -> Credits? {
        guard let quantity = quantity(in: input), var total = credits.times(quantity) else { return nil }
        for surcharge in surcharges {
            guard let extra = surcharge.credits(for: input) else { return nil }
            total = total + extra
        }
        return total
    }

    private func quantity(in input: JSONObject) -> Double? {
        switch measure {
        case .once:
            return 1
        case .count(let field):
            guard let value = input[field], value != .null else { return 1 }
            guard let count = value.numericValue, count >= 1, count == count.rounded() else { return nil }
            return count
        case .seconds(let field):
            return input.seconds(in: field)
        case .thousandCharacters(let field):
            guard let length = input[field]?.spokenLength else { return nil }
            return Double((length + 999) / 1_000)
        case .untold:
            return nil
        }
    }
}

extension PriceRule.Surcharge {
    fileprivate func credits(for input: JSONObject) -> Credits? {
        guard let each else { return nil }
        let count = max(0, each.reduce(0) { $0 + input.itemCount(of: $1) } - after)
        guard count > 0 else { return .zero }
        guard let seconds else { return credits.times(Double(count)) }
        guard let duration = input.seconds(in: seconds) else { return nil }
        return credits.times(Double(count) * duration)
    }
}

extension Credits {
    /// Rounded up to a thousandth; `nil` beyond what a task can cost.
    func times(_ quantity: Double) -> Credits? {
        let product = (Double(millicredits) * quantity).rounded(.up)
        return quantity >= 0 && product < 1e12 ? Credits(millicredits: Int64(product)) : nil
    }
}

extension JSONValue {
    /// Equal, whatever the case of texts and whether numbers are texts.
    func matches(_ other: JSONValue) -> Bool {
        if means(other) { return true }
        guard let text = stringValue, let otherText = other.stringValue else { return false }
        return text.lowercased() == otherText.lowercased()
    }

    /// The characters that a voice has to read; of a dialogue, those of all its turns. `nil`: none to be found.
    var spokenLength: Int? {
        switch self {
        case .string(let text): return text.unicodeScalars.count
        case .object(let turn): return turn["text"]?.spokenLength
        case .array(let turns):
            var sum = 0
            for turn in turns {
                guard let length = turn.spokenLength else { return nil }
                sum += length
            }
            return sum
        default: return nil
        }
    }
}

extension JSONObject {
    /// How many things a field holds: the items of a list, 1 for anything else that is not empty.
    fileprivate func itemCount(of field: String) -> Int {
        switch self[field] {
        case nil, .null, .string(""): 0
        case .array(let items): items.count
        default: 1
        }
    }

    /// A length of time; `nil` for none, and for the `0` and `-1` that ask the service to choose.
    fileprivate func seconds(in field: String) -> Double? {
        guard let seconds = self[field]?.numericValue, seconds > 0, seconds <= 86_400 else { return nil }
        return seconds
    }
}
