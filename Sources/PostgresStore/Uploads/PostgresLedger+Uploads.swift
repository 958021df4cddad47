import Postgres
package import PromptQueue
import Synchronization

// A file is uploaded by one daemon at a time: whose turn it is stands in `upload_turns` until it is recorded what became of it, or the
// daemon's lease is over.
extension PostgresLedger: UploadStore {
    package func wantedUpload(now: Instant) async throws(LedgerError) -> WantedUpload? {
        let look = try await read("SELECT has_wanted_uploads()")
        guard try LedgerError.wrapping({ try look.only()[0] as Bool }) else { return nil }
        let rows = try await change { [self] transaction in
            try await transaction.pipeline { pipeline in
                pipeline.add(
                    "SELECT reference, asked, failing_since, path, sha256 FROM want_upload($1, $2)",
                    [.int(epoch.rawValue), .int(WantedUpload.ahead.milliseconds)]
                )
                pipeline.add("SELECT now_ms()")
            }
        }
        return try LedgerError.wrapping {
            let clock = ServerClock(server: try rows[1].only()[0], local: now)
            standing.withLock { $0.clock = clock }
            return try rows[0].first.map { row in
                var saved: WantedUpload.Saved?
                if let path: String = try row[3], let sum: String = try row[4] {
                    saved = WantedUpload.Saved(path: path, sha256: sum)
                }
                return WantedUpload(
                    reference: try row[0],
                    saved: saved,
                    asked: try row[1],
                    failingSince: try (row[2] as Int64?).map(clock.local)
                )
            }
        }
    }

    package func keptUpload(sha256: String, until instant: Instant) async throws(LedgerError) -> UploadedFile? {
        let clock = standing.withLock(\.clock)
        let rows = try await read(
            """
            SELECT sha256, coalesce(bytes, 0), coalesce(content_type, ''), url, uploaded_at FROM uploads
            WHERE sha256 = $1 AND url IS NOT NULL AND expires_at > $2 AND uploaded_at IS NOT NULL
            ORDER BY expires_at DESC LIMIT 1
            """,
            [.text(sha256), .int(clock.server(instant))]
        )
        return try LedgerError.wrapping {
            try rows.first.map { row in
                UploadedFile(
                    sha256: try row[0],
                    bytes: try row[1],
                    contentType: try row[2],
                    url: try row[3],
                    uploadedAt: clock.local(try row[4] as Int64)
                )
            }
        }
    }

    package func recordUpload(_ wanted: WantedUpload, _ file: UploadedFile) async throws(LedgerError) {
        let clock = standing.withLock(\.clock)
        try await carryOut(
            "SELECT record_upload($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [
                .int(epoch.rawValue), .text(wanted.reference), .int(wanted.asked), .text(file.sha256),
                .int(file.bytes), .text(file.contentType), .text(file.url), .int(clock.server(file.uploadedAt)),
                .int(clock.server(file.expiresAt)),
            ]
        )
    }

    package func recordUploadFailure(_ wanted: WantedUpload, message: String) async throws(LedgerError) {
        try await carryOut(
            "SELECT record_upload_failure($1, $2, $3, $4)",
            [
                .int(epoch.rawValue), .text(wanted.reference), .int(wanted.asked),
                .text(BoundedText.message(message)),
            ]
        )
    }

    package func deferUpload(_ wanted: WantedUpload, message: String, now: Instant) async throws(LedgerError) {
        try await carryOut(
            "SELECT defer_upload($1, $2, $3)",
            [.int(epoch.rawValue), .text(wanted.reference), .text(BoundedText.message(message))]
        )
    }

    package func restUploads() async throws(LedgerError) { try await carryOut("SELECT rest_uploads()") }

    package func usedUploads(_ references: Set<String>) async throws(LedgerError) -> Set<String> {
        let rows = try await change { transaction in
            try await transaction.query("SELECT used_uploads($1)", [.texts(references.sorted())])
        }
        return try LedgerError.wrapping { Set(try rows.map { try $0[0] as String }) }
    }
}

extension PostgresLedger: SearchStore {
    /// PostgreSQL keeps its own index of prompts, in the transactions that write them: there is nothing to bring up to date.
    package func indexPrompts() async throws(LedgerError) -> Bool { false }
}
