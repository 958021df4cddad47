import ArgumentParser
import FoundationEssentials
import Glibc
import PromptQueue
import SystemPackage

struct BackupCommand: ParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the database, of one instant, into a new file.",
        discussion: "Works while the daemon is at work. Media are files of their own: copy their directory as well."
    )

    @OptionGroup var database: DatabaseOption
    @Argument(help: "The new file.", completion: .file())
    var file: String

    func run() throws {
        guard !FileManager.default.fileExists(atPath: file) else {
            throw CommandError(.cannotCreate, "\(file): exists already; choose another name")
        }
        // Under a name of its own until it is whole and on disk.
        let partial = file + ".partial"
        unsafe unlink(partial)
        do {
            try database.open { try $0.copy(to: partial) }
            try Self.sync(partial)
            guard unsafe rename(partial, file) == 0 else {
                throw CommandError(.cannotCreate, "\(file): cannot be made: \(Errno(rawValue: errno))")
            }
            try Self.sync(file.contains("/") ? String(file[...(file.lastIndex(of: "/") ?? file.startIndex)]) : ".")
        } catch {
            unsafe unlink(partial)
            throw error
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        Console.current.say("copied to \(file), \(size((attributes[.size] as? Int64) ?? 0))")
    }

    /// Waits until a file or directory is on disk.
    private static func sync(_ path: String) throws(CommandError) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandError(.inputOutput, "\(path): cannot be opened: \(Errno(rawValue: errno))")
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw CommandError(.inputOutput, "\(path): cannot be synced: \(Errno(rawValue: errno))")
        }
    }
}
