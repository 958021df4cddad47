import PromptQueue
import Yams

/// Reads `hooks` of the configuration file: a mapping from a hook's name to what it is.
struct HookReader {
    private static let keys = ["on", "command", "url", "secretFile", "allowHost", "timeout", "queue", "batch"]
    private static let timeouts: ClosedRange<Duration> = .seconds(1)...(.seconds(600))
    private static let most = 50

    let path: String

    func hooks(_ node: Node) throws(ConfigurationError) -> [Hook] {
        if node.scalar?.string.isEmpty == true { return [] }
        guard let mapping = node.mapping else {
            throw error("hooks", "takes a mapping of names to hooks", node)
        }
        guard mapping.count <= Self.most else { throw error("hooks", "takes \(Self.most) hooks at most", node) }
        var hooks: [Hook] = []
        for (key, value) in mapping { hooks.append(try hook(key, value)) }
        return hooks
    }

    private func hook(_ key: Node, _ node: Node) throws(ConfigurationError) -> Hook {
        let name = key.scalar?.string ?? "?"
        let place = "hooks.\(name)"
        guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]{0,63}/) != nil else {
            throw error(place, "is no name for a hook; it takes letters, digits, _ and -, 64 at most", key)
        }
        guard let mapping = node.mapping else { throw error(place, "takes on, and command or url", node) }
        var values: [String: Node] = [:]
        for (key, value) in mapping {
            let word = key.scalar?.string ?? "?"
            guard Self.keys.contains(word) else {
                let near = Suggestion.nearest(to: word, among: Self.keys).map { "did you mean \($0)? " } ?? ""
                throw error(
                    "\(place).\(word)",
                    "is not known; \(near)There are \(Self.keys.joined(separator: ", "))",
                    key
                )
            }
            values[word] = value
        }
        var rule = HookRule(name: name, events: try events(values["on"], place, node))
        rule.queue = try text(values["queue"], "\(place).queue")
        rule.batch = try text(values["batch"], "\(place).batch")
        var hook = Hook(rule: rule, action: try action(values, place, node))
        if let text = try text(values["timeout"], "\(place).timeout") {
            guard let timeout = Duration(text: text), Self.timeouts.contains(timeout) else {
                throw error(
                    "\(place).timeout",
                    "\"\(text)\" is not a duration from 1s to 10m",
                    values["timeout"] ?? node
                )
            }
            hook.timeout = timeout
        }
        return hook
    }

    private func events(_ node: Node?, _ place: String, _ hook: Node) throws(ConfigurationError) -> Set<HookEvent> {
        let choices = HookEvent.choices.map(\.rawValue)
        guard let node, let words = try list(node, "\(place).on"), !words.isEmpty else {
            throw error("\(place).on", "is missing: a list of \(choices.joined(separator: ", "))", node ?? hook)
        }
        var events: Set<HookEvent> = []
        for word in words {
            guard let event = HookEvent(rawValue: word), event != .test else {
                let near = Suggestion.nearest(to: word, among: choices).map { "did you mean \($0)? " } ?? ""
                throw error(
                    "\(place).on",
                    "\"\(word)\" is no event; \(near)There are \(choices.joined(separator: ", "))",
                    node
                )
            }
            events.insert(event)
        }
        return events
    }

    private func action(
        _ values: [String: Node],
        _ place: String,
        _ hook: Node
    ) throws(ConfigurationError) -> Hook.Action {
        switch (values["command"], values["url"]) {
        case (let command?, nil):
            for key in ["secretFile", "allowHost"] {
                if let node = values[key] { throw error("\(place).\(key)", "goes with url, not with command", node) }
            }
            guard let words = try list(command, "\(place).command"), let program = words.first, program.hasPrefix("/")
            else {
                throw error("\(place).command", "takes a program's whole path and its arguments, as a list", command)
            }
            return .command(words)
        case (nil, let node?):
            let url = try text(node, "\(place).url") ?? ""
            guard let parts = WebURL(url) else {
                throw error("\(place).url", "\"\(url)\" is not a URL like https://example.org/promptd", node)
            }
            let allowed = try text(values["allowHost"], "\(place).allowHost")
            guard allowed == nil || allowed == parts.host else {
                throw error(
                    "\(place).allowHost",
                    "\"\(allowed ?? "")\" is not the host of the url, \(parts.host)",
                    values["allowHost"] ?? node
                )
            }
            guard parts.scheme == .https || allowed != nil else {
                throw error(
                    "\(place).url",
                    "\"\(url)\" is not https; plain http is taken with allowHost: \(parts.host)",
                    node
                )
            }
            let secret = try text(values["secretFile"], "\(place).secretFile")
            return .webhook(Hook.Webhook(url: url, secretFile: secret, isHostAllowed: allowed != nil))
        default:
            throw error(place, "takes a command or a url, one of them", hook)
        }
    }

    private func text(_ node: Node?, _ place: String) throws(ConfigurationError) -> String? {
        guard let node else { return nil }
        guard let text = node.scalar?.string.trimmingSpaces(), !text.isEmpty else {
            throw error(place, "takes a single value", node)
        }
        return text
    }

    /// Nil for what is no list of single values.
    private func list(_ node: Node, _ place: String) throws(ConfigurationError) -> [String]? {
        guard let items = node.sequence else { throw error(place, "takes a list, like [a, b]", node) }
        let texts = items.compactMap { $0.scalar?.string }
        return texts.count == items.count ? texts : nil
    }

    private func error(_ key: String, _ reason: String, _ node: Node) -> ConfigurationError {
        ConfigurationError(path, key, reason, node)
    }
}
