import NIOCore
import NIOHTTP1

/// A status that no server may send.
package struct InvalidStatus: Error, CustomStringConvertible {
    package var code: UInt
    package var description: String { "an answer with the status \(code), which does not exist" }
}

/// Turns a status outside 100 to 599 (RFC 9110, section 15) into an error before the HTTP client sees it.
///
/// AsyncHTTPClient takes whatever is below 200 for an interim answer and waits for another head; the parser has already
/// told it by then that this answer has a body, or an end, which its state machine answers with `fatalError`.
/// An interim answer that switches protocols, which was never asked for, is an error for the same reason.
final class StatusGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart

    private var hasFailed = false

    /// Puts one behind the parser of a connection of AsyncHTTPClient's.
    @Sendable static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.flatSubmit {
            do {
                let pipeline = channel.pipeline.syncOperations
                let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
                try pipeline.addHandler(StatusGuard(), position: .after(parser))
                return channel.eventLoop.makeSucceededVoidFuture()
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasFailed else { return }
        if case .head(let head) = unwrapInboundIn(data), !Self.isAllowed(head.status.code) {
            hasFailed = true
            context.fireErrorCaught(InvalidStatus(code: head.status.code))
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }

    static func isAllowed(_ code: UInt) -> Bool { (100...599).contains(code) && code != 101 }
}
