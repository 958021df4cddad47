import ArgumentParser
import FoundationEssentials
import PromptQueue

/// `--database`, before or after the name of the command.
struct DatabaseOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The database file. (default: $PROMPTD_DATABASE, else /var/lib/promptd/promptd.sqlite)",
            valueName: "file"
        ),
        completion: .file(extensions: ["sqlite", "db"])
    )
    var database: String?

    var path: String {
        if let database { return database }
        if let path = Console.current.environment["PROMPTD_DATABASE"], !path.isEmpty { return path }
        return Self.defaultPath
    }

    static let defaultPath = "/var/lib/promptd/promptd.sqlite"

    /// Whether there is such a file.
    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Opens the database for `body` and closes it afterwards.
    func open<T>(_ body: (any QueueClient) throws -> T) throws -> T {
        let file = try QueueOpener.open(path)
        let result: Result<T, any Error>
        do { result = .success(try body(file)) } catch { result = .failure(error) }
        try file.close()
        return try result.get()
    }

    func open<T>(_ body: (any QueueClient) async throws -> T) async throws -> T {
        let file = try QueueOpener.open(path)
        let result: Result<T, any Error>
        do { result = .success(try await body(file)) } catch { result = .failure(error) }
        try file.close()
        return try result.get()
    }
}

/// `--json`, on everything that reads.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print JSON: one object, or one object a line for lists.")
    var json = false
}
