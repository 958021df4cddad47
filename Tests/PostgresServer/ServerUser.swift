import Foundation
import Glibc

/// Whom the server runs as: PostgreSQL refuses root.
struct ServerUser {
    let name: String
    private let id: uid_t
    private let group: gid_t

    /// nil where the tests do not run as root.
    static func needed() -> ServerUser? {
        guard geteuid() == 0 else { return nil }
        for name in ["postgres", "nobody"] {
            if let entry = unsafe getpwnam(name) {
                return unsafe ServerUser(name: name, id: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
            }
        }
        return nil
    }

    /// What runs `command` as this user.
    func running(_ command: [String]) -> [String] {
        ["/usr/bin/setpriv", "--reuid=\(id)", "--regid=\(group)", "--clear-groups", "--"] + command
    }

    func own(_ path: String) {
        _ = unsafe chown(path, id, group)
    }
}
