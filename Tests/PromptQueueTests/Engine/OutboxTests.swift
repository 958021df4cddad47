import Testing

@testable import PromptQueue

/// Notes about gates replace each other: one is written at a time, and the next tells of the latest.
@Suite struct OutboxTests {
    private static func notes(_ effects: [EngineEffect]) -> [LedgerChange] {
        effects.records.filter { if case .gates = $0 { true } else { false } }
    }

    /// An engine that has closed the gate `key` and is writing that down.
    private func closing() -> (fixture: EngineFixture, note: LedgerChange, others: [LedgerChange]) {
        var fixture = EngineFixture()
        _ = fixture.start()
        let (jobs, _) = fixture.claim(1, hasMore: false)
        let refused = SubmissionOutcome.rejected(Failure(.keyRefused, "401"))
        let effects = fixture.engine.handle(.submitted(jobs[0].attempt, refused), now: fixture.now)
        let others = effects.records.filter { if case .gates = $0 { false } else { true } }
        return (fixture, Self.notes(effects)[0], others)
    }

    @Test func `what changes while a note is being written is in the next one`() {
        var (fixture, written, _) = closing()
        // The gate opens and another closes: neither is written beside the first note.
        var effects = fixture.engine.handle(.reloaded(fixture.engine.settings), now: fixture.now)
        effects += fixture.engine.handle(.recordStalled(LedgerError(.full, "full")), now: fixture.now)
        #expect(Self.notes(effects).isEmpty)
        let next = fixture.engine.handle(.recorded(written, CommitResult()), now: fixture.now)
        #expect(Self.notes(next).count == 1)
        #expect(next.gates == ["disk"], "the latest, and nothing in between")
        #expect(Self.notes(fixture.engine.handle(.recorded(next.records[0], CommitResult()), now: fixture.now)).isEmpty)
    }

    @Test func `a note that the ledger refuses does not come back by itself`() {
        var (fixture, written, _) = closing()
        let refusal = LedgerError(.constraint, "CHECK")
        #expect(fixture.engine.handle(.recordRefused(written, refusal), now: fixture.now).records.isEmpty)
        // What closes or opens next is noted again.
        #expect(Self.notes(fixture.engine.handle(.reloaded(fixture.engine.settings), now: fixture.now)).count == 1)
    }

    @Test func `a stop waits for the note, and not for one that can never be written`() {
        var (fixture, written, others) = closing()
        #expect(!fixture.engine.handle(.drain, now: fixture.now).stops)
        for change in others {
            #expect(!fixture.engine.handle(.recorded(change, CommitResult()), now: fixture.now).stops)
        }
        #expect(fixture.engine.handle(.recordAbandoned(written), now: fixture.now).stops)
    }
}
