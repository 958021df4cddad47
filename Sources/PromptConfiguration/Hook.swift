package import PromptQueue

/// Somebody who is told of what happens.
package struct Hook: Sendable, Equatable {
    package enum Action: Sendable, Equatable {
        /// A program, by its path, and its arguments: there is no shell between.
        case command([String])
        case webhook(Webhook)
    }

    package struct Webhook: Sendable, Equatable {
        package var url: String
        /// nil: systemd's credential `hook-NAME`.
        package var secretFile: String?
        /// Whether the URL may be plain http, and lead into a private network: its host was allowed by name.
        package var isHostAllowed: Bool

        package init(url: String, secretFile: String? = nil, isHostAllowed: Bool = false) {
            self.url = url
            self.secretFile = secretFile
            self.isHostAllowed = isHostAllowed
        }
    }

    package var rule: HookRule
    package var action: Action
    /// How long one try may take.
    package var timeout: Duration

    package var name: String { rule.name }

    package init(rule: HookRule, action: Action, timeout: Duration = .seconds(30)) {
        self.rule = rule
        self.action = action
        self.timeout = timeout
    }
}
