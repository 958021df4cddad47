import PromptQueue

/// What every ledger must do, whatever it is stored in: the rules about money that the engine relies on.
package enum LedgerConformance: String, CaseIterable, Sendable {
    case higherPriorityGoesFirst = "a higher priority goes first, and queues take turns"
    case claimedOnce = "a job is claimed once, by one of several claims at the same moment"
    case limitsHold = "no more are claimed than slots, places and budgets allow"
    case outcomesAreIdempotent = "recording an outcome twice changes nothing"
    case lostAnswerKeepsItsMoney = "a lost answer keeps its reservation and its slot, and nothing is sent again"
    case startFindsWhatWasOpen = "a start finds what was under way: what was being sent is unknown, tasks go on"
    case chargesAreBooked = "what a task cost is booked, the reported figure before the reserved one"
    case refusedIsReleased = "a refusal releases everything, and does not count if it is no attempt's fault"
    case cancelledIsBooked = "a cancelled job's task is booked, and its results are nobody's"
    case retryTakesUp = "trying again takes up what is paid for"
    case attemptsAreLimited = "a counted retry of a job whose attempts are used up fails it; an uncounted one does not"
    case refusedByTheRules = "a job that may not be sent fails without a slot, and the next is claimed"

    case waitsForItsSource = "a job that takes another's result is claimed when that one has succeeded, with its URL"
    case failsWithItsSource = "a job that takes another's result fails with it, and is tried again after it"
    case eventsTellTheWay = "the events of a job, in their order, are the way that it went, also through a retry"
    case prunedKeepsItsMoney = "pruning removes what has ended, and leaves what it cost; what is under way stays"
    case accountsAreApart =
        "each account has its window, its places and its requests, and a start takes over its own alone"
    case olderCopySubmitsNothing = "an older copy submits nothing until it is released"
    case filesAreAwaited = "a job waits for its file, and what was read before another named it is not recorded"
    case runsAreAddedOnce = "a run of a schedule has one job, and waits for that of the last one"
    case hooksAreToldInOrder = "hooks are told of what happens once, and of each job in its order"

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    package func check(_ place: some LedgerPlace) async throws {
        let world = Scene(place: place, ledger: try await place.open())
        switch self {
        case .higherPriorityGoesFirst: try await world.higherPriorityGoesFirst()
        case .claimedOnce: try await world.claimedOnce()
        case .limitsHold: try await world.limitsHold()
        case .outcomesAreIdempotent: try await world.outcomesAreIdempotent()
        case .lostAnswerKeepsItsMoney: try await world.lostAnswerKeepsItsMoney()
        case .startFindsWhatWasOpen: try await world.startFindsWhatWasOpen()
        case .chargesAreBooked: try await world.chargesAreBooked()
        case .refusedIsReleased: try await world.refusedIsReleased()
        case .cancelledIsBooked: try await world.cancelledIsBooked()
        case .retryTakesUp: try await world.retryTakesUp()
        case .attemptsAreLimited: try await world.attemptsAreLimited()
        case .refusedByTheRules: try await world.refusedByTheRules()
        case .waitsForItsSource: try await world.waitsForItsSource()
        case .failsWithItsSource: try await world.failsWithItsSource()
        case .eventsTellTheWay: try await world.eventsTellTheWay()
        case .prunedKeepsItsMoney: try await world.prunedKeepsItsMoney()
        case .accountsAreApart: try await world.accountsAreApart()
        case .olderCopySubmitsNothing: try await world.olderCopySubmitsNothing()
        case .filesAreAwaited: try await world.filesAreAwaited()
        case .runsAreAddedOnce: try await world.runsAreAddedOnce()
        case .hooksAreToldInOrder: try await world.hooksAreToldInOrder()
        }
        try await world.ledger.close()
    }
}
