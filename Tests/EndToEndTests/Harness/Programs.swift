import Foundation

/// Where the programs under test are.
enum Programs {
    /// The folder of the test runner, where the build has put them, or the one that `PROMPTD_BIN_DIR` names.
    static let directory: String =
        ProcessInfo.processInfo.environment["PROMPTD_BIN_DIR"]
        ?? URL(filePath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/")
        .deletingLastPathComponent().path

    static func path(of name: String) -> String {
        name.contains("/") ? name : "\(directory)/\(name)"
    }

    /// What programs see of this process's environment: nothing that configures them.
    static let environment: [String: String] =
        ProcessInfo.processInfo.environment.filter { ["PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH"].contains($0.key) }
}
