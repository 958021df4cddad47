import Configuration
import FoundationEssentials
import PromptQueue
import SystemPackage
import Yams

/// Reads the configuration: the environment over the file over the defaults.
package struct ConfigurationLoader {
    package static let defaultFile = "/etc/promptd/promptd.yaml"

    private let file: String?
    private let environment: [String: String]
    private let reader: ConfigReader

    /// - Parameters:
    ///   - file: a file that must exist; nil for `standardFile`, which may be missing.
    ///   - isEnvironmentChecked: whether a variable that looks like a setting and is none is an error.
    /// - Throws: `ConfigurationError`, naming the key, the value and what is allowed.
    package static func load(
        file: String?,
        standardFile: String? = defaultFile,
        environment: [String: String],
        isEnvironmentChecked: Bool = true
    ) async throws(ConfigurationError) -> DaemonConfiguration {
        let loader = try await ConfigurationLoader(file, standardFile, environment)
        if isEnvironmentChecked { try loader.checkEnvironment() }
        return try loader.read()
    }

    private init(
        _ file: String?,
        _ standardFile: String?,
        _ environment: [String: String]
    ) async throws(ConfigurationError) {
        let path = (file ?? standardFile).flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
        if let file, path == nil { throw ConfigurationError("\(file): no such file") }
        self.file = path
        self.environment = environment
        var providers: [any ConfigProvider] = [
            EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "promptd")
        ]
        if let path {
            try ConfigurationFile.check(path)
            do {
                providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)))
            } catch {
                // An empty file is not a mapping to the provider, and not an error to us.
                guard try ConfigurationFile.isEmpty(path) else {
                    throw ConfigurationError("\(path): \(error)")
                }
            }
        }
        reader = ConfigReader(providers: providers)
    }

    /// A misspelt variable would otherwise go unnoticed.
    private func checkEnvironment() throws(ConfigurationError) {
        // Of promptctl's alone, and no harm where a shell hands it on.
        let known = Set(Setting.all.map(\.environmentName) + ["PROMPTD_OPENER"])
        for name in environment.keys.sorted()
        where name.hasPrefix("PROMPTD_") && !known.contains(name) && !name.hasPrefix("PROMPTD_TEST_") {
            let near = Suggestion.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
            throw ConfigurationError("\(name) is not a setting of promptd\(near) (environment)")
        }
    }

    private func read() throws(ConfigurationError) -> DaemonConfiguration {
        var result = DaemonConfiguration()
        if let file {
            result.hooks = try ConfigurationFile.hooks(file)
            result.accounts = try ConfigurationFile.accounts(file)
        }
        for setting in Setting.all {
            for text in texts(of: setting) {
                do { try setting.read(text, &result) } catch { throw problem(setting, text, error) }
            }
        }
        for setting in Setting.all {
            for text in texts(of: setting) {
                do { try setting.check(text, result) } catch { throw problem(setting, text, error) }
            }
        }
        return result
    }

    /// What is written for a setting: nothing, one text, or the items of a list.
    private func texts(of setting: Setting) -> [String] {
        let key = ConfigKey(setting.key)
        guard let text = reader.string(forKey: key)?.trimmingSpaces() else {
            return setting.isList ? (reader.stringArray(forKey: key) ?? []).map { $0.trimmingSpaces() } : []
        }
        guard setting.isList else { return [text] }
        // In the environment, or of a careless writer.
        return text.isEmpty
            ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmingSpaces() }
    }

    private func problem(_ setting: Setting, _ text: String, _ problem: Setting.Problem) -> ConfigurationError {
        let place = environment[setting.environmentName] != nil ? "environment \(setting.environmentName)" : file ?? "?"
        return ConfigurationError("\(setting.key): \"\(text)\" \(problem.reason) (\(place))")
    }
}
