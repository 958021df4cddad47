package import NIOCore
package import PromptQueue

/// Makes pictures of others.
package protocol ThumbnailMaker: Sendable {
    /// Whether it can at present.
    var isReady: Bool { get }

    /// - Parameters:
    ///   - descriptor: an open file.
    ///   - width: in pixels; a picture that is smaller stays as it is.
    /// - Throws: `PictureFailure`; or `CancellationError`.
    func thumbnail(of descriptor: CInt, width: Int, as format: ThumbnailName.Format) async throws -> ByteBuffer

    /// Draws a contact sheet.
    ///
    /// - Parameters:
    ///   - drawing: an open file, an SVG.
    ///   - picture: an open file, to become a PNG.
    /// - Throws: `PictureFailure`; or `CancellationError`.
    func draw(_ drawing: CInt, into picture: CInt) async throws
}
