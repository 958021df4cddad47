import FoundationEssentials
import Yams

/// The file itself: its syntax, and that it says nothing that would be ignored.
enum ConfigurationFile {
    static func check(_ path: String) throws(ConfigurationError) {
        guard let root = try root(path) else { return }
        guard let mapping = root.mapping else {
            throw ConfigurationError("\(path): is not a mapping of keys to values")
        }
        try check(mapping, prefix: "", path)
    }

    /// What the file says of hooks, which are no single values.
    static func hooks(_ path: String) throws(ConfigurationError) -> [Hook] {
        guard let node = try root(path)?.mapping?[hooksKey] else { return [] }
        return try HookReader(path: path).hooks(node)
    }

    /// What the file says of further accounts, which are no single values either.
    static func accounts(_ path: String) throws(ConfigurationError) -> [AccountSettings] {
        guard let node = try root(path)?.mapping?[accountsKey] else { return [] }
        return try AccountReader(path: path).accounts(node)
    }

    private static let hooksKey = "hooks"
    private static let accountsKey = "accounts"

    static func isEmpty(_ path: String) throws(ConfigurationError) -> Bool {
        try root(path) == nil
    }

    private static func root(_ path: String) throws(ConfigurationError) -> Node? {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(path): cannot be read; check its permissions")
        }
        do {
            let node = try Yams.compose(yaml: String(decoding: data, as: UTF8.self))
            return node?.scalar?.string.isEmpty == true ? nil : node
        } catch {
            throw ConfigurationError("\(path): \(error)")
        }
    }

    private static func check(_ mapping: Node.Mapping, prefix: String, _ path: String) throws(ConfigurationError) {
        let known = Setting.all.map(\.key) + (prefix.isEmpty ? [hooksKey, accountsKey] : [])
        for (keyNode, value) in mapping {
            let key = prefix + (keyNode.string ?? "?")
            let place = keyNode.mark.map { "\(path):\($0.line)" } ?? path
            // They are read by themselves.
            if [hooksKey, accountsKey].contains(key) { continue }
            if let inner = value.mapping, known.contains(where: { $0.hasPrefix(key + ".") }) {
                try check(inner, prefix: key + ".", path)
            } else if value.scalar?.string.isEmpty == true, known.contains(where: { $0.hasPrefix(key + ".") }) {
                // A section in which nothing is set.
                continue
            } else if !known.contains(key) {
                let near = Suggestion.nearest(to: key, among: known).map { "; did you mean \($0)?" } ?? ""
                throw ConfigurationError("\(key) is not a setting of promptd\(near) (\(place))")
            } else if Setting.named(key)?.isList == true, let items = value.sequence {
                // What is not text the reader would drop without a word.
                if items.contains(where: { $0.scalar == nil }) {
                    throw ConfigurationError("\(key): takes a list of single values (\(place))")
                }
            } else if value.scalar == nil {
                throw ConfigurationError("\(key): takes a single value (\(place))")
            }
        }
    }
}
