import Glibc
import SystemPackage

/// A file that a picture is made of, closed when nobody holds it any more.
package final class SourceFile: Sendable {
    package let descriptor: CInt

    /// - Throws: `Errno`.
    package init(_ path: String) throws {
        // Without waiting: a pipe of that name would hold up whoever opens it.
        descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.nonBlocking, .closeOnExec]).rawValue
    }

    deinit { close(descriptor) }
}
