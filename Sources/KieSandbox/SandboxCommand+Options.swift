import ArgumentParser
import PromptQueue

/// `--listen`: a host and a port.
struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    static let `default` = ListenAddress(host: "127.0.0.1", port: 41_877)

    let host: String
    let port: Int

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init(_ text: String) throws {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon != text.startIndex
        else {
            throw ValidationError("write the address as HOST:PORT, such as 127.0.0.1:41877")
        }
        self.init(host: String(text[..<colon]), port: port)
    }

    var description: String { "\(host):\(port)" }
}

/// `--rate` and `--poll-rate`.
enum RateOption: Sendable, Hashable, CustomStringConvertible {
    case off
    case limit(RateLimit)

    var value: RateLimit? {
        if case .limit(let rate) = self { rate } else { nil }
    }

    var description: String { value?.description ?? "off" }
}

@Sendable
func parseRate(_ text: String) throws -> RateOption {
    if text == "off" { return .off }
    guard let rate = RateLimit(text: text) else { throw ValidationError("write a rate as 20/10s, or off") }
    return .limit(rate)
}

@Sendable
func parseDuration(_ text: String) throws -> Duration {
    guard let duration = Duration(text: text) else {
        throw ValidationError("write a duration like 250ms, 10s, 5m, 2h or 90d")
    }
    return duration
}

@Sendable
func parseCredits(_ text: String) throws -> Credits {
    guard let credits = Credits(text: text) else {
        throw ValidationError("write credits as a number from 0 up, with at most three decimals")
    }
    return credits
}

/// `--account`: a key with its balance.
struct SandboxAccount: Sendable, Hashable {
    let key: String
    let credits: Credits
}

@Sendable
func parseAccount(_ text: String) throws -> SandboxAccount {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, let credits = Credits(text: parts[1]) else {
        throw ValidationError("write an account as KEY=CREDITS, like other-key=500")
    }
    return SandboxAccount(key: parts[0], credits: credits)
}

@Sendable
func parseFault(_ text: String) throws -> FaultRate {
    do {
        return try FaultRate(text: text)
    } catch {
        throw ValidationError(error.description)
    }
}

extension RateLimit {
    /// Reads `20/10s`. A count or a window of nothing is `nil`.
    init?(text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0]), let window = Duration(text: String(parts[1])) else {
            return nil
        }
        guard count > 0, window > .zero else { return nil }
        self.init(count: count, window: window)
    }
}
