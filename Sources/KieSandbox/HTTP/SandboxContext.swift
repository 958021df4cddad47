package import Hummingbird
import NIOCore

/// A request's context; it knows the connection, so that an answer can be lost on it.
package struct SandboxContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
