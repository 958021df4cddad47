import Glibc
import Postgres
import PostgresServer
import Testing

extension PostgresSettings {
    /// As usual; but threads of tests that run side by side may wait for each other within a transaction.
    static func tests(_ conninfo: String) -> PostgresSettings {
        var settings = PostgresSettings(conninfo, applicationName: "promptd tests")
        // On a busy machine a test may stand still for a minute.
        settings.limits.idleInTransaction = .seconds(600)
        settings.limits.silence = nil
        settings.limits.cancellation = .seconds(600)
        return settings
    }
}

extension PostgresConnection {
    /// To the shared server.
    static func shared(_ change: (inout PostgresSettings) -> Void = { _ in }) async throws -> PostgresConnection {
        var settings = try await PostgresSettings.tests(PostgresServer.shared().conninfo())
        change(&settings)
        return try await open(settings)
    }

    /// To an empty database of its own.
    static func alone() async throws -> PostgresConnection {
        try await open(.tests(PostgresServer.shared().database()))
    }

    /// Waits until what `sql` asks is true.
    func wait(for sql: SQL, _ parameters: [PostgresValue] = []) async throws {
        while true {
            let isSo: Bool = try await query(sql, parameters).only()[0]
            if isSo { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// What the process has of something that can be counted.
enum Process {
    static var threads: Int { entries("/proc/self/task") }

    /// Bytes of memory that are in use.
    static var memory: Int {
        var text = [UInt8](repeating: 0, count: 256)
        let file = unsafe open("/proc/self/statm", O_RDONLY)
        defer { close(file) }
        let count = unsafe read(file, &text, text.count)
        let words = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * 4_096
    }

    private static func entries(_ path: String) -> Int {
        guard let directory = unsafe opendir(path) else { return 0 }
        defer { unsafe closedir(directory) }
        var count = 0
        while unsafe readdir(directory) != nil { count += 1 }
        return count - 2
    }
}
