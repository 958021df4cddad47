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
        let place = database.place
        do {
            let isNew = try QueueOpener.create(place)
            Console.current.say(isNew ? "created \(place)" : "\(place) is up to date")
        } catch {
            if let path = place.path {
                guard !FileManager.default.fileExists(atPath: path), error.code == .permission else { throw error }
            } else {
                guard error.code == .permission else { throw error }
            }
            throw CommandError(.cannotCreate, error.message)
        }
    }
}
