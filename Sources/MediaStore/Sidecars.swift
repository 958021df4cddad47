import FoundationEssentials
package import Logging
package import PromptQueue
import Synchronization

/// Writes down beside the results of a job where they come from: `FOLDER/JOB.json`.
///
/// A sidecar is a convenience: whatever keeps it from being written is logged, and the job goes on.
package final class Sidecars: Sendable {
    /// Results that this process has saved and that the ledger may not know yet.
    private struct Fresh {
        var files: [Int: SavedFile] = [:]
        var writers = 0
    }

    private static let rememberedJobs = 1_000

    private let media: MediaDirectory
    private let source: any ProvenanceSource
    private let isEnabled: @Sendable () -> Bool
    private let now: @Sendable () -> Instant
    private let logger: Logger
    private let fresh = Mutex<[JobID: Fresh]>([:])

    /// - Parameters:
    ///   - isEnabled: asked each time, because a reload may change it.
    package init(
        media: MediaDirectory,
        source: any ProvenanceSource,
        isEnabled: @escaping @Sendable () -> Bool,
        now: @escaping @Sendable () -> Instant,
        logger: Logger
    ) {
        self.media = media
        self.source = source
        self.isEnabled = isEnabled
        self.now = now
        self.logger = logger
    }

    /// Writes the sidecar of a job of which `file` is in the media directory, and not yet in the ledger. Blocks.
    func write(for download: PendingDownload, _ file: SavedFile) async {
        guard isEnabled() else { return }
        let job = download.result.job
        fresh.withLock { fresh in
            fresh[job, default: Fresh()].files[download.result.ordinal] = file
            fresh[job]?.writers += 1
        }
        if let failure = await rewrite(job, folder: FilePathParts.split(file.path).directory) {
            var metadata: Logger.Metadata = [
                "job.id": "\(job)", "queue": "\(download.origin.queue)", "reason": "\(failure)",
            ]
            if let batch = download.origin.batch { metadata["batch"] = "\(batch)" }
            logger.warning("the result is saved, but its sidecar could not be written", metadata: metadata)
        }
    }

    /// Takes a file back that was removed because nobody waits for it; without any file the sidecar goes. Blocks.
    ///
    /// - Parameter folder: its name as it is in the media directory.
    func withdraw(_ result: ResultID, folder: String) async {
        guard isEnabled() else { return }
        fresh.withLock { fresh in
            fresh[result.job, default: Fresh()].files[result.ordinal] = nil
            fresh[result.job]?.writers += 1
        }
        if let failure = await rewrite(result.job, folder: folder) {
            logger.warning(
                "a cancelled result is removed, but its sidecar could not be",
                metadata: ["job.id": "\(result.job)", "reason": "\(failure)"]
            )
        }
    }

    private func rewrite(_ job: JobID, folder: String) async -> (any Error)? {
        let found: Result<JobProvenance?, LedgerError>
        do throws(LedgerError) {
            found = .success(try await source.provenance(of: job))
        } catch {
            found = .failure(error)
        }
        // Several results of a job may be saved at the same moment. Whoever writes last knows of all that were noted
        // before, so the last sidecar is the fullest.
        return fresh.withLock { fresh -> (any Error)? in
            defer { forget(job, found, &fresh) }
            do {
                guard var provenance = try found.get() else {
                    try media.removeSidecar(of: job, folder: folder)
                    return nil
                }
                for index in provenance.results.indices {
                    let saved = fresh[job]?.files[provenance.results[index].ordinal]
                    provenance.results[index].file = saved ?? provenance.results[index].file
                }
                guard provenance.results.contains(where: { $0.file != nil }) else {
                    try media.removeSidecar(of: job, folder: folder)
                    return nil
                }
                let sidecar = Sidecar(provenance, savedAt: now())
                try media.keep(try sidecar.bytes, besideResultsOf: job, folder: folder)
                return nil
            } catch {
                return error
            }
        }
    }

    /// Forgets what nobody will need: all results are saved, or too many jobs are remembered.
    private func forget(
        _ job: JobID,
        _ found: Result<JobProvenance?, LedgerError>,
        _ fresh: inout [JobID: Fresh]
    ) {
        fresh[job]?.writers -= 1
        guard let entry = fresh[job], entry.writers == 0 else { return }
        let results = (try? found.get())??.results ?? []
        let isComplete = results.allSatisfy { $0.file != nil || entry.files[$0.ordinal] != nil }
        if isComplete || entry.files.isEmpty { fresh[job] = nil }
        guard fresh.count > Self.rememberedJobs else { return }
        let oldest = fresh.filter { $0.value.writers == 0 }.keys.min()
        if let oldest { fresh[oldest] = nil }
    }
}
