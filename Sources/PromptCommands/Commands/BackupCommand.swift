import ArgumentParser
import FoundationEssentials
import Glibc
import PromptQueue

struct BackupCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the database, of one instant, into a new file.",
        discussion: """
            Works while the daemon is at work. The copy is checked (integrity_check) before it gets its name. In a directory \
            it is called promptd-TIME.sqlite. Media are files of their own: copy their directory as well. A promptd that is \
            started on a copy submits nothing until you have said what became of the requests that the copy does not know \
            of: promptctl restored. For database files: PostgreSQL has pg_dump and pg_basebackup.
            """
    )

    @OptionGroup var database: DatabaseOption

    @Option(
        help: ArgumentHelp(
            "In a directory: keep so many copies, and remove the oldest ones beyond.",
            valueName: "count"
        )
    )
    var keep: Int?

    @Argument(help: "The new file, or a directory for it.", completion: .file())
    var file: String

    func validate() throws {
        if let keep, keep < 1 { throw ValidationError("--keep: \(keep) is not at least 1.") }
    }

    func run() throws {
        let console = Console.current
        _ = try database.file("backup", instead: "\(Advice.backUpServer)")
        var isDirectory = false
        let exists = FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory)
        guard exists || !file.hasSuffix("/") else {
            throw CommandError(.cannotCreate, "\(file): no such directory; make it first")
        }
        guard !exists || isDirectory else {
            throw CommandError(.cannotCreate, "\(file): exists already; choose another name")
        }
        guard keep == nil || isDirectory else {
            throw CommandError(
                .usage,
                "--keep: goes with a directory, in which old copies are removed; \(file) is none"
            )
        }
        let directory = file.hasSuffix("/") ? file : file + "/"
        let path = isDirectory ? directory + BackupName(console.now()).text : file
        guard !FileManager.default.fileExists(atPath: path) else {
            throw CommandError(.cannotCreate, "\(path): exists already; try again in a second")
        }
        try WholeFile.write(path) { partial in
            try database.open { try $0.copy(to: partial) }
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        console.say("copied to \(path), \(size((attributes[.size] as? Int64) ?? 0))")
        if let keep { try removeOldest(beyond: keep, in: directory, console) }
    }

    private func removeOldest(beyond keep: Int, in directory: String, _ console: Console) throws {
        let copies = try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { BackupName(text: $0) != nil }
            // Their names sort by time.
            .sorted()
        for name in copies.dropLast(keep) {
            guard unsafe unlink(directory + name) == 0 else {
                throw CommandError(.inputOutput, "\(directory)\(name): an old copy could not be removed")
            }
            console.say("removed \(directory)\(name)")
        }
    }
}

/// `promptd-20271112T080640Z.sqlite`: the name of a copy in a directory.
struct BackupName {
    let text: String

    init(_ instant: Instant) {
        // 2027-11-12T08:06:40Z, without the signs that some file systems refuse.
        let time = instant.iso8601.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" && $0 != "Z" }
        text = "promptd-\(time)Z.sqlite"
    }

    /// - Returns: nil if it is another file's name.
    init?(text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "promptd", parts[1].hasSuffix("Z.sqlite"), parts[1].count == 23 else {
            return nil
        }
        let time = parts[1].prefix(15)
        guard
            time.enumerated().allSatisfy({
                $0.offset == 8 ? $0.element == "T" : $0.element.isASCII && $0.element.isNumber
            })
        else { return nil }
        self.text = text
    }
}
