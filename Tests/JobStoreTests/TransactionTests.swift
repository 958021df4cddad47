import JobStore
import PromptQueue
import Testing

/// Several steps of one caller that are one step to all others.
@Suite struct TransactionTests {
    private struct Stop: Error {}

    @Test func `what is thrown undoes all that was done`() async throws {
        let fixture = try LedgerFixture()
        let file = try QueueFile(path: fixture.path)
        let job = NewJob(prompt: "a fox", model: "flux-2/flex-text-to-image", input: "{}", queue: "ads")
        let id = try file.add([job], now: fixture.now)[0]
        #expect(throws: Stop.self) {
            try file.transaction(dryRun: false) {
                #expect(try file.apply(.cancel, to: [id]).changed == 1)
                _ = try file.add([job], now: fixture.now)
                try file.setPaused(true, queue: "ads")
                #expect(try file.details(of: id)?.job.state == .cancelled)
                throw Stop()
            }
        }
        #expect(try file.details(of: id)?.job.state == .queued)
        #expect(try file.ids(matching: JobFilter(), limit: 9) == [id])
        #expect(try file.queues().allSatisfy { !$0.isPaused })
    }

    @Test func `a dry run leaves nothing behind, and a step that fails only itself`() async throws {
        let fixture = try LedgerFixture()
        let file = try QueueFile(path: fixture.path)
        var job = NewJob(prompt: "a fox", model: "flux-2/flex-text-to-image", input: "{}", queue: "ads")
        job.uniqueKey = "k"
        let id = try file.add([job], now: fixture.now)[0]
        let changed = try file.transaction(dryRun: true) { try file.apply(.cancel, to: [id]).changed }
        #expect(changed == 1)
        #expect(try file.details(of: id)?.job.state == .queued)
        try file.transaction(dryRun: false) {
            #expect(throws: LedgerError.self) { try file.add([job], now: fixture.now) }
            #expect(try file.apply(.cancel, to: [id], dryRun: true).changed == 1)
            #expect(try file.details(of: id)?.job.state == .queued)
            try file.setPaused(true, queue: "ads")
        }
        #expect(try file.queues().contains { $0.name == "ads" && $0.isPaused })
        #expect(try file.ids(matching: JobFilter(), limit: 9) == [id])
    }

    @Test func `nobody else writes in between`() async throws {
        let fixture = try LedgerFixture()
        let (file, other) = (try QueueFile(path: fixture.path), try QueueFile(path: fixture.path))
        let version = try other.dataVersion()
        try file.transaction(dryRun: false) {
            try file.setPaused(true, queue: "ads")
            #expect(try other.dataVersion() == version)
            #expect(try other.queues().allSatisfy { !$0.isPaused })
        }
        #expect(try other.queues().contains { $0.name == "ads" && $0.isPaused })
    }
}
