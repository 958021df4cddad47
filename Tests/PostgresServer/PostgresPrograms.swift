import Foundation

/// Where the server's programs are.
package struct PostgresPrograms: Sendable {
    package let directory: String

    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// The newest of Debian's, or those of `PROMPTD_POSTGRES_BIN`, or those on the path.
    ///
    /// - Throws: `Missing`, which says what to install.
    package static func find() throws -> PostgresPrograms {
        let environment = ProcessInfo.processInfo.environment
        var places = [environment["PROMPTD_POSTGRES_BIN"]].compactMap { $0 }
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        places += versions.compactMap(Int.init).sorted(by: >).filter { $0 >= 15 }.map {
            "/usr/lib/postgresql/\($0)/bin"
        }
        places += (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for place in places where FileManager.default.isExecutableFile(atPath: place + "/initdb") {
            return PostgresPrograms(directory: place)
        }
        throw Missing(
            description: """
                PostgreSQL 15 or newer is missing, which these tests start for themselves: apt-get install postgresql, or name the \
                directory of initdb in PROMPTD_POSTGRES_BIN
                """
        )
    }

    /// pgbouncer, if it is installed, or `PROMPTD_PGBOUNCER`.
    package static var pgbouncer: String? {
        [ProcessInfo.processInfo.environment["PROMPTD_PGBOUNCER"], "/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer"]
            .compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
