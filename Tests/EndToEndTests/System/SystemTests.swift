import Foundation
import Testing

/// The slow ones, for `make system-test`: minutes, not seconds.
@Suite(
    .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["PROMPTD_SYSTEM_TESTS"] == "1", "slow; make system-test runs them")
)
enum SystemTests {
    /// Says what was measured, among the test runner's lines.
    static func report(_ figures: String) {
        print("▸ \(figures)")
        Attachment.record(figures + "\n", named: "figures.txt")
    }

    /// Says at once how far a long test is.
    static func progress(_ text: String) {
        FileHandle.standardOutput.write(Data("▸ \(text)\n".utf8))
    }
}
