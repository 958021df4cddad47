package import NIOCore

/// Makes a small picture of a file.
package protocol ThumbnailMaker: Sendable {
    /// Whether it can at present.
    var isReady: Bool { get }

    /// - Parameters:
    ///   - descriptor: an open file, at its beginning.
    ///   - width: in pixels; a picture that is smaller stays as it is.
    /// - Returns: a picture in the format WebP.
    /// - Throws: `ThumbnailFailure`; or `CancellationError`.
    func thumbnail(of descriptor: CInt, width: Int) async throws -> ByteBuffer
}

/// Why there is no small picture.
package struct ThumbnailFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
