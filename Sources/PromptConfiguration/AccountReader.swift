import PromptQueue
import Yams

/// Reads `accounts` of the configuration file: a mapping from an account's name to its key and limits.
struct AccountReader {
    /// What an account takes, and the setting of the top level that it is for the standard account: the same texts are allowed.
    private static let settings = [
        "apiKeyFile": "provider.apiKeyFile", "submissions": "limits.submissions", "window": "limits.window",
        "running": "limits.running", "pollsPerSecond": "limits.pollsPerSecond", "reserve": "credits.reserve",
    ]
    private static let most = 20

    let path: String

    func accounts(_ node: Node) throws(ConfigurationError) -> [AccountSettings] {
        if node.scalar?.string.isEmpty == true { return [] }
        guard let mapping = node.mapping else { throw error("accounts", "takes a mapping of names to accounts", node) }
        guard mapping.count <= Self.most else { throw error("accounts", "takes \(Self.most) accounts at most", node) }
        var accounts: [AccountSettings] = []
        for (key, value) in mapping { accounts.append(try account(key, value)) }
        return accounts
    }

    private func account(_ key: Node, _ node: Node) throws(ConfigurationError) -> AccountSettings {
        let text = key.scalar?.string ?? "?"
        let place = "accounts.\(text)"
        guard let name = AccountName(text: text) else {
            throw error(place, "is no name for an account; it takes letters, digits, _ and -, 64 at most", key)
        }
        guard name != .standard else {
            throw error(
                place,
                "is the account of the top level: its key is provider.apiKeyFile, its limits are limits",
                key
            )
        }
        var settings = AccountSettings(name: name)
        // An account in which nothing is set.
        if node.scalar?.string.isEmpty == true { return settings }
        guard let mapping = node.mapping else {
            throw error(place, "takes \(Self.settings.keys.sorted().joined(separator: ", "))", node)
        }
        var read = DaemonConfiguration()
        for (key, value) in mapping {
            let word = key.scalar?.string ?? "?"
            guard let setting = Self.settings[word].flatMap(Setting.named) else {
                let known = Self.settings.keys.sorted()
                let near = Suggestion.nearest(to: word, among: known).map { "did you mean \($0)? " } ?? ""
                throw error("\(place).\(word)", "is not known; \(near)There are \(known.joined(separator: ", "))", key)
            }
            guard let text = value.scalar?.string.trimmingSpaces(), !text.isEmpty else {
                throw error("\(place).\(word)", "takes a single value", value)
            }
            do {
                try setting.read(text, &read)
            } catch {
                throw self.error("\(place).\(word)", "\"\(text)\" \(error.reason)", value)
            }
        }
        settings.apiKeyFile = read.apiKeyFile
        settings.rate = read.rate
        settings.running = read.running
        settings.pollsPerSecond = read.pollsPerSecond
        settings.creditsReserve = read.creditsReserve
        return settings
    }

    private func error(_ key: String, _ reason: String, _ node: Node) -> ConfigurationError {
        ConfigurationError(path, key, reason, node)
    }
}

extension ConfigurationError {
    /// What is wrong with a part of the file, and in which line.
    init(_ path: String, _ key: String, _ reason: String, _ node: Node) {
        self.init("\(key): \(reason) (\(node.mark.map { "\(path):\($0.line)" } ?? path))")
    }
}
