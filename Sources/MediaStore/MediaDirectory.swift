import FoundationEssentials
import Glibc
package import PromptQueue
import SystemPackage

/// Where results are kept. A file is there whole, synced and under its final name, or not at all.
package struct MediaDirectory: Sendable {
    package let path: String
    /// Whether the file system can sync a directory. If not, a file may lose its name by a power failure.
    package let syncsDirectories: Bool

    /// Half-written files live here, out of the way of whoever watches the folders.
    private let partial: String
    /// Whether other daemons keep their results here, too.
    private let isShared: Bool
    static let partialFolder = ".partial"
    private static let probeSuffix = ".probe"

    /// Where the number of the last request is noted: far from the database, whose copies must not bring it along.
    package var requestMark: String { path + "/.promptd-requests" }

    /// Makes the directory if need be.
    ///
    /// - Parameter member: the number of this daemon, if others keep their results here, too: one that was thought to be dead must not
    ///   write into what another has begun to fetch.
    /// - Throws: `MediaError` that says what is missing.
    package init(path: String, member: Int64? = nil) throws(MediaError) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        isShared = member != nil
        let folder = self.path + "/" + Self.partialFolder
        partial = member.map { "\(folder)/\($0)" } ?? folder
        try Self.prepare(self.path)
        guard unsafe access(self.path, W_OK | X_OK) == 0 else {
            throw MediaError("\(self.path): the media directory is not writable for this user")
        }
        try Self.prepare(folder)
        if isShared { try Self.prepare(partial) }
        // A process before this one may have made a folder and died.
        syncsDirectories = try Self.sync(self.path)
    }

    /// Takes a small file the whole way of a result: written, synced, renamed, its directory synced. It is removed again.
    ///
    /// A process that dies meanwhile leaves it where `removeLeftovers` or the next trial removes it.
    ///
    /// - Returns: whether the file system can sync a directory.
    /// - Throws: `MediaError` that says what cannot be done.
    @discardableResult
    package static func tryOut(_ path: String) throws(MediaError) -> Bool {
        let partial = "\(path)/\(partialFolder)"
        let beginning = unsafe access(partial, F_OK) == 0 ? partial : path
        let (first, second) = ("\(beginning)/.promptd-probe.\(getpid())", "\(path)/.promptd-probe")
        var file = try PartialFile.begin(path: first, source: nil)
        try file.write([UInt8](repeating: 0, count: 4_096))
        try file.finish(replacing: second)
        defer { unsafe unlink(second) }
        return try sync(path)
    }

    /// Removes what an earlier process left half written, except for the results that are still to be fetched.
    ///
    /// Where others are at work it removes the folders of daemons that have written nothing for a day: the URLs of their results are dead.
    package func removeLeftovers(except pending: some Sequence<ResultID>) throws(MediaError) {
        guard !isShared else { return removeFolders() }
        let kept = Set(pending.flatMap { [Self.partialName($0), Self.partialName($0) + PartialFile.noteSuffix] })
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: partial)
        } catch {
            throw MediaError("\(partial): cannot be read")
        }
        for name in names where !kept.contains(name) { unsafe unlink(partial + "/" + name) }
    }

    private func removeFolders() {
        let folder = path + "/" + Self.partialFolder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where folder + "/" + name != partial {
            var status = stat()
            let other = folder + "/" + name
            guard Int64(name) != nil, unsafe lstat(other, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
                time(nil) - status.st_mtim.tv_sec > Self.leftoverSeconds
            else { continue }
            // What was renamed out of it last was a day ago, too.
            for file in (try? FileManager.default.contentsOfDirectory(atPath: other)) ?? [] {
                unsafe unlink(other + "/" + file)
            }
            unsafe rmdir(other)
        }
    }

    private static let leftoverSeconds = 86_400

    /// Whether the directory is there and writable, or can be made.
    /// - Throws: `MediaError` that says what is missing.
    package static func check(_ path: String) throws(MediaError) {
        if FileManager.default.fileExists(atPath: path) {
            guard unsafe access(path, W_OK | X_OK) == 0 else {
                throw MediaError("\(path): the media directory is not writable for this user")
            }
        } else {
            let parent = FilePathParts.split(path).directory
            guard unsafe access(parent, W_OK | X_OK) == 0 else {
                throw MediaError("\(path): cannot be made: \(parent) does not exist or is not writable")
            }
        }
    }

    /// A directory that promptd made, for one who only looks and removes there.
    ///
    /// - Throws: `MediaError` if there is none, or if it is another database's, or nobody's.
    package init(existing path: String, databaseID: String) throws(MediaError) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        syncsDirectories = true
        isShared = false
        partial = self.path + "/" + Self.partialFolder
        let owner: String?
        do { owner = try MediaOwner.databaseID(media: self.path) } catch {
            throw MediaError("\(self.path): \(error)")
        }
        guard owner == databaseID else {
            throw MediaError(
                "\(self.path): is not the media directory of this database (its .promptd says whose it is)"
            )
        }
    }

    /// How many bytes one more file may have if no other is being written: what is free, and what half-written ones hold.
    ///
    /// - Returns: nil if that cannot be told.
    func room() -> Int64? {
        guard let free = availableBytes(), let names = try? FileManager.default.contentsOfDirectory(atPath: partial)
        else { return nil }
        return names.reduce(free) { sum, name in
            var status = stat()
            guard unsafe lstat("\(partial)/\(name)", &status) == 0 else { return sum }
            return sum.addingReportingOverflow(Int64(clamping: status.st_size)).partialValue
        }
    }

    /// What is free on its file system, in bytes. Blocks if that hangs.
    ///
    /// - Returns: nil if that cannot be told.
    package func availableBytes() -> Int64? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        let free = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return free.overflow ? nil : free.partialValue
    }

    /// The size of its disk in bytes.
    ///
    /// - Returns: nil if that cannot be told.
    func capacity() -> Int64? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        let size = Int64(clamping: status.f_blocks).multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return size.overflow ? nil : size.partialValue
    }

    /// Finds out whether a small file can be written now, before anything is asked of a server.
    func probe(_ result: ResultID) throws(MediaError) {
        var file = try PartialFile.begin(path: partialPath(result) + Self.probeSuffix, source: nil)
        try file.write([UInt8](repeating: 0, count: 4_096))
        file.discard()
    }

    /// Starts a file.
    ///
    /// - Parameter source: what it is and where from; with a validator, what is there when the connection breaks is
    ///   kept, and can be continued.
    func begin(_ result: ResultID, source: PartialSource? = nil) throws(MediaError) -> PartialFile {
        try PartialFile.begin(path: partialPath(result), source: source)
    }

    /// How far an earlier try came with a result; nil if there is nothing to go on with.
    func resumable(_ result: ResultID, from url: String) -> ResumePoint? {
        PartialFile.resumePoint(path: partialPath(result), url: url)
    }

    /// Goes on with a file: reads what is there, which takes a while if it is large.
    func resume(_ result: ResultID, at point: ResumePoint) throws(MediaError) -> PartialFile {
        try PartialFile.resume(path: partialPath(result), at: point)
    }

    /// Forgets what is there of a result.
    func discardPartial(_ result: ResultID) {
        PartialFile.discard(path: partialPath(result))
    }

    /// Gives a complete file its final name: the first of its names that is free.
    ///
    /// What cannot be kept does not stay: a full disk is not to be kept full by it.
    func keep(_ file: consuming PartialFile, as name: ResultName, job: JobID) throws(MediaError) -> SavedFile {
        file.discard()
        let type = FileType(sniffing: file.head)
        try makeFolder(name.folder)
        let names = name.candidates(extension: type.fileExtension)
        let own = name.isOwn ? nil : ownFiles(of: job, folder: name.folder)
        let bytes = file.count
        let (index, sha256) = try file.finish(asOneOf: names.map { "\(path)/\($0)" }) {
            own?.contains(names[$0]) ?? true
        }
        try Self.sync("\(path)/\(name.folder)")
        return SavedFile(path: names[index], contentType: type.contentType, bytes: bytes, sha256: sha256)
    }

    /// What a job has in a folder, by its sidecar there: a file with the same bytes may be another job's.
    private func ownFiles(of job: JobID, folder: String) -> Set<String> {
        guard let sidecar = SidecarFiles(path: "\(path)/\(folder)/\(job).json"), sidecar.job == job else { return [] }
        return Set(sidecar.paths)
    }

    /// Writes a small file beside the results of a job, whole or not at all: `FOLDER/JOB.json`.
    ///
    /// - Parameter folder: its name as it is in the media directory.
    func keep(_ bytes: [UInt8], besideResultsOf job: JobID, folder: String) throws(MediaError) {
        try makeFolder(folder)
        var file = try PartialFile.begin(path: "\(partial)/\(job).sidecar", source: nil)
        try file.write(bytes)
        try file.finish(replacing: "\(path)/\(folder)/\(job).json")
        try Self.sync("\(path)/\(folder)")
    }

    /// Removes a file that was kept and is not wanted after all.
    func remove(_ file: SavedFile) throws(MediaError) {
        try Self.remove("\(path)/\(file.path)")
    }

    /// Removes files of pruned jobs, and what lies beside them.
    ///
    /// - Returns: those that are gone, and why one of the others is not.
    package func remove(_ removals: [Removal]) -> (gone: [Removal], failure: MediaError?) {
        var gone: [Removal] = []
        var failure: MediaError?
        for removal in removals {
            do throws(MediaError) {
                try remove(removal)
                gone.append(removal)
            } catch {
                failure = error
            }
        }
        return (gone, failure)
    }

    private func remove(_ removal: Removal) throws(MediaError) {
        let folder = FilePathParts.split(removal.path).directory
        for place in places(folder) {
            var status = stat()
            guard unsafe lstat(place, &status) == 0 else {
                if errno == ENOENT { return }
                throw MediaError(code: errno, at: place)
            }
            // A link leads to what is not ours.
            guard status.st_mode & S_IFMT == S_IFDIR else { throw MediaError("\(place): is not a directory") }
        }
        try Self.remove("\(path)/\(removal.path)")
        try removeThumbnails(of: removal.job)
        try removeSidecar(of: removal.job, folder: folder)
    }

    /// The folders on the way to one, from the top: `a` and `a/b`.
    private func places(_ folder: String) -> [String] {
        FilePathParts.components(folder).reduce(into: []) { places, part in
            places.append("\(places.last ?? path)/\(part)")
        }
    }

    /// Removes what lies beside the results of a job.
    func removeSidecar(of job: JobID, folder: String) throws(MediaError) {
        try Self.remove("\(path)/\(folder)/\(job).json")
    }

    static func remove(_ path: String) throws(MediaError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw MediaError(code: errno, at: path) }
    }

    private static func partialName(_ result: ResultID) -> String { "\(result)" }

    private func partialPath(_ result: ResultID) -> String { "\(partial)/\(Self.partialName(result))" }

    /// At a start, when somebody reads what is wrong with which path.
    private static func prepare(_ path: String) throws(MediaError) {
        if unsafe mkdir(path, 0o755) == 0 {
            try sync(FilePathParts.split(path).directory)
            return
        }
        guard errno != EEXIST else { return }
        throw MediaError("\(path): cannot be made: \(Errno(rawValue: errno))")
    }

    private func makeFolder(_ name: String) throws(MediaError) {
        for folder in places(name) {
            if unsafe mkdir(folder, 0o755) == 0 {
                try Self.sync(FilePathParts.split(folder).directory)
                continue
            }
            guard errno == EEXIST else { throw MediaError(code: errno, at: folder) }
            var status = stat()
            guard unsafe lstat(folder, &status) == 0 else { throw MediaError(code: errno, at: folder) }
            // A link would lead the results to wherever whoever made it wants.
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw MediaError("\(folder): is no directory of its own; remove it, and the results go there")
            }
        }
    }

    /// A new name in a directory is on disk only after the directory is synced (fsync(2)).
    ///
    /// - Returns: false if the file system has no such thing, which cannot be helped.
    @discardableResult
    private static func sync(_ directory: String) throws(MediaError) -> Bool {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw MediaError(code: errno, at: directory + "/") }
        defer { close(descriptor) }
        if fsync(descriptor) == 0 { return true }
        // Some file systems cannot sync a directory (FUSE, some network ones).
        guard errno == EINVAL || errno == ENOTSUP else { throw MediaError(code: errno, at: directory + "/") }
        return false
    }
}
