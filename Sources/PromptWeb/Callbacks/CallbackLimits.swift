/// How much the callback listener takes, from anybody.
package struct CallbackLimits: Sendable {
    /// Bytes. The provider's callbacks have a few thousand.
    package var body = 256 * 1_024
    /// From the end of the head to the end of the body.
    package var bodyTime: Duration = .seconds(10)
    /// A connection on which nothing moves is closed.
    package var idleTime: Duration = .seconds(15)
    /// A connection carries one request, and is closed after this long, wherever that stands: a head that drips in costs
    /// no more. The provider waits 15 s for an answer.
    package var connectionTime: Duration = .seconds(30)
    /// For one more, the oldest of whoever has most is closed.
    package var connections = 128

    package init() {}
}
