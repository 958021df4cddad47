import Glibc

/// Which files the ledger was opened from, to notice that somebody deletes, moves or replaces one of them: SQLite goes on
/// in files that nobody else can see then, and other programs write to others.
package struct FileIdentity: Sendable {
    private struct Node: Sendable, Equatable {
        var device: dev_t
        var inode: ino_t

        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            device = status.st_dev
            inode = status.st_ino
        }
    }

    private let path: String
    private let nodes: [(suffix: String, node: Node)]

    /// - Parameter path: behind symbolic links, of a database that is open.
    init(_ path: String) {
        self.path = path
        nodes = ["", "-wal"].compactMap { suffix in Node(path + suffix).map { (suffix, $0) } }
    }

    /// What has become of the files; nil while they are what they were.
    package var loss: String? {
        for (suffix, node) in nodes {
            guard let found = Node(path + suffix) else { return "\(path)\(suffix) was deleted or moved" }
            guard found == node else { return "\(path)\(suffix) was replaced by another file" }
        }
        return nil
    }
}
