import NIOCore
import NIOEmbedded
import Testing

@testable import PromptWeb

@Suite struct StalledReaderTests {
    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: StalledReader())
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        return channel
    }

    @Test func `whoever does not read what is there for him is cut off`() throws {
        let channel = try channel()
        // Not flushed, it stays where what a reader does not take stays.
        channel.write(ByteBuffer(string: "x"), promise: nil)
        channel.pipeline.fireUserInboundEventTriggered(IdleStateHandler.IdleStateEvent.write)
        #expect(!channel.isActive)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `an answer may take its time`() throws {
        let channel = try channel()
        channel.pipeline.fireUserInboundEventTriggered(IdleStateHandler.IdleStateEvent.write)
        #expect(channel.isActive)
        _ = try channel.finish()
    }
}
