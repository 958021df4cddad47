import FoundationEssentials
import GRDB
package import PromptQueue

extension SQLiteLedger: UploadStore {
    package func wantedUpload(now: Instant) async throws(LedgerError) -> WantedUpload? {
        var refused: Set<Data> = []
        while true {
            switch try await foundUpload(now: now) {
            case .wanted(let wanted): return wanted
            case nil: return nil
            case .unreadable(let reference):
                guard !refused.contains(reference) else { return nil }
                do throws(LedgerError) {
                    try await failUnreadable(reference)
                } catch {
                    guard error.code == .constraint else { throw error }
                    // Somebody's own rule refuses that: others come first.
                    refused.insert(reference)
                    try await deferUnreadable(reference, error.message, now)
                }
            }
        }
    }

    private func failUnreadable(_ reference: Data) async throws(LedgerError) {
        try await commits.commit { db in
            try db
                .cachedStatement(
                    sql: "UPDATE uploads SET state = 'failed', message = ? WHERE reference = CAST(? AS TEXT)"
                )
                .execute(arguments: ["its name is not UTF-8, or has a NUL", reference])
        }
    }

    private func deferUnreadable(_ reference: Data, _ message: String, _ now: Instant) async throws(LedgerError) {
        try await commits.commit { db in
            try db
                .cachedStatement(
                    sql: """
                        UPDATE uploads SET tried_at = ?1, failing_since = coalesce(failing_since, ?1), message = ?2
                        WHERE reference = CAST(?3 AS TEXT)
                        """
                )
                .execute(arguments: [now.milliseconds, BoundedText.message(message), reference])
        }
    }

    private enum Found {
        case wanted(WantedUpload)
        /// A name that is no text here: nothing could be recorded under it.
        case unreadable(Data)
    }

    private func foundUpload(now: Instant) async throws(LedgerError) -> Found? {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                let row = try Row.fetchOne(
                    db.cachedStatement(
                        sql: """
                            SELECT CAST(f.reference AS BLOB) AS reference, f.asked, f.failing_since, r.path, r.sha256
                            FROM uploads AS f
                                LEFT JOIN results AS r ON f.reference GLOB 'result:*' AND r.state = 'saved'
                                    AND r.job_id = CAST(substr(f.reference, 8) AS INTEGER)
                                    AND f.reference = 'result:' || r.job_id || '/' || r.ordinal
                            WHERE f.state = 'wanted' AND EXISTS (
                                SELECT 1 FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id
                                    LEFT JOIN queues AS q ON q.name = j.queue
                                WHERE u.reference = f.reference AND j.state = 'queued' AND j.run_at <= ?
                                    AND coalesce(q.paused, 0) = 0)
                                AND NOT EXISTS (SELECT 1 FROM daemon WHERE restored_at IS NOT NULL OR is_copy)
                            ORDER BY f.tried_at LIMIT 1
                            """
                    ),
                    arguments: [(now + WantedUpload.ahead).milliseconds]
                )
                guard let row else { return nil }
                let bytes: Data = row["reference"]
                guard let reference = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
                    return .unreadable(bytes)
                }
                var saved: WantedUpload.Saved?
                if let path: String = row["path"], let sum: String = row["sha256"] {
                    saved = WantedUpload.Saved(path: path, sha256: sum)
                }
                return .wanted(
                    WantedUpload(
                        reference: reference,
                        saved: saved,
                        asked: row["asked"],
                        failingSince: row.instant("failing_since")
                    )
                )
            }
        }
    }

    package func keptUpload(sha256: String, until instant: Instant) async throws(LedgerError) -> UploadedFile? {
        try await LedgerError.wrapping {
            try await self.pool.read { db in
                let row = try Row.fetchOne(
                    db.cachedStatement(
                        sql: """
                            SELECT sha256, bytes, content_type, url, uploaded_at FROM uploads
                            WHERE sha256 = ? AND url IS NOT NULL AND expires_at > ? AND uploaded_at IS NOT NULL
                            ORDER BY expires_at DESC LIMIT 1
                            """
                    ),
                    arguments: [sha256, instant.milliseconds]
                )
                return row.map { row in
                    UploadedFile(
                        sha256: row[0],
                        bytes: row[1] ?? 0,
                        contentType: row[2] ?? "",
                        url: row[3],
                        uploadedAt: Instant(milliseconds: row[4])
                    )
                }
            }
        }
    }

    package func recordUpload(_ wanted: WantedUpload, _ file: UploadedFile) async throws(LedgerError) {
        try await commits.commit { db in
            try db
                .cachedStatement(
                    sql: """
                        UPDATE uploads SET state = 'ready', sha256 = ?, bytes = ?, content_type = ?, url = ?, uploaded_at = ?,
                            expires_at = ?, message = NULL, failing_since = NULL
                        WHERE reference = ? AND asked = ?
                        """
                )
                .execute(arguments: [
                    file.sha256, file.bytes, file.contentType, file.url, file.uploadedAt.milliseconds,
                    file.expiresAt.milliseconds, wanted.reference, wanted.asked,
                ])
        }
    }

    package func recordUploadFailure(_ wanted: WantedUpload, message: String) async throws(LedgerError) {
        try await commits.commit { db in
            try db
                .cachedStatement(
                    sql: "UPDATE uploads SET state = 'failed', message = ? WHERE reference = ? AND asked = ?"
                )
                .execute(arguments: [BoundedText.message(message), wanted.reference, wanted.asked])
        }
    }

    package func deferUpload(_ wanted: WantedUpload, message: String, now: Instant) async throws(LedgerError) {
        try await commits.commit { db in
            try db
                .cachedStatement(
                    sql: """
                        UPDATE uploads SET tried_at = ?1, failing_since = coalesce(failing_since, ?1), message = ?2
                        WHERE reference = ?3
                        """
                )
                .execute(arguments: [now.milliseconds, BoundedText.message(message), wanted.reference])
        }
    }

    package func restUploads() async throws(LedgerError) {
        try await commits.commit { db in
            try db
                .cachedStatement(
                    sql: """
                        UPDATE uploads SET state = 'idle' WHERE state = 'wanted' AND NOT EXISTS (
                            SELECT 1 FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id
                            WHERE u.reference = uploads.reference AND j.state = 'queued')
                        """
                )
                .execute()
        }
    }

    package func usedUploads(_ references: Set<String>) async throws(LedgerError) -> Set<String> {
        try await commits.commit { db in
            try db.execute(
                sql: """
                    DELETE FROM uploads WHERE NOT EXISTS (SELECT 1 FROM job_uploads AS u WHERE u.reference = uploads.reference)
                    """
            )
            // What has succeeded is not sent again.
            let statement = try db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM job_uploads AS u JOIN jobs AS j ON j.id = u.job_id
                            WHERE u.reference = ?1 AND j.state <> 'succeeded')
                        OR EXISTS (SELECT 1 FROM schedules WHERE instr(input, ?1))
                    """
            )
            return try references.filter { try Bool.fetchOne(statement, arguments: [$0]) ?? true }
        }
    }
}
