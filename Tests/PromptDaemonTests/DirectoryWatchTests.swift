import Foundation
import Testing

@testable import PromptDaemon

/// With real files and the kernel's watches.
@Suite struct DirectoryWatchTests {
    @Test(.timeLimit(.minutes(1))) func `each write is told of, also one while nothing is watched`() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("promptd-watch-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let watch = try DirectoryWatch(directory: directory.path, names: ["a"])
        var changes = watch.changes.makeAsyncIterator()
        for number in 0..<20 {
            // The first while it is watched; those that follow at once come while it is not, or hardly is.
            try Data("\(number)".utf8).write(to: directory.appendingPathComponent("a"))
            try #require(await changes.next() != nil)
        }
    }

    @Test func `a directory that is not there is said to be`() {
        #expect(throws: DirectoryWatchError.self) { try DirectoryWatch(directory: "/nowhere/at/all", names: ["a"]) }
    }
}
