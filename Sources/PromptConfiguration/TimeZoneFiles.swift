import FoundationEssentials
import Glibc
package import PromptQueue

/// The time zones as this machine knows them (tzdata).
package enum TimeZoneFiles {
    private static let folder = "/usr/share/zoneinfo"
    private static let maximumBytes = 1 << 20

    /// The clocks of a zone by its IANA name; nil if there is none of that name.
    package static func clock(_ name: String) -> (any LocalClock)? {
        if ["UTC", "Etc/UTC"].contains(name) { return UTCClock() }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "_+-".utf8.contains(byte)
                }
        }
        let path = "\(folder)/\(name)"
        var status = stat()
        guard isPlain, unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= maximumBytes, let data = FileManager.default.contents(atPath: path)
        else { return nil }
        return TimeZoneRules(name: name, bytes: Array(data))
    }

    /// The zone that this machine's clocks show, as far as its name can be told.
    package static func localName(_ environment: [String: String]) -> String? {
        let named = environment["TZ"].flatMap { $0.isEmpty ? nil : $0.hasPrefix(":") ? String($0.dropFirst()) : $0 }
        if let named, clock(named) != nil { return named }
        guard named == nil, let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/etc/localtime"),
            let place = target.firstRange(of: "zoneinfo/")
        else { return nil }
        let name = String(target[place.upperBound...])
        return clock(name) == nil ? nil : name
    }
}
