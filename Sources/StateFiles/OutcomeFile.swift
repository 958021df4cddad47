import FoundationEssentials
import Glibc
package import PromptQueue
import Synchronization
import SystemPackage

/// Outcomes of paid requests that the ledger could not take when they came: `DATABASE-outcomes`, a line of JSON each,
/// appended and synced. The next start records them.
package final class OutcomeFile: OutcomeStore {
    package let path: String
    private let writing = Mutex(())

    /// - Parameter database: the database's path.
    package init(database: String) throws(LedgerError) {
        path = try DatabasePath.resolve(database) + "-outcomes"
    }

    package func append(_ change: LedgerChange, at instant: Instant) throws(LedgerError) {
        guard let line = Self.line(for: change, at: instant) else { return }
        // A line that a crash or a full disk broke off must not swallow this one.
        let bytes = Array(("\n" + line + "\n").utf8)
        let failure: Int32? = writing.withLock { _ in
            let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { return errno }
            defer { close(descriptor) }
            let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard written == bytes.count else { return written < 0 ? errno : ENOSPC }
            guard fsync(descriptor) == 0 else { return errno }
            return Self.syncDirectory(of: path)
        }
        if let failure { throw LedgerError(.inputOutput, "\(path): \(Errno(rawValue: failure))") }
    }

    package func read() throws(LedgerError) -> (entries: [(LedgerChange, Instant)], unreadable: Int) {
        guard unsafe access(path, F_OK) == 0 else { return ([], 0) }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw LedgerError(.permission, "\(path): cannot be read")
        }
        var entries: [(LedgerChange, Instant)] = []
        var unreadable = 0
        for line in data.split(separator: UInt8(ascii: "\n")) {
            if let entry = Self.entry(in: Array(line)) { entries.append(entry) } else { unreadable += 1 }
        }
        return (entries, unreadable)
    }

    /// Looks whether the database has all of them.
    ///
    /// - Throws: `LedgerError` that says how it gets them.
    package func checkIsEmpty() throws(LedgerError) {
        let kept = try read()
        guard kept.entries.isEmpty, kept.unreadable == 0 else {
            throw LedgerError(
                .unusable,
                "\(path) holds outcomes of paid requests that the database has not: start promptd once, so that it takes them in, and "
                    + "stop it"
            )
        }
    }

    @discardableResult
    package func clear(keeping: Bool, now: Instant) throws(LedgerError) -> String? {
        guard unsafe access(path, F_OK) == 0 else { return nil }
        let aside = "\(path).kept-\(now.milliseconds)"
        let isDone = keeping ? unsafe rename(path, aside) == 0 : unsafe unlink(path) == 0
        guard isDone, Self.syncDirectory(of: path) == nil else {
            throw LedgerError(.permission, "\(path): cannot be removed: \(Errno(rawValue: errno))")
        }
        return keeping ? aside : nil
    }

    private static func syncDirectory(of path: String) -> Int32? {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // Some file systems cannot sync a directory.
        return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP ? nil : errno
    }

    // MARK: - Lines

    /// Nil for changes that the next start finds out by itself.
    private static func line(for change: LedgerChange, at instant: Instant) -> String? {
        var fields: JSONObject = ["at": .integer(instant.milliseconds)]
        switch change {
        case .accepted(let attempt, let task, let status):
            fields["accepted"] = .integer(attempt.rawValue)
            fields["task"] = .string(task.rawValue)
            fields["http"] = .integer(Int64(status))
        case .rejected(let attempt, let failure, let then):
            fields["rejected"] = .integer(attempt.rawValue)
            fields["code"] = .string(failure.code.rawValue)
            fields["message"] = .string(failure.message)
            if let status = failure.httpStatus { fields["http"] = .integer(Int64(status)) }
            if let code = failure.apiCode { fields["api"] = .integer(Int64(code)) }
            if case .retry(let again, let counted) = then {
                fields["retry"] = .integer(again.milliseconds)
                fields["counted"] = .bool(counted)
            }
        case .unknown, .progressed, .taskSucceeded, .taskFailed, .resultDelayed, .resultSaved, .resultFailed, .gates,
            .balance, .gaveUp, .hintRefuted, .setAside, .limits, .rules, .trouble:
            return nil
        }
        return JSONValue.object(fields).json
    }

    private static func entry(in line: [UInt8]) -> (LedgerChange, Instant)? {
        guard let fields = (try? JSONValue(answer: line))?.objectValue, let at = fields["at"]?.integerValue else {
            return nil
        }
        let instant = Instant(milliseconds: at)
        let status = fields["http"]?.integerValue.flatMap { Int(exactly: $0) }
        if let attempt = fields["accepted"]?.integerValue, let task = fields["task"]?.stringValue {
            return (.accepted(AttemptID(attempt), task: TaskID(task), httpStatus: status ?? 200), instant)
        }
        guard let attempt = fields["rejected"]?.integerValue,
            let code = fields["code"]?.stringValue.flatMap(FailureCode.init(rawValue:))
        else { return nil }
        let failure = Failure(
            code,
            fields["message"]?.stringValue ?? "",
            httpStatus: status,
            apiCode: fields["api"]?.integerValue.flatMap { Int(exactly: $0) }
        )
        let then: FailureDisposition =
            fields["retry"]?.integerValue.map {
                .retry(at: Instant(milliseconds: $0), counted: fields["counted"]?.boolValue ?? true)
            } ?? .fail
        return (.rejected(AttemptID(attempt), failure, then: then), instant)
    }
}
