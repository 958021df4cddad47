import Foundation
import FuzzTargets
import PromptQueue
import Testing

/// The corpus of the fuzzer, and seeded changes of it: whatever the bytes, no parser ends the process.
///
/// `make fuzz` looks for more with libFuzzer; what it finds goes into `Tests/FuzzTests/Corpus`.
@Suite struct FuzzTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")
    /// `PROMPTD_TEST_FUZZ` asks for more changes of each input.
    private static let changes = ProcessInfo.processInfo.environment["PROMPTD_TEST_FUZZ"].flatMap { Int($0) } ?? 60

    @Test(arguments: FuzzTarget.allCases)
    func `no bytes end the process`(target: FuzzTarget) throws {
        let folder = Self.corpus.appending(path: target.rawValue)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(!files.isEmpty, "each parser has examples")
        var generator = SeededGenerator(seed: 1)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: file)))
            target.run(bytes)
            for _ in 0..<Self.changes { target.run(Self.changed(bytes, &generator)) }
        }
    }

    /// A few bytes flipped, dropped, doubled, or put where others were.
    private static func changed(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...8, using: &generator)))
            case 2: bytes.insert(contentsOf: bytes[place...].prefix(16), at: place)
            case 3: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: place)
            default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
        }
        return bytes
    }
}
