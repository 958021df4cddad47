import Testing

@testable import PromptDaemon

@Suite struct DescriptorLimitTests {
    @Test(arguments: [(UInt64(1_048_576), 128), (1_024, 128), (200, 26), (97, 4), (30, 4), (0, 4), (.max, 128)])
    func `strangers get a part of what the daemon itself does not need`(limit: UInt64, connections: Int) {
        #expect(DescriptorLimit.connections(of: limit) == connections)
    }
}
