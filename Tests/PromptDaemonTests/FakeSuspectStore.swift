import PromptQueue
import Synchronization

/// Knows of no deaths, and remembers what went well.
final class FakeSuspectStore: SuspectStore {
    let acquitted = Mutex<[RiskyStep]>([])

    func noteDeaths(
        _ steps: [RiskyStep],
        _ end: SuddenEnd,
        version: String,
        now: Instant
    ) async throws(LedgerError) -> [SetAsideStep] { [] }

    func suspects() async throws(LedgerError) -> Set<RiskyStep> { [] }
    func acquit(_ step: RiskyStep) { acquitted.withLock { $0.append(step) } }
}
