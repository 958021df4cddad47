import FoundationEssentials
import Glibc
import Testing

@testable import MediaStore

/// Files of this machine that are uploaded, and the spool in which they wait.
@Suite struct LocalFileTests {
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]

    private func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/promptd-files-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path + "/root/deep", withIntermediateDirectories: true)
        try Data(Self.png).write(to: URL(filePath: path + "/root/deep/fox.png"))
        try Data(Self.png).write(to: URL(filePath: path + "/secret.png"))
        return path
    }

    @Test func `a file below a root is opened, and nothing that leads out of it`() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let root = path + "/root"
        #expect(try LocalFile.open(root + "/deep/fox.png", below: ["/nowhere", root]).bytes == 11)
        #expect(unsafe symlink(path + "/secret.png", root + "/link.png") == 0)
        #expect(unsafe symlink(path, root + "/folder") == 0)
        #expect(unsafe mkfifo(root + "/pipe", 0o600) == 0)
        for wrong in [
            "/link.png", "/folder/secret.png", "/deep/../../secret.png", "/./deep/fox.png", "/pipe", "/deep",
            "/none.png",
        ] {
            #expect(throws: LocalFile.Problem.self) { try LocalFile.open(root + wrong, below: [root]) }
        }
        #expect(throws: LocalFile.Problem.self) { try LocalFile.open(path + "/secret.png", below: [root]) }
        #expect(throws: LocalFile.Problem.self) { try LocalFile.open(path + "/rootless/x", below: [root]) }
        #expect(throws: LocalFile.Problem.self) { try LocalFile.open(root + "/deep/fox.png", below: []) }
    }

    @Test func `the spool holds a file under its bytes' sum, once, and finds it out if it is changed`() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let spool = Spool(database: path + "/q.sqlite")
        let file = try LocalFile.open(own: path + "/secret.png")
        #expect(file.type.fileExtension == "png")
        let name = String(Spool.reference(to: file).dropFirst("upload:".count))
        for _ in 0..<2 { try spool.add(file) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory) == [name])
        #expect(try spool.open(name).sha256 == file.sha256)
        let now = Int64(Date().timeIntervalSince1970)
        #expect(spool.names(untouchedFor: 3_600, now: now) == [])
        #expect(spool.names(untouchedFor: 3_600, now: now + 7_200) == [name])
        try Data(Self.png + [4]).write(to: URL(filePath: spool.directory + "/" + name))
        #expect(throws: LocalFile.Problem.self) { try spool.open(name) }
        #expect(throws: LocalFile.Problem.self) { try spool.open("../secret.png") }
        #expect(spool.remove(name, untouchedFor: 3_600, now: now))
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory) == [name])
        #expect(spool.remove(name, untouchedFor: 3_600, now: now + 7_200))
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory) == [])
    }

    @Test func `a lock that somebody holds on the spool's directory keeps nobody waiting`() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let spool = Spool(database: path + "/q.sqlite")
        let file = try LocalFile.open(own: path + "/secret.png")
        try spool.add(file)
        let name = String(Spool.reference(to: file).dropFirst("upload:".count))
        let later = Int64(Date().timeIntervalSince1970) + 7_200
        let held = unsafe open(spool.directory, O_RDONLY | O_DIRECTORY)
        defer { close(held) }
        #expect(flock(held, LOCK_SH) == 0)
        try spool.add(file)
        #expect(!spool.remove(name, untouchedFor: 3_600, now: later))
        #expect(flock(held, LOCK_EX) == 0)
        let problem = #expect(throws: LocalFile.Problem.self) { try spool.add(file, lockTries: 1) }
        #expect(problem?.description.contains("another program holds a lock") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory) == [name])
        #expect(flock(held, LOCK_UN) == 0)
        #expect(spool.remove(name, untouchedFor: 3_600, now: later))
    }

    @Test(arguments: ["garbage", "", "longer than what is to be there"])
    func `what is wrong in the spool is put right by the next who adds the file`(bytes: String) throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let spool = Spool(database: path + "/q.sqlite")
        let file = try LocalFile.open(own: path + "/secret.png")
        try spool.add(file)
        let name = String(Spool.reference(to: file).dropFirst("upload:".count))
        #expect(!spool.removeWrong(name))
        for isRemoved in [false, true] {
            try Data(bytes.utf8).write(to: URL(filePath: spool.directory + "/" + name))
            if isRemoved {
                #expect(spool.removeWrong(name))
                #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory) == [])
            }
            try spool.add(file)
            #expect(try spool.open(name).bytes == file.bytes)
            #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory) == [name])
        }
    }

    @Test func `a spool is found by a path that begins here, and by a link`() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try LocalFile.open(own: path + "/secret.png")
        let name = String(Spool.reference(to: file).dropFirst("upload:".count))
        let roundabout = Spool(database: path + "/root/./../q.sqlite")
        try roundabout.add(file)
        #expect(try roundabout.open(name).bytes == file.bytes)
        try Data().write(to: URL(filePath: path + "/q.sqlite"))
        let linked = unsafe symlink(path + "/q.sqlite", path + "/link.sqlite")
        #expect(linked == 0)
        #expect(try Spool(database: path + "/link.sqlite").open(name).bytes == file.bytes)
    }

    @Test func `a file that changes while it is read is not passed on`() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try LocalFile.open(own: path + "/secret.png")
        #expect(try file.reader()(0) == Self.png)
        // In the same file: another one under its name would not be seen.
        let handle = unsafe open(path + "/secret.png", O_WRONLY)
        let written = unsafe pwrite(handle, [UInt8(9)], 1, 9)
        #expect(written == 1)
        close(handle)
        #expect(throws: LocalFile.Problem.self) { try file.reader()(0) }
        let cut = unsafe truncate(path + "/secret.png", 5)
        #expect(cut == 0)
        #expect(throws: LocalFile.Problem.self) { _ = try file.reader()(5) }
        let spool = Spool(database: path + "/q.sqlite")
        #expect(throws: LocalFile.Problem.self) { try spool.add(file) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool.directory).isEmpty)
    }

    @Test func `an empty file and a directory are no files to upload`() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data().write(to: URL(filePath: path + "/empty.png"))
        for wrong in ["/empty.png", "/root", "/none"] {
            #expect(throws: LocalFile.Problem.self) { try LocalFile.open(own: path + wrong) }
        }
    }
}
