import ArgumentParser
import FoundationEssentials
import PromptQueue

struct RestoreCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup in the database's place.",
        discussion: """
            While promptd is stopped. The database that is there is moved aside with everything that belongs to it, never \
            deleted; a plain copy over it would leave its write-ahead log to be mixed into the backup. promptd submits \
            nothing on the restored database until you have looked at it: promptctl restored. For database files: PostgreSQL \
            has pg_restore.
            """
    )

    @OptionGroup var database: DatabaseOption

    @Argument(help: "The backup.", completion: .file(extensions: ["sqlite", "db"]))
    var backup: String

    func run() throws {
        let console = Console.current
        let path = try database.file("restore", instead: "\(Advice.restoreServer)")
        let aside = try QueueOpener.restore(backup, to: path, at: console.now())
        if let aside { console.say("the database that was there is now \(aside)") }
        console.say("restored \(path) from \(backup)")
        console.say("next: start promptd, then promptctl restored")
    }
}
