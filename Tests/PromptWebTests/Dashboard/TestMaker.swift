import ContactSheets
import Glibc
import NIOCore
import PromptQueue
import Synchronization

@testable import PromptWeb

/// Makes always the same, and counts.
final class TestMaker: ThumbnailMaker {
    /// What it draws.
    static let picture = "a picture"

    let isReady: Bool
    private let made = Mutex(0)
    private let drawn = Mutex([String]())
    private let failure: PictureFailure?
    private let onMaking: @Sendable (Int) async throws -> Void

    /// - Parameter onMaking: told before the how-manieth is made.
    init(
        isReady: Bool = true,
        failure: PictureFailure? = nil,
        onMaking: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) {
        self.isReady = isReady
        self.failure = failure
        self.onMaking = onMaking
    }

    var count: Int { made.withLock { $0 } }
    /// The drawings that it was given.
    var drawings: [String] { drawn.withLock { $0 } }

    func thumbnail(of descriptor: CInt, width: Int, as format: ThumbnailName.Format) async throws -> ByteBuffer {
        let number = made.withLock { made in
            made += 1
            return made
        }
        try await onMaking(number)
        if let failure { throw failure }
        return format == .webp ? TestPicture.webp : TestPicture.jpeg
    }

    func draw(_ drawing: CInt, into picture: CInt) async throws {
        if let failure { throw failure }
        let file = MediaFile(descriptor: dup(drawing), size: 1 << 20, changed: 0)
        let text = String(buffer: try file.read(at: 0, count: 1 << 20))
        drawn.withLock { $0.append(text) }
        try MediaFile(descriptor: dup(picture), size: 0, changed: 0).append(ByteBuffer(string: Self.picture))
    }
}
