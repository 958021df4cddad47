import ArgumentParser
import JobStore
import PromptQueue

struct ResolveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Settle an unconfirmed job.",
        discussion: """
            A job is unconfirmed when its request was sent and the answer was lost: the provider may have made a task, \
            and charged for it. Look at the provider's list of tasks, and then say what you have seen.
            """
    )

    @OptionGroup var database: DatabaseOption

    @Option(help: ArgumentHelp("The provider has made this task: follow it.", valueName: "id"))
    var task: String?

    @Flag(help: "There is no task: send the request again.")
    var resubmit = false

    @Flag(help: "Give the job up. What was reserved counts as spent, because it may have been.")
    var fail = false

    @Argument(help: "The job.")
    var id: JobID

    func validate() throws {
        guard [task != nil, resubmit, fail].count(where: \.self) == 1 else {
            throw ValidationError("Say what became of it: --task ID, --resubmit or --fail.")
        }
        if task?.isEmpty == true { throw ValidationError("--task: is empty.") }
    }

    func run() throws {
        let console = Console.current
        let resolution: Resolution = task.map { .task(TaskID($0)) } ?? (resubmit ? .resubmit : .fail)
        try database.open { file in try file.resolve(id, resolution, now: console.now()) }
        switch resolution {
        case .task(let task): console.say("job \(id): is running as task \(task)")
        case .resubmit: console.say("job \(id): is queued again")
        case .fail: console.say("job \(id): has failed; its reservation counts as spent")
        }
    }
}
