import Concurrency
import ContactSheets
import Logging
import NIOCore
import PromptQueue
import Synchronization

/// Small pictures of results, each made once, when somebody first looks, and kept in the media directory.
final class Thumbnails: Sendable {
    enum Answer {
        case picture(ByteBuffer)
        /// None can be had at present: show the file itself.
        case original
        /// None can be made of this file.
        case failed
    }

    /// What cannot be made is not tried again for so long.
    static let rest: Duration = .seconds(3_600)
    /// So many wait at most; further ones are shown the file.
    static let mostWaiting = 64
    private static let mostFailures = 10_000

    private let files: ThumbnailFiles
    private let maker: any ThumbnailMaker
    private let now: @Sendable () -> Instant
    private let logger: Logger
    /// One at a time: promptd has more important things to do.
    private let turn = AsyncSemaphore(places: 1)
    private let drawings = AsyncSemaphore(places: 1)
    private let failures = Mutex<[ThumbnailName: Instant]>([:])

    init(
        _ files: ThumbnailFiles,
        _ maker: any ThumbnailMaker,
        now: @escaping @Sendable () -> Instant,
        logger: Logger
    ) {
        self.files = files
        self.maker = maker
        self.now = now
        self.logger = logger
    }

    /// - Parameters:
    ///   - file: the result.
    ///   - isPatient: whether it waits for its turn, however many others do.
    func picture(_ name: ThumbnailName, of file: MediaFile, isPatient: Bool = false) async throws -> Answer {
        if hasFailed(name) { return .failed }
        if let kept = try await files.read(name) { return .picture(kept) }
        guard maker.isReady, isPatient || turn.waiting < Self.mostWaiting else { return .original }
        return try await turn.pass {
            // Nobody may want it any more.
            try Task.checkCancellation()
            // Somebody before us may have wanted the same.
            if hasFailed(name) { return .failed }
            if let kept = try await files.read(name) { return .picture(kept) }
            do {
                let picture = try await maker.thumbnail(of: file.descriptor, width: name.width, as: name.format)
                await keep(picture, name)
                return .picture(picture)
            } catch let failure as PictureFailure {
                note(failure, name)
                return .failed
            }
        }
    }

    /// Whether any can be made at present.
    var isReady: Bool { maker.isReady }

    /// Draws a contact sheet, one at a time.
    ///
    /// - Throws: `PictureFailure`; or `CancellationError`.
    func draw(_ drawing: CInt, into picture: CInt) async throws {
        try await drawings.pass {
            try Task.checkCancellation()
            try await maker.draw(drawing, into: picture)
        }
    }

    private func keep(_ picture: ByteBuffer, _ name: ThumbnailName) async {
        do {
            try await files.write(picture, name)
        } catch {
            logger.warning(
                "a small picture of a result could not be kept; it is made again when it is looked at",
                metadata: ["job.id": "\(name.result.job)", "reason": "\(error)"]
            )
        }
    }

    private func note(_ failure: PictureFailure, _ name: ThumbnailName) {
        let now = now()
        failures.withLock { failures in
            if failures.count >= Self.mostFailures { failures.removeAll() }
            failures[name] = now
        }
        logger.info(
            "no small picture could be made of a result",
            metadata: ["job.id": "\(name.result.job)", "result": "\(name.result)", "reason": "\(failure)"]
        )
    }

    private func hasFailed(_ name: ThumbnailName) -> Bool {
        let now = now()
        return failures.withLock { failures in
            guard let at = failures[name] else { return false }
            if now >= at, now - at < Self.rest { return true }
            failures[name] = nil
            return false
        }
    }
}
