import Foundation

/// What a run of kills has met.
struct KillTally {
    /// Lives that SIGKILL ended.
    var kills = 0
    /// Lives that SIGTERM ended.
    var drains = 0
    /// Starts at which two daemons stood at once.
    var rivals = 0
    /// Lives that ended before the daemon said that it was running.
    var duringStart = 0
    /// Requests under way when the daemon died, as the next one found them.
    var requests = 0
    /// Tasks and downloads that starts took up.
    var tasks = 0
    var downloads = 0
    /// Files that were only half written when the daemon died.
    var halfFiles = 0
    /// Looks at the ledger while a daemon worked, and how many of them found a budget holding jobs.
    var looks = 0
    var holds = 0
    /// Dead databases that were opened and compared with the provider.
    var autopsies = 0

    /// Takes in what a daemon's log says of its start.
    mutating func count(log: String) {
        if !log.contains("is running") { duringStart += 1 }
        for line in log.split(separator: "\n") {
            if line.contains("promptd ended before the answer came") { requests += 1 }
            guard line.contains("taking up what was under way") else { continue }
            tasks += Self.field("tasks", of: line)
            downloads += Self.field("downloads", of: line)
        }
    }

    private static func field(_ name: String, of line: Substring) -> Int {
        for field in line.split(separator: " ") where field.hasPrefix("\(name)=") {
            return Int(field.dropFirst(name.count + 1)) ?? 0
        }
        return 0
    }

    var text: String {
        """
        \(kills) kills, \(duringStart) of \(kills + drains) lives ended during their start, \(requests) requests, \(tasks) \
        tasks and \(downloads) downloads were under way and \(halfFiles) files half written; \(drains) drains, \(rivals) \
        starts of two at once; a budget held jobs in \(holds) of \(looks) looks; \(autopsies) dead databases were whole
        """
    }
}
