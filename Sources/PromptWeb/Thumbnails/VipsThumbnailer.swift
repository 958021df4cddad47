import ContactSheets
package import NIOCore
package import PromptQueue

/// Makes pictures with the programs of Debian's package `libvips-tools`.
package struct VipsThumbnailer: ThumbnailMaker {
    private static let drawingTime: Duration = .seconds(180)

    private let timeout: Duration
    private let isOn: @Sendable () -> Bool

    /// - Parameters:
    ///   - timeout: of a small picture.
    ///   - isOn: asked each time, because a reload may change it.
    package init(timeout: Duration = .seconds(20), isOn: @escaping @Sendable () -> Bool = { true }) {
        self.timeout = timeout
        self.isOn = isOn
    }

    package var isReady: Bool { isOn() && VipsTools() != nil }

    private var tools: VipsTools {
        get throws {
            guard let tools = VipsTools() else { throw PictureFailure("vipsthumbnail is not installed") }
            return tools
        }
    }

    package func thumbnail(
        of descriptor: CInt,
        width: Int,
        as format: ThumbnailName.Format
    ) async throws -> ByteBuffer {
        let bytes = try await tools.thumbnail(of: descriptor, side: width, as: format, within: timeout)
        let picture = ByteBuffer(bytes: bytes)
        guard format == .webp else { return picture }
        guard let bare = WebPFile.bare(picture) else { throw PictureFailure("vipsthumbnail made no picture") }
        return bare
    }

    package func draw(_ drawing: CInt, into picture: CInt) async throws {
        try await tools.draw(drawing, into: picture, within: Self.drawingTime)
    }
}
