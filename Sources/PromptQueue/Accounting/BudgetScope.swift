/// Which jobs a budget is about: all that meet each condition.
package struct BudgetScope: Sendable, Hashable {
    /// Of each, nil: any.
    package var queue: String?
    package var model: String?
    package var batch: String?
    package var label: Label?
    package var account: AccountName?

    package init(
        queue: String? = nil,
        model: String? = nil,
        batch: String? = nil,
        label: Label? = nil,
        account: AccountName? = nil
    ) {
        self.account = account
        self.queue = queue
        self.model = model
        self.batch = batch
        self.label = label
    }

    /// Whether more is asked for than a queue: what is spent on it is then counted job by job, and not by queue.
    package var isNarrow: Bool { model != nil || batch != nil || label != nil || account != nil }

    /// A label that a job must have, with its value.
    package struct Label: Sendable, Hashable, CustomStringConvertible {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }

        /// - Parameter text: `client=acme`.
        package init?(text: String) {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
            name = String(text[..<equals])
            value = String(text[text.index(after: equals)...])
        }

        package var description: String { "\(name)=\(value)" }
    }
}

extension BudgetScope: CustomStringConvertible {
    /// `queue ads, model z-image, label client=acme`, or `all queues`.
    package var description: String {
        let conditions = [
            queue.map { "queue \($0)" }, model.map { "model \($0)" }, batch.map { "batch \($0)" },
            label.map { "label \($0)" }, account.map { "account \($0)" },
        ]
        let asked = conditions.compactMap(\.self)
        return asked.isEmpty ? "all queues" : asked.joined(separator: ", ")
    }
}
