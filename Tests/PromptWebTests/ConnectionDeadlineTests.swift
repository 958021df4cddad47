import NIOCore
import NIOEmbedded
import Testing

@testable import PromptWeb

@Suite struct ConnectionDeadlineTests {
    @Test func `a connection is closed after its time, however busy it is`() throws {
        let channel = EmbeddedChannel(handler: ConnectionDeadline(.seconds(30)))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        for _ in 0..<29 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            try channel.writeInbound(ByteBuffer(string: "x"))
            #expect(channel.isActive)
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `a connection that ends by itself leaves no timer`() throws {
        let channel = EmbeddedChannel(handler: ConnectionDeadline(.seconds(30)))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        _ = try channel.finish()
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(!channel.isActive)
    }
}
