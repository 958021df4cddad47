import ArgumentParser
import FoundationEssentials
import MediaStore
import PromptConfiguration
import PromptQueue

struct MigrateCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Carry the queue to another database: from a file to PostgreSQL, or back.",
        discussion: """
            While all daemons are stopped. All of it is carried: jobs, requests and what they cost, results, budgets, schedules, hooks; \
            media stay where they are. The database that is left refuses whatever is written from then on, and says where the queue \
            has gone; it can still be read. The other one can be worked on when everything has come and was compared, rows and sums. \
            What breaks off goes on when it is called again, and --undo takes it back as long as it is not finished.

            promptctl migrate --to "postgresql://promptd@db.example/promptd"
            promptctl migrate --database "service=promptd" --to /var/lib/promptd/promptd.sqlite
            """
    )

    @OptionGroup var database: DatabaseOption

    @Option(
        help: ArgumentHelp(
            "Where to: postgresql://…, service=NAME, or a file that is not there yet.",
            valueName: "place"
        )
    )
    var to: String?

    @Flag(help: "Take back a move that is not finished: the database that it began from can be worked on again.")
    var undo = false

    func validate() throws {
        guard undo != (to != nil) else {
            throw ValidationError("Say --to postgresql://… or --to a new file; or --undo, to take a move back.")
        }
    }

    func run() async throws {
        let console = Console.current
        let place = database.place
        let goal = to.map { DatabasePlace($0) }
        if let goal, (goal.path == nil) == (place.path == nil) {
            throw CommandError(
                .usage,
                "--to names a \(goal.path == nil ? "server" : "file"), as the database does; a queue moves from one kind to the "
                    + "other. promptctl backup copies a file"
            )
        }
        let source = try await QueueOpener.moveSource(
            place,
            media: console.settings.media,
            state: console.settings.stateDirectory
        )
        let result: Result<Void, any Error>
        do { result = .success(try await run(from: source, to: goal, console)) } catch { result = .failure(error) }
        await source.disconnect()
        try result.get()
    }

    private func run(from source: any MoveSource, to goal: DatabasePlace?, _ console: Console) async throws {
        guard let goal else {
            guard let move = try await source.record() else {
                throw CommandError(.usage, "\(source.place): is in no move")
            }
            try await source.reopen()
            console.say("\(source.place) can be worked on again; what has come to \(move.destination) is of no use")
            return
        }
        let destination = try await QueueOpener.moveDestination(goal)
        let result: Result<Void, any Error>
        do { result = .success(try await move(source, destination, console)) } catch { result = .failure(error) }
        await destination.disconnect()
        try result.get()
    }

    private func move(_ source: any MoveSource, _ destination: any MoveDestination, _ console: Console) async throws {
        let notes = try await MoveRun(source: source, destination: destination) { step in
            switch step {
            case .closed: console.say("\(source.place) takes no more jobs")
            case .taken(let table, let part) where part.count > 0:
                console.say("  \(table): \(count(part.count, "row"))")
            case .verified(let rows, let sums):
                console.say("compared on both sides: \(count(rows, "row")), \(count(sums, "sum"))")
            case .completed: console.say("comparing both sides")
            case .begun, .sent, .taken, .finished, .opened: break
            }
        }.run()
        for note in notes + spooled(console) { console.say("note: \(note)") }
        console.say("the queue has moved from \(source.place) to \(destination.place)")
        console.say("next: name it in the configuration (database:), and start promptd")
    }

    /// Files that wait to be uploaded are not in the database.
    private func spooled(_ console: Console) -> [String] {
        guard let to else { return [] }
        let old = Spool(of: database.place, media: console.settings.media).directory
        let new = Spool(of: DatabasePlace(to), media: console.settings.media).directory
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: old), !names.isEmpty else { return [] }
        return ["\(count(names.count, "file")) that jobs may wait for, in \(old): copy them to \(new)"]
    }
}
