import FoundationEssentials
import Glibc

/// Paths from the root.
enum AbsolutePath {
    /// A path as it is seen from the root, without looking at what is there.
    static func of(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        return "/" + parts(whole).joined(separator: "/")
    }

    /// The way from a folder to a file: `../media/tea/41-0.png`. Links in the folder's own path are followed first.
    static func relative(_ file: String, from folder: String) -> String {
        let (file, start) = (parts(resolved(file)), parts(resolved(folder)))
        let shared = zip(file, start).prefix { $0 == $1 }.count
        let up = Array(repeating: "..", count: start.count - shared)
        return (up + file.dropFirst(shared)).joined(separator: "/")
    }

    private static func resolved(_ path: String) -> String {
        guard let real = unsafe realpath(path, nil) else { return of(path) }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    private static func parts(_ path: String) -> [String] {
        path.split(separator: "/").reduce(into: []) { parts, part in
            switch part {
            case ".": break
            case "..": _ = parts.popLast()
            default: parts.append(String(part))
            }
        }
    }
}
