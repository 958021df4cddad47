import ArgumentParser
import MediaStore
import PromptConfiguration
import PromptQueue

struct RestoredCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "restored",
        abstract: "After an older copy of the database was put in place: say what is known, and let it submit again.",
        discussion: """
            promptd notices at its start when its database is an older copy. It goes on with tasks that it knows, but submits \
            nothing: jobs that wait in the copy may have been sent, and paid for, after it was made. Cancel those, then \
            --release it. The account's balance tells what the missing requests cost: promptctl credits.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    @Flag(help: "Cancel the waiting jobs of which the media directory has files: those are paid for.")
    var cancelPaid = false

    @Flag(help: "Cancel all jobs that wait in the copy.")
    var cancelWaiting = false

    @Flag(help: "Let promptd submit what waits then.")
    var release = false

    func run() throws {
        let console = Console.current
        try database.open { file in
            guard let copy = try file.restoredCopy() else {
                if try file.isUnnoticedCopy() {
                    throw CommandError(
                        .temporary,
                        "\(database.path): is a copy that promptd has not been started on yet; start it (it submits nothing)"
                    )
                }
                if format.json {
                    console.print(JSONValue.object(["restored": .bool(false)]).json)
                } else {
                    console.say("no copy is held; nothing has to be done")
                }
                return
            }
            var waiting = try file.jobsToSend(of: copy)
            let paid = try jobsWithFiles(file, console)
            if cancelWaiting || cancelPaid {
                var jobs = waiting
                if !cancelWaiting {
                    switch paid {
                    case .success(let paid): jobs = waiting.filter(paid.contains)
                    case .failure(let error):
                        throw CommandError(
                            .cannotCreate,
                            "\(error): it is not known which jobs are paid for; nothing was done"
                        )
                    }
                }
                let outcome = try file.apply(.cancel, to: jobs)
                console.say("cancelled \(count(outcome.changed, "job"))")
                if let (job, reason) = outcome.refused.first {
                    throw CommandError(.badData, "job \(job): \(reason); nothing was released")
                }
                waiting = try file.jobsToSend(of: copy)
            }
            if release {
                try file.release()
                console.say(
                    "released: promptd submits \(count(waiting.count, "waiting job")) of the copy, and what comes later"
                )
                return
            }
            report(copy, waiting, paid, console)
        }
    }

    private func report(
        _ copy: RestoredCopy,
        _ waiting: [JobID],
        _ paid: Result<Set<JobID>, MediaError>,
        _ console: Console
    ) {
        let known = (try? paid.get()).map { paid in waiting.filter(paid.contains) }
        if format.json {
            console.print(
                JSONValue.object([
                    "restored": .bool(true),
                    "since": JSONValue(copy.since),
                    "missing_requests": copy.requests.map { .integer($0) } ?? .null,
                    "last_job": .integer(copy.lastJob.rawValue),
                    "waiting_jobs": .integer(Int64(waiting.count)),
                    "waiting_jobs_with_files": known.map { .array($0.map { .integer($0.rawValue) }) } ?? .null,
                ])
                .json
            )
            return
        }
        console.print("\(copy.text) (noticed \(copy.since.iso8601))")
        console.print(
            "nothing is submitted; \(count(waiting.count, "job")) of the copy would be sent once it is released"
        )
        if let known {
            console.print(
                known.isEmpty
                    ? "the media directory has files of none of them"
                    : "the media directory has files of \(grouped(known.count)) of them, which are paid for: "
                        + known.prefix(20).map { "\($0)" }.joined(separator: " ") + (known.count > 20 ? " …" : "")
            )
        } else if case .failure(let error) = paid {
            console.print("\(error): it is not known which of them are paid for")
        }
        console.say("promptctl credits        what the account says of the missing requests")
        console.say("promptctl restored --cancel-paid --release      go on without those that are known to be paid for")
        console.say(
            "promptctl restored --cancel-waiting --release   go on without any job of the copy; add again what is missing"
        )
    }

    private func jobsWithFiles(
        _ file: any QueueClient,
        _ console: Console
    ) throws -> Result<Set<JobID>, MediaError> {
        let id = try file.databaseID()
        do throws(MediaError) {
            return .success(try MediaDirectory(existing: console.settings.media, databaseID: id).jobsWithFiles())
        } catch {
            return .failure(error)
        }
    }
}
