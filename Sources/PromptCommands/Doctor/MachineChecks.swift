import FoundationEssentials
import Glibc
import MediaStore
import PromptQueue
import SystemPackage

/// What can be seen of the machine: disks, the service's unit, the process's limits.
struct MachineChecks {
    let database: DatabasePlace
    /// Nil: not known.
    let media: String?
    /// `uploads.roots`.
    let uploadRoots: [String]
    let root: String

    init(database: DatabasePlace, media: String?, uploadRoots: [String] = [], root: String = "") {
        self.database = database
        self.media = media
        self.uploadRoots = uploadRoots
        self.root = root
    }

    func run() -> [Finding] {
        var findings = database.path.map { [space($0)] } ?? []
        if let media { findings.append(check(media: media)) }
        findings += uploads
        findings += unit
        findings += descriptors
        return findings
    }

    /// Below it a few large results fill the disk.
    private static let littleSpace: Int64 = 500_000_000
    /// Below it promptd itself stops.
    private static let noSpace: Int64 = 16_000_000

    private func free(_ path: String) -> Int64? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        return Int64(clamping: status.f_bavail).multipliedSaturated(by: Int64(clamping: status.f_frsize))
    }

    private func space(_ subject: String, _ free: Int64, _ text: String) -> Finding {
        if free < Self.noSpace { return .fault(subject, text, fix: "make room: nothing can be kept") }
        return free < Self.littleSpace ? .warning(subject, text, fix: "make room") : .ok(subject, text)
    }

    private func space(_ path: String) -> Finding {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard let free = free(directory) else {
            return .fault("disk", "\(directory): \(Errno(rawValue: errno))")
        }
        return space("disk", free, "\(size(free)) free for the database")
    }

    private func check(media path: String) -> Finding {
        guard unsafe access(path, W_OK | X_OK) == 0 else {
            return .fault(
                "media",
                "\(path): \(Errno(rawValue: errno))",
                fix: "make it, or give promptd's user the right to write there (media)"
            )
        }
        guard let free = free(path) else { return .fault("media", "\(path): \(Errno(rawValue: errno))") }
        guard free >= Self.noSpace else { return space("media", free, "\(path): \(size(free)) free") }
        do throws(MediaError) {
            let syncs = try MediaDirectory.tryOut(path)
            guard syncs else {
                return .warning(
                    "media",
                    "\(path): a directory cannot be synced there, so a power failure may take the names of files",
                    fix: "use a file system that can"
                )
            }
            return space("media", free, "\(path): a file can be kept there, \(size(free)) free")
        } catch {
            return .fault("media", "\(path): a small file could not be kept there: \(error)")
        }
    }

    /// Where files are read that jobs take; nothing where there are none.
    private var uploads: [Finding] {
        var findings: [Finding] = []
        let spool =
            database.path.map { Spool(database: $0).directory }
            ?? media.map { Spool(of: database, media: $0).directory }
        if let spool, FileManager.default.fileExists(atPath: spool) {
            findings.append(
                unsafe access(spool, R_OK | W_OK | X_OK) == 0
                    ? .ok("uploads", "\(spool): files can be put there")
                    : .fault(
                        "uploads",
                        "\(spool): \(Errno(rawValue: errno))",
                        fix: "give it the group and the mode of the database's directory"
                    )
            )
        }
        for path in uploadRoots {
            var isDirectory = false
            let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
            let isOpen = unsafe access(path, X_OK) == 0
            findings.append(
                isThere && isOpen
                    ? .ok("uploads", "\(path): jobs may name its files")
                    : .warning(
                        "uploads",
                        "\(path): is no directory that this user can read",
                        fix: "mend uploads.roots, or let promptd's user read it"
                    )
            )
        }
        return findings
    }

    /// The unit, as systemd's own files show it; nothing where there is no systemd, or no unit.
    private var unit: [Finding] {
        let files = FileManager.default
        guard files.fileExists(atPath: "\(root)/run/systemd/system") else { return [] }
        let folders = [
            "/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
        ]
        guard folders.contains(where: { files.fileExists(atPath: "\(root)\($0)/promptd.service") }) else { return [] }
        let wants = "\(root)/etc/systemd/system/multi-user.target.wants/promptd.service"
        // A link that leads nowhere for us is one all the same.
        guard (try? files.destinationOfSymbolicLink(atPath: wants)) != nil else {
            return [.warning("unit", "is not started at boot", fix: "systemctl enable promptd")]
        }
        let invocation = "\(root)/run/systemd/units/invocation:promptd.service"
        guard (try? files.destinationOfSymbolicLink(atPath: invocation)) != nil else {
            return [.warning("unit", "is enabled, and not active", fix: "systemctl start promptd")]
        }
        return [.ok("unit", "enabled and active")]
    }

    /// How many files the daemon may open; nothing where this user may not see it.
    private var descriptors: [Finding] {
        // A daemon of a server's database may be on another machine.
        guard database.path != nil, let pid = QueueOpener.daemonProcessID(database),
            let data = FileManager.default.contents(atPath: "/proc/\(pid)/limits")
        else { return [] }
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("Max open files") }
        guard let limit = line?.split(separator: " ").dropFirst(3).first.flatMap({ Int($0) }) else { return [] }
        return limit < 1_024
            ? [
                .warning(
                    "files",
                    "the daemon may open \(limit) at once",
                    fix: "LimitNOFILE= of the unit, or ulimit -n: at least 1024"
                )
            ] : [.ok("files", "the daemon may open \(grouped(limit)) at once")]
    }
}
