import FoundationEssentials
import Glibc
package import PromptQueue
import Synchronization
import SystemPackage

/// What is under way, in `DATABASE-steps`, so that the next start knows of what this process has died.
///
/// A mark outlives the process, not the machine: it is written and not synced, which costs a microsecond. Nothing but a
/// wider circle of suspects depends on it.
package final class StepMarks: StepJournal {
    private struct State {
        var free: [Int] = Array((0..<StepMarks.places).reversed())
        var used: [RiskyStep: Int] = [:]
        var isReset = false
    }

    /// More than promptd ever has under way; what has no place is not marked.
    private static let places = 1_024
    private static let header = 64
    private static let signalOffset = 16
    private static let magic: [UInt8] = Array("promptd steps 1\n".utf8)
    private static let width = 3 * MemoryLayout<Int64>.size

    package let path: String
    private let descriptor: Int32
    private let state = Mutex(State())
    package let leftovers: (steps: [RiskyStep], end: SuddenEnd)?

    /// - Throws: `LedgerError` if the file cannot be made or is somebody else's.
    package init(database: String) throws(LedgerError) {
        path = try DatabasePath.resolve(database) + "-steps"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw LedgerError(.permission, "\(path): cannot be opened: \(Errno(rawValue: errno))")
        }
        leftovers = Self.read(descriptor)
    }

    deinit { close(descriptor) }

    package var signalPlace: (descriptor: Int32, offset: Int) { (descriptor, Self.signalOffset) }

    package func reset() {
        state.withLock { $0.isReset = true }
        ftruncate(descriptor, 0)
        write(Self.magic, at: 0)
    }

    package func remove() {
        if state.withLock({ $0.isReset }) { unsafe unlink(path) }
    }

    package func begin(_ step: RiskyStep) {
        state.withLock { state in
            guard state.used[step] == nil, let place = state.free.popLast() else { return }
            state.used[step] = place
            write(Self.bytes(of: step), at: Self.header + place * Self.width)
        }
    }

    package func end(_ step: RiskyStep) {
        state.withLock { state in
            guard let place = state.used.removeValue(forKey: step) else { return }
            state.free.append(place)
            write([0], at: Self.header + place * Self.width)
        }
    }

    private func write(_ bytes: [UInt8], at offset: Int) {
        _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    }

    // MARK: - Form

    private static func bytes(of step: RiskyStep) -> [UInt8] {
        let fields: [Int64] =
            switch step {
            case .claim(let job): [1, job.rawValue, 0]
            case .poll(let attempt): [2, attempt.rawValue, 0]
            case .download(let result): [3, result.job.rawValue, Int64(result.ordinal)]
            }
        return fields.flatMap { field in
            (0..<MemoryLayout<Int64>.size).map { UInt8(truncatingIfNeeded: field >> (8 * Int64($0))) }
        }
    }

    private static func step(_ bytes: ArraySlice<UInt8>) -> RiskyStep? {
        let fields = stride(from: bytes.startIndex, to: bytes.endIndex, by: MemoryLayout<Int64>.size).map { start in
            bytes[start..<start + MemoryLayout<Int64>.size].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        }
        switch fields[0] {
        case 1: return .claim(JobID(fields[1]))
        case 2: return .poll(AttemptID(fields[1]))
        case 3: return Int(exactly: fields[2]).map { .download(ResultID(job: JobID(fields[1]), ordinal: $0)) }
        default: return nil
        }
    }

    private static func read(_ descriptor: Int32) -> (steps: [RiskyStep], end: SuddenEnd)? {
        var bytes = [UInt8](repeating: 0, count: header + places * width)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= magic.count, Array(bytes.prefix(magic.count)) == magic else { return nil }
        let steps = (0..<places).compactMap { step(bytes[header + $0 * width..<header + ($0 + 1) * width]) }
        let signal = bytes[signalOffset]
        return (steps, signal == 0 ? .unexplained : .crash(signal: Int32(signal)))
    }
}
