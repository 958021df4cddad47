import FoundationEssentials
import Glibc
import PromptQueue

/// What a kill, or a power cut, in the last step of a restore leaves: the database has a second name already, and what
/// belongs to it may have moved there, while the backup has not taken its place yet.
package enum UnfinishedReplacement {
    /// What belongs to a database, beside it: of another database's content, each of them.
    package static let companions = ["-wal", "-shm", "-journal", "-outcomes", "-steps"]

    /// Undoes it: the database has its one name again, and its companions beside it. Does nothing while somebody holds the
    /// database, as a restore at work does.
    ///
    /// To be called before SQLite opens the file in this process: closing any descriptor drops its locks.
    package static func undo(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_nlink == 2, let pointer = unsafe realpath(path, nil) else {
            return
        }
        let real = unsafe String(cString: pointer)
        unsafe free(pointer)
        let descriptor = unsafe open(real, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // The restore that was at work may have ended meanwhile: look again, now that none is.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, unsafe stat(real, &status) == 0, status.st_nlink == 2,
            let aside = secondName(of: real, status.st_ino)
        else { return }
        for companion in companions { _ = unsafe rename(aside + companion, real + companion) }
        unsafe unlink(aside)
        let directory = unsafe open(FilePathParts.split(real).directory, O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }

    private static func secondName(of real: String, _ inode: ino_t) -> String? {
        let (directory, name) = FilePathParts.split(real)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasPrefix(name + ".replaced-") }.map { "\(directory)/\($0)" }.first { path in
            var status = stat()
            return unsafe stat(path, &status) == 0 && status.st_ino == inode
        }
    }
}
