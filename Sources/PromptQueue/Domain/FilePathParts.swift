/// A path's directory and last component, and its components: by its bytes, as the system sees it. A slash and a mark behind it
/// are one `Character`, and two to the system.
package enum FilePathParts {
    private static let slash = UInt8(ascii: "/")

    package static func split(_ path: String) -> (directory: String, name: String) {
        guard let index = path.utf8.lastIndex(of: slash) else { return (".", path) }
        let name = String(path[path.utf8.index(after: index)...])
        return (index == path.utf8.startIndex ? "/" : String(path[..<index]), name)
    }

    /// - Parameter keepsEmpty: whether `a//b` has three.
    package static func components(_ path: String, keepsEmpty: Bool = false) -> [String] {
        path.utf8.split(separator: slash, omittingEmptySubsequences: !keepsEmpty).map { String(Substring($0)) }
    }
}
