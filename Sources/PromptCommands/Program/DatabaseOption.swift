import ArgumentParser
import FoundationEssentials
import MediaStore
import PromptConfiguration
import PromptQueue

/// A command that goes by the settings.
protocol SettingsCommand: ParsableCommand {
    var database: DatabaseOption { get }
}

/// `--database` and `--config`, before or after the name of the command.
struct DatabaseOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The database: a file, or where PostgreSQL has it (postgresql://…, service=NAME). (default: $PROMPTD_DATABASE, else as configured, else \(DaemonConfiguration().database))",
            valueName: "database"
        ),
        completion: .file(extensions: ["sqlite", "db"])
    )
    var database: String?

    @Option(
        help: ArgumentHelp(
            "The daemon's configuration file. (default: \(ConfigurationLoader.defaultFile), if it is there)",
            valueName: "file"
        ),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    var place: DatabasePlace { DatabasePlace(database ?? Console.current.settings.database) }

    /// As it is shown.
    var path: String { place.description }

    /// Where files wait that are to be uploaded.
    var spool: Spool { Spool(of: place, media: Console.current.settings.media) }

    /// Reads the settings as the daemon does, so that one truth holds for both.
    ///
    /// - Throws: `CommandError` that names the key, the value and what is allowed. With a database that is named, a file that
    ///   nobody asked for and that cannot be used is only worth a warning.
    func settings(_ console: Console) async throws(CommandError) -> DaemonConfiguration {
        if let database, DatabasePlace(database).holdsPassword {
            console.say(
                "warning: --database: a password in an address is seen in lists of processes and in the shell's history; put it into "
                    + "~/.pgpass, a file that PGPASSFILE names, or a service file (service=NAME), and leave it out"
            )
        }
        // In a shell an empty variable is none.
        let environment = console.environment.filter { !$0.value.isEmpty }
        do throws(ConfigurationError) {
            return try await ConfigurationLoader.load(
                file: config,
                standardFile: console.configurationFile,
                environment: environment,
                isEnvironmentChecked: false
            )
        } catch {
            guard config == nil, database != nil || environment["PROMPTD_DATABASE"] != nil,
                let settings = try? await ConfigurationLoader.load(
                    file: nil,
                    standardFile: nil,
                    environment: environment,
                    isEnvironmentChecked: false
                )
            else { throw CommandError(.configuration, error.description) }
            console.say("warning: \(error)")
            return settings
        }
    }

    /// Whether there is such a file. Of a server only asking it tells.
    var exists: Bool { place.path.map { FileManager.default.fileExists(atPath: $0) } ?? true }

    /// The file.
    ///
    /// - Throws: `CommandError` with what does the same for a server.
    func file(_ command: String, instead: String) throws(CommandError) -> String {
        guard let path = place.path else {
            throw CommandError(
                .usage,
                "\(command): is for database files, and \(place) is a PostgreSQL server's. \(instead)"
            )
        }
        return path
    }

    /// Opens the database for `body` and closes it afterwards.
    func open<T>(_ body: (any QueueClient) throws -> T) throws -> T {
        let file = try QueueOpener.open(place)
        let result: Result<T, any Error>
        do { result = .success(try body(file)) } catch { result = .failure(error) }
        try file.close()
        return try result.get()
    }

    func open<T>(_ body: (any QueueClient) async throws -> T) async throws -> T {
        let file = try QueueOpener.open(place)
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
