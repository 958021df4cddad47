import Foundation
import Glibc
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

    @Test(.timeLimit(.minutes(1))) func `a file that takes the place of another is watched`() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("promptd-watch-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (file, other) = (directory.appendingPathComponent("a"), directory.appendingPathComponent("b"))
        try Data("one".utf8).write(to: file)
        let watch = try DirectoryWatch(directory: directory.path, names: ["a"])
        var changes = watch.changes.makeAsyncIterator()
        try Data("two".utf8).write(to: other)
        try #require(unsafe rename(other.path, file.path) == 0)
        try #require(await changes.next() != nil)
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        for number in 0..<3 {
            // One more may still be told of that was before.
            try handle.write(contentsOf: Data("\(number)".utf8))
            try #require(await changes.next() != nil)
        }
    }

    @Test func `a directory that is not there is said to be`() {
        #expect(throws: DirectoryWatchError.self) { try DirectoryWatch(directory: "/nowhere/at/all", names: ["a"]) }
    }
}
