import Glibc

/// How this user stands to the group that a database's directory belongs to: who is in it may enqueue.
struct Membership {
    /// The user of this process, and the owner and group of the directory; nil where there is no name for it.
    var user: String?
    var owner: String?
    var group: String?
    /// Whether the group is the user's by the system's list of users, and whether this session has it yet.
    var isMember = false
    var isInSession = false
    /// Whether the group may write to the directory.
    var isGroupWritable = false

    init(user: String?, owner: String?, group: String?) {
        (self.user, self.owner, self.group) = (user, owner, group)
    }

    init(of path: String) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        user = Self.userName(geteuid())
        guard unsafe stat(directory, &status) == 0 else { return }
        owner = Self.userName(status.st_uid)
        isGroupWritable = status.st_mode & 0o020 != 0
        // Entries of the group database are valid until the next call.
        if let entry = unsafe getgrgid(status.st_gid), let name = unsafe entry.pointee.gr_name {
            group = unsafe String(cString: name)
        }
        let own = Self.groupsOfSession
        isInSession = own.contains(status.st_gid)
        if let user { isMember = Self.groups(of: user).contains(status.st_gid) }
    }

    /// What to do about it, as the end of a sentence.
    var advice: String {
        guard let group, group != "root", isGroupWritable, !isInSession else {
            return "run this as \(owner.map { "its owner, \($0)" } ?? "its owner")"
        }
        if isMember { return "\(user ?? "this user") is in the group \(group) since: log out and in again" }
        return "its directory belongs to the group \(group): sudo adduser \(user ?? "USER") \(group), then log in again"
    }

    private static func userName(_ id: uid_t) -> String? {
        guard let entry = unsafe getpwuid(id), let name = unsafe entry.pointee.pw_name else { return nil }
        return unsafe String(cString: name)
    }

    private static var groupsOfSession: Set<gid_t> {
        let count = getgroups(0, nil)
        var groups = [gid_t](repeating: 0, count: max(0, Int(count)))
        let found = unsafe groups.withUnsafeMutableBufferPointer { unsafe getgroups(count, $0.baseAddress) }
        return Set(groups.prefix(max(0, Int(found)))).union([getegid()])
    }

    /// By the system's lists, which a session that began earlier does not have yet.
    private static func groups(of user: String) -> Set<gid_t> {
        var groups = [gid_t](repeating: 0, count: 1_000)
        var count = Int32(clamping: groups.count)
        let primary = getegid()
        let found = unsafe getgrouplist(user, primary, &groups, &count)
        return found < 0 ? [] : Set(groups.prefix(Int(count)))
    }
}
