import NIOCore

/// Closes a connection to which nothing could be written for a while (`IdleStateHandler`): whoever asks for much and does not read
/// it would keep what was read for him in memory. An answer that takes its time, with nothing to be written yet, may take it.
final class StalledReader: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let idle = event as? IdleStateHandler.IdleStateEvent, idle == .write else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        do {
            guard try context.channel.syncOptions?.getOption(.bufferedWritableBytes) == 0 else {
                context.close(promise: nil)
                return
            }
        } catch {
            context.close(promise: nil)
        }
    }
}
