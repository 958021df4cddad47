import ArgumentParser
import KieSandbox
import PromptQueue
import Testing

struct CommandTests {
    @Test func `the flags have the provider's own limits as defaults`() throws {
        let configuration = try SandboxCommand.parse([]).sandboxConfiguration
        #expect(configuration.apiKey == "sandbox-key")
        #expect(configuration.credits == Credits(millicredits: 1_000_000))
        #expect(configuration.rate == RateLimit(count: 20, window: .seconds(10)))
        #expect(configuration.pollRate == RateLimit(count: 10, window: .seconds(1)))
        #expect(configuration.duration == TaskDuration(typical: .seconds(3), jitter: .seconds(1)))
        #expect(configuration.faults.isEmpty)
    }

    @Test func `every flag is heard`() throws {
        let configuration = try SandboxCommand.parse([
            "--api-key", "k", "--credits", "5916.25", "--rate", "off", "--poll-rate", "5/2s", "--duration", "1m",
            "--jitter", "500ms", "--spread", "lognormal", "--latency", "10ms", "--slow", "2s", "--invisible", "3s",
            "--seed", "9", "--hmac-key", "h", "--fault", "lost=5%", "--fault", "429=0.5",
        ]).sandboxConfiguration
        #expect(configuration.apiKey == "k")
        #expect(configuration.credits == Credits(millicredits: 5_916_250))
        #expect(configuration.rate == nil)
        #expect(configuration.pollRate == RateLimit(count: 5, window: .seconds(2)))
        #expect(
            configuration.duration
                == TaskDuration(typical: .seconds(60), jitter: .milliseconds(500), shape: .lognormal)
        )
        #expect(configuration.latency == .milliseconds(10))
        #expect(configuration.slow == .seconds(2))
        #expect(configuration.invisible == .seconds(3))
        #expect(configuration.seed == 9)
        #expect(configuration.hmacKey == "h")
        #expect(configuration.faults == [.lost: 0.05, .tooManyRequests: 0.5])
    }

    @Test(
        arguments: [
            ["--fault", "nothing=1"], ["--fault", "lost=2"], ["--duration", "3"], ["--rate", "20"],
            ["--rate", "0/10s"],
            ["--listen", "41877"], ["--listen", "127.0.0.1:70000"], ["--credits", "-1"], ["--no-such-flag"],
        ]
    )
    func `a wrong flag is a usage error`(arguments: [String]) throws {
        let error = #expect(throws: (any Error).self) { try SandboxCommand.parse(arguments) }
        #expect(SandboxCommand.exitCode(for: try #require(error)).rawValue == 64)
    }

    @Test func `an unknown fault is answered with the list of names`() throws {
        let error = #expect(throws: (any Error).self) { try SandboxCommand.parse(["--fault", "nothing=1"]) }
        let message = SandboxCommand.message(for: try #require(error))
        for fault in Fault.allCases { #expect(message.contains(fault.rawValue)) }
    }

    @Test func `the help explains every fault`() {
        let help = SandboxCommand.helpMessage(columns: 200)
        for fault in Fault.allCases { #expect(help.contains(fault.summary)) }
    }
}
