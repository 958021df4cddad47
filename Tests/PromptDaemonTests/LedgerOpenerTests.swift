import PromptConfiguration
import Testing

@testable import PromptDaemon

@Suite struct LedgerOpenerTests {
    @Test func `a daemon's own files lie beside its database, or where its state is`() {
        func files(_ database: String, state: String? = nil, _ environment: [String: String] = [:]) -> String {
            var configuration = DaemonConfiguration()
            configuration.database = database
            if let state { configuration.stateDirectory = state }
            return LedgerOpener.files(configuration, environment)
        }
        let unit = ["STATE_DIRECTORY": "/var/lib/promptd-a:/var/lib/b"]
        #expect(files("/d/q.sqlite", unit) == "/d/q.sqlite")
        #expect(files("service=q") == "/var/lib/promptd/postgresql")
        #expect(files("service=q", unit) == "/var/lib/promptd-a/postgresql")
        #expect(files("service=q", state: "/s", unit) == "/s/postgresql", "what somebody has written holds")
    }
}
