import ArgumentParser
import FoundationEssentials
import Glibc
import MediaStore
import PromptConfiguration
import PromptQueue
import SystemPackage

struct DoctorCommand: AsyncParsableCommand, SettingsCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check what promptd needs, and say how to fix it.",
        discussion: "Exits 0 if all is well, else with the code of the first thing that is not."
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var format: JSONOption

    @Flag(help: "Read the whole database for damages, too.")
    var full = false

    @Flag(help: "Write into the kept sums and counts what the rows add up to.")
    var rebuildSums = false

    @Flag(help: "Do not ask the provider.")
    var offline = false

    func run() async throws {
        let console = Console.current
        var findings = [directory]
        findings += file(console)
        findings.append(space)
        if let media { findings.append(check(media: media)) }
        findings.append(await provider(console))
        for finding in findings {
            if format.json {
                console.print(JSONValue.object(finding.object).json)
            } else {
                let sign = finding.status == nil ? "ok     " : "PROBLEM"
                let styled = console.hasColour ? (finding.status == nil ? Style.good : .bad).apply(to: sign) : sign
                console.print("\(styled)  \(finding.subject): \(finding.text)")
            }
        }
        if let status = findings.compactMap(\.status).first { throw CommandError(status, "") }
    }

    /// One thing that was looked at.
    struct Finding {
        var subject: String
        var text: String
        /// `nil`: all is well.
        var status: ExitStatus?

        var object: JSONObject {
            ["check": .string(subject), "ok": .bool(status == nil), "message": .string(text)]
        }
    }

    // MARK: - The checks

    private var directory: Finding {
        do {
            try QueueOpener.checkDirectory(of: database.path)
            return Finding(subject: "directory", text: "this user may write beside \(database.path)")
        } catch {
            return Finding(subject: "directory", text: error.message, status: ExitStatus(error))
        }
    }

    private func file(_ console: Console) -> [Finding] {
        let health: FileHealth
        do {
            health = try database.open { try $0.health(full: full) }
        } catch let error as LedgerError {
            return [Finding(subject: "database", text: error.message, status: ExitStatus(error))]
        } catch {
            return [Finding(subject: "database", text: "\(error)", status: .internal)]
        }
        var findings = [Finding(subject: "database", text: "\(database.path), schema version \(health.schemaVersion)")]
        let isOld = health.sqliteVersion.isOlder(than: "3.38.0")
        findings.append(
            Finding(
                subject: "SQLite",
                text: health.sqliteVersion + (isOld ? ": too old; promptd needs 3.38 or newer" : ""),
                status: isOld ? .unavailable : nil
            )
        )
        let isWAL = health.journalMode == "wal"
        findings.append(
            Finding(
                subject: "journal",
                text: isWAL ? "wal" : "\(health.journalMode): promptctl init switches to wal",
                status: isWAL ? nil : .configuration
            )
        )
        if let damages = health.damages {
            let text = damages.isEmpty ? "none" : "\(damages.joined(separator: "; ")): restore a backup"
            findings.append(Finding(subject: "damages", text: text, status: damages.isEmpty ? nil : .badData))
        }
        findings.append(sums)
        findings.append(clock(health.latest, console))
        let holder = QueueOpener.daemonProcessID(database.path)
        findings.append(
            Finding(
                subject: "daemon",
                text: holder.map { "runs, pid \($0)" } ?? "is not running; start it with systemctl start promptd",
                status: holder == nil ? .unavailable : nil
            )
        )
        return findings
    }

    /// Whether budgets, the account and the queues go by numbers that are true.
    private var sums: Finding {
        do {
            let faults = try database.open { try rebuildSums ? $0.rebuildSums() : $0.sumFaults() }
            guard !faults.isEmpty else { return Finding(subject: "sums", text: "agree with the ledger and the jobs") }
            let listed = faults.prefix(Self.listedFaults).map(\.description).joined(separator: "; ")
            let more = faults.count > Self.listedFaults ? "; and \(faults.count - Self.listedFaults) more" : ""
            return rebuildSums
                ? Finding(subject: "sums", text: "rebuilt: \(listed)\(more)")
                : Finding(
                    subject: "sums",
                    text: "somebody has written to them: \(listed)\(more): "
                        + "promptctl doctor --rebuild-sums puts them right, also while promptd runs",
                    status: .badData
                )
        } catch let error as LedgerError {
            return Finding(subject: "sums", text: error.message, status: ExitStatus(error))
        } catch {
            return Finding(subject: "sums", text: "\(error)", status: .internal)
        }
    }

    private static let listedFaults = 5

    private func clock(_ latest: Instant?, _ console: Console) -> Finding {
        let now = console.now()
        if let latest, latest - now > .seconds(60) {
            let text =
                "is \((latest - now).inWords) behind what the database has seen (\(latest.iso8601)); set it right"
            return Finding(subject: "clock", text: text, status: .configuration)
        }
        return Finding(subject: "clock", text: now.iso8601)
    }

    private var space: Finding {
        let path = database.path
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        var status = statvfs()
        guard unsafe statvfs(directory, &status) == 0 else {
            return Finding(subject: "disk", text: "\(directory): \(Errno(rawValue: errno))", status: .inputOutput)
        }
        let free = Int64(clamping: status.f_bavail).multipliedSaturated(by: Int64(clamping: status.f_frsize))
        let isLow = free < Self.leastFreeBytes
        return Finding(
            subject: "disk",
            text: "\(size(free)) free" + (isLow ? ": too little for results; make room" : ""),
            status: isLow ? .cannotCreate : nil
        )
    }

    /// The media directory, where it is known: configured, or beside the configured database.
    private var media: String? {
        let settings = Console.current.settings
        return settings.media != DaemonConfiguration().media || database.path == settings.database
            ? settings.media : nil
    }

    private func check(media path: String) -> Finding {
        func problem(_ text: String) -> Finding {
            Finding(subject: "media", text: "\(path): \(text)", status: .cannotCreate)
        }
        guard unsafe access(path, W_OK | X_OK) == 0 else {
            let advice = "make it, or give promptd's user the right to write there (media)"
            return problem("\(Errno(rawValue: errno)); \(advice)")
        }
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return problem(Errno(rawValue: errno).description) }
        let free = Int64(clamping: status.f_bavail).multipliedSaturated(by: Int64(clamping: status.f_frsize))
        guard free >= Self.leastFreeBytes else {
            return problem("\(size(free)) free: too little for results; make room")
        }
        do throws(MediaError) {
            let syncs = try MediaDirectory.tryOut(path)
            let remark =
                syncs ? "" : "; a directory cannot be synced there, so a power failure may take the names of files"
            return Finding(subject: "media", text: "\(path): a file can be kept there, \(size(free)) free\(remark)")
        } catch {
            return problem("a small file could not be kept there: \(error)")
        }
    }

    private static let leastFreeBytes: Int64 = 500_000_000

    private func provider(_ console: Console) async -> Finding {
        do {
            let access = try ProviderAccess(console)
            guard !offline else { return Finding(subject: "API key", text: "is there") }
            return Finding(subject: "provider", text: "\(access.baseURL): \(try await access.credits().inWords)")
        } catch let error as CommandError {
            let subject = error.status == .unavailable ? "provider" : "API key"
            return Finding(subject: subject, text: error.message, status: error.status)
        } catch {
            return Finding(subject: "provider", text: "\(error)", status: .internal)
        }
    }
}

extension String {
    /// Whether this version is older than `other`.
    fileprivate func isOlder(than other: String) -> Bool {
        split(separator: ".").compactMap { Int($0) }.lexicographicallyPrecedes(
            other.split(separator: ".").compactMap { Int($0) }
        )
    }
}
