import Glibc
import NIOCore
import PromptQueue

/// How connections that carry paid requests are ended.
enum PaidConnection {
    /// A request that was given up must not be delivered afterwards: what the kernel still holds of it is thrown away when
    /// the connection is closed, also by the death of the process (`SO_LINGER` with 0 seconds: a reset instead of an orderly
    /// end), and what the other side has not confirmed within `patience` ends the connection (`TCP_USER_TIMEOUT`, RFC 5482)
    /// instead of being sent again for a quarter of an hour.
    static func prepare(_ channel: any Channel, patience: Duration) -> EventLoopFuture<Void> {
        guard let socket = channel as? any SocketOptionProvider else {
            return StatusGuard.add(to: channel)
        }
        let timeout = NIOBSDSocket.Option(rawValue: CInt(TCP_USER_TIMEOUT))
        let milliseconds = SocketOptionValue(clamping: max(1, patience.milliseconds))
        return socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).flatMap {
            channel.setOption(ChannelOptions.Types.SocketOption(level: .tcp, name: timeout), value: milliseconds)
        }
        .flatMap { StatusGuard.add(to: channel) }
    }
}
