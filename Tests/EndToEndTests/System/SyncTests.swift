import Foundation
import Testing

extension SystemTests {
    /// That what promptd intends is on disk before it acts: seen in the daemon's system calls.
    @Suite(.timeLimit(.minutes(2)))
    struct SyncTests {
        private static let strace = "/usr/bin/strace"

        @Test func `every request leaves after its claim was synced, and jobs that are ready together share syncs`()
            async throws
        {
            guard FileManager.default.isExecutableFile(atPath: Self.strace) else {
                try Test.cancel("strace is not installed")
            }
            try await Stage.with { stage in
                let sandbox = try await stage.sandbox(
                    "--duration",
                    "200ms",
                    "--jitter",
                    "0s",
                    "--rate",
                    "1000/1s",
                    "--poll-rate",
                    "off",
                    "--credits",
                    "10000"
                )
                let trace = "\(stage.folder)/trace"
                let daemon = try stage.start(
                    Self.strace,
                    [
                        "-f", "-y", "-s", "40", "-o", trace,
                        "-e", "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg",
                        Programs.path(of: "promptd"), "--config", stage.configuration,
                    ],
                    environment: stage.environment(
                        sandbox,
                        [
                            "PROMPTD_LIMITS_SUBMISSIONS": "1000", "PROMPTD_LIMITS_WINDOW": "1s",
                            "PROMPTD_DOWNLOADS_ENABLED": "false", "PROMPTD_LIMITS_POLLS_PER_SECOND": "1000",
                        ]
                    )
                )
                try await daemon.line(with: "is running")
                // The daemon is strace's child: it has to be ended itself, whatever happens here.
                let pid = Int32(try await stage.ledger.number("SELECT pid FROM daemon"))
                var isEnded = false
                defer { if !isEnded { kill(pid, SIGTERM) } }
                for number in 1...5 {
                    let job = try await stage.ledger.insert("a fox, number \(number)")
                    try await stage.ledger.wait(job: job, is: "succeeded")
                }
                let single = try calls(trace)
                let posts = single.indices.filter { single[$0].contains("POST /api/v1/jobs/createTask") }
                #expect(posts.count == 5)
                for post in posts {
                    // The last word on the log before the request is a sync, not a write.
                    let last = single[..<post].last { $0.contains("promptd.sqlite-wal") && !$0.contains("resumed") }
                    #expect(last?.contains("fdatasync(") == true, "\(last ?? "no sync at all")")
                }

                try await stage.insert(100)
                try await stage.ledger.wait(for: "105", from: "SELECT count(*) FROM jobs WHERE state = 'succeeded'")
                let syncs = try calls(trace).dropFirst(single.count)
                    .filter { $0.contains("fdatasync(") && $0.contains("promptd.sqlite-wal") }
                SystemTests.report("100 jobs, each claimed, accepted and ended: \(syncs.count) syncs of the log")
                #expect(syncs.count >= 3)
                #expect(syncs.count < 300)
                kill(pid, SIGTERM)
                #expect(try await daemon.end() == .exit(0))
                isEnded = true
            }
        }

        @Test func `a file is synced before it has its name, and its folder before the job has succeeded`() async throws
        {
            guard FileManager.default.isExecutableFile(atPath: Self.strace) else {
                try Test.cancel("strace is not installed")
            }
            try await Stage.with { stage in
                let sandbox = try await stage.sandbox("--duration", "200ms", "--jitter", "0s")
                let trace = "\(stage.folder)/trace"
                let daemon = try stage.start(
                    Self.strace,
                    [
                        "-f", "-y", "-s", "200", "-o", trace,
                        "-e", "trace=fdatasync,fsync,link,linkat,rename,renameat,renameat2,mkdir,mkdirat",
                        Programs.path(of: "promptd"), "--config", stage.configuration,
                    ],
                    environment: stage.environment(sandbox)
                )
                try await daemon.line(with: "is running")
                let pid = Int32(try await stage.ledger.number("SELECT pid FROM daemon"))
                var isEnded = false
                defer { if !isEnded { kill(pid, SIGTERM) } }
                let job = try await stage.ledger.insert("a fox for ever")
                try await stage.ledger.wait(job: job, is: "succeeded")
                let calls = try calls(trace)
                func first(_ parts: String..., after start: Int = -1) throws -> Int {
                    let found = calls.indices.first { index in
                        index > start && parts.allSatisfy { calls[index].contains($0) }
                    }
                    return try #require(found, "no call with \(parts) after \(start)")
                }
                let made = try first("mkdir", "/default")
                _ = try first("fsync(", "/media>", after: made)
                let content = try first("fsync(", "/.partial/\(job)-0")
                let name = try first("link", "/default/\(job)-0.")
                #expect(content < name, "the content is on disk before the name is given")
                let folder = try first("fsync(", "/default>", after: name)
                _ = try first("fdatasync(", "promptd.sqlite-wal", after: folder)
                kill(pid, SIGTERM)
                #expect(try await daemon.end() == .exit(0))
                isEnded = true
            }
        }

        private func calls(_ path: String) throws -> [Substring] {
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        }
    }
}
