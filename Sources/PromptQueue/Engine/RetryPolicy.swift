/// When a job that failed is worth another attempt, and after what delay.
///
/// Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): the
/// delay is drawn evenly between nothing and a bound that doubles, so that jobs which failed together come back apart.
package struct RetryPolicy: Sendable {
    package var base: Duration = .seconds(5)
    package var maximum: Duration = .seconds(600)

    package init() {}

    /// The delay before the next attempt when `attempts` have failed.
    package func delay(attempts: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let bound = min(base * (1 << min(max(attempts - 1, 0), 30)), maximum)
        return bound * Double.random(in: 0...1, using: &generator)
    }
}
