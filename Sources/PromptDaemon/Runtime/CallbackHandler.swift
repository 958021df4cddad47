import Concurrency
import FoundationEssentials
import KieAPI
import NIOCore
import PromptQueue
import PromptWeb

/// Checks callbacks and hands them to the engine, as hints.
struct CallbackHandler: Sendable {
    /// The token is looked up by few at a time, so that a flood leaves the database's readers to others.
    private let semaphore = AsyncSemaphore(places: 2)

    let verifier: CallbackVerifier
    let targets: any HintSource
    let isRunning: @Sendable () -> Bool
    let now: @Sendable () -> Instant
    let hint: @Sendable (AccountName, AttemptID, OpenTask?) -> Void

    /// Says what becomes of a callback; returns before the provider is asked anything.
    func receive(_ callback: IncomingCallback) async -> CallbackOutcome {
        guard let body = CallbackBody(Data(callback.body.readableBytesView)) else { return .malformed }
        if verifier.hasKey {
            guard let task = body.task else { return .malformed }
            let verdict = verifier.verdict(
                task: task,
                timestamp: callback.timestamp,
                signature: callback.signature,
                now: now()
            )
            switch verdict {
            case .admitted: break
            case .badSignature: return .badSignature
            case .stale: return .stale
            }
        }
        // Not before the engine can take it: the provider tries again.
        guard isRunning() else { return .unavailable }
        let target: HintTarget?
        do throws(LedgerError) {
            let token = AttemptToken(callback.token)
            target = try await semaphore.pass { () async throws(LedgerError) in
                try await targets.hintTarget(token: token)
            }
        } catch {
            return .unavailable
        }
        guard let target else { return .unknownToken }
        guard target.isOpen else {
            return target.state == .rejected && body.task != nil ? .contradicted : .duplicate
        }
        if let task = body.task, target.needsNote(of: task) {
            // The provider will not call again after a 200, and promptd may end before it could ask.
            do throws(LedgerError) {
                try await targets.noteHint(target.attempt, task: task)
            } catch {
                return .unavailable
            }
        }
        if let keeper = target.keeper {
            do throws(LedgerError) {
                try await targets.tell(keeper, of: target.attempt)
            } catch {
                return .unavailable
            }
        } else {
            hint(target.account, target.attempt, target.candidate(named: body.task))
        }
        return .accepted
    }
}
