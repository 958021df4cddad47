import Glibc
import PromptQueue
import SystemPackage

/// Why a result cannot be stored.
package struct MediaError: Error, Sendable, CustomStringConvertible {
    package var description: String
    /// Whether this machine can store nothing for now; if not, it is about one file only.
    package var isLocal: Bool
    /// Whether there was no room for it.
    package var isNoSpace = false

    init(_ description: String, isLocal: Bool = false) {
        self.description = description
        self.isLocal = isLocal
    }

    /// A system call failed with `code` (errno(3)) for a file below the media directory.
    init(code: Int32, at path: String) {
        let reason = Errno(rawValue: code).description
        switch code {
        case ENOSPC, EDQUOT:
            self.init("the media disk is full", isLocal: true)
            isNoSpace = true
        case EMFILE, ENFILE:
            self.init(OpenFiles.areTooMany, isLocal: true)
        case EACCES, EPERM, EROFS, EIO, ENOENT, ENODEV, ENXIO, ESTALE, ENOTCONN:
            var directory = FilePathParts.split(path).directory
            // Nobody has asked for this one; but if it is not there, it has to be named.
            let hidden = "/" + MediaDirectory.partialFolder
            if code != ENOENT, directory.hasSuffix(hidden) { directory.removeLast(hidden.count) }
            self.init("the media directory \(directory) cannot be written: \(reason)", isLocal: true)
        case ENAMETOOLONG, EISDIR, ENOTDIR, ELOOP, EEXIST, ENOTEMPTY, EFBIG:
            self.init("\(path): \(reason)")
        default:
            self.init("\(path): \(reason)", isLocal: true)
        }
    }
}
