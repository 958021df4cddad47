/// How late a request whose answer was lost may still reach the provider.
///
/// What this machine has not delivered is thrown away when a request is given up: the connection is reset. But a front that
/// has taken the request may pass it on when nobody waits for it any more; fronts that held one for minutes were seen.
package enum LateArrival {
    /// From the instant at which the answer was lost. Until then the request keeps its slot of the rate window.
    package static let longest: Duration = .seconds(3_600)
}
