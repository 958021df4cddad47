import Logging
import PromptQueue

/// Records what an earlier process could only keep beside the ledger.
enum KeptOutcomes {
    /// - Throws: `LedgerError` if the ledger cannot be written, or the file cannot be removed: then nothing may start.
    static func takeUp(
        _ file: any OutcomeStore,
        into ledger: any JobLedger,
        now: Instant,
        _ logger: Logger
    ) async throws {
        let (entries, unreadable) = try file.read()
        guard !entries.isEmpty || unreadable > 0 else { return }
        var refused = 0
        for (change, instant) in entries {
            do throws(LedgerError) {
                let recorded = try await ledger.record(change, now: instant)
                guard recorded.refusal == nil else {
                    refused += 1
                    logger.error(
                        "the ledger knows better than an outcome of the last process",
                        metadata: ["change": "\(change)"]
                    )
                    continue
                }
                logger.notice(
                    "recorded what could not be recorded before",
                    metadata: ["job.id": "\(recorded.job.map { "\($0.id)" } ?? "?")"]
                )
            } catch {
                guard error.code == .constraint else { throw error }
                refused += 1
                logger.error(
                    "the ledger refuses an outcome of the last process",
                    metadata: ["change": "\(change)", "reason": "\(error)"]
                )
            }
        }
        if let aside = try file.clear(keeping: refused + unreadable > 0, now: now) {
            logger.error(
                "outcomes of the last process could not be recorded; they are kept for you",
                metadata: ["count": "\(refused + unreadable)", "path": "\(aside)"]
            )
        }
    }
}
