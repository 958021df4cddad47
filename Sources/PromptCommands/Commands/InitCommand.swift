import ArgumentParser
import FoundationEssentials
import PromptQueue

struct InitCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Create the database, or bring an older one up to date.",
        discussion: "Harmless on a database that is up to date: nothing is changed."
    )

    @OptionGroup var database: DatabaseOption

    func run() throws {
        let path = database.path
        let existed = FileManager.default.fileExists(atPath: path)
        do {
            try QueueOpener.create(path)
        } catch {
            guard !existed, error.code == .permission else { throw error }
            throw CommandError(.cannotCreate, error.message)
        }
        Console.current.say(existed ? "\(path) is up to date" : "created \(path)")
    }
}
