/// What messages advise people to do: the one place, beside the commands themselves and the schema's own refusals, that
/// knows how commands are written and what they do. A message says what happened; its last words come from here.
package enum Advice: Sendable, Hashable, CustomStringConvertible {
    /// A job that was not sent.
    case trySending(JobID)
    /// A job whose result another one is to take.
    case retryFirst(JobID)
    /// A job whose request may be sent once more, and paid once more.
    case sendAgain(JobID)
    /// A job whose task is no longer polled.
    case pollAgain(JobID)
    /// A job with a result that is paid for and was not fetched.
    case fetchAgain(JobID)
    /// A job with results that are paid for and were not fetched, whose URLs a person can fetch.
    case fetchByHand(JobID)
    /// A job about which more is known than a message holds.
    case see(JobID)
    case seeWhatToDo(JobID)
    /// A lost request that made the named task, if the person knows that it did.
    case adopt(TaskID, JobID)
    /// A lost request, in general.
    case settle
    /// A price that no limit of the budget has room for.
    case raiseLimitOrCancel
    /// A budget without periods that is used up.
    case higherLimit
    /// A budget that is used up until its next period.
    case nextPeriodOrHigherLimit
    /// A queue whose account is not in the configuration.
    case nameAccount
    /// Jobs that have not ended.
    case listUnderWay
    case resumeQueue(String)
    case makeDatabase(String)
    case migrate
    /// A database that is no file.
    case backUpServer
    case restoreServer
    case compareAccount
    /// A database that may be an older copy.
    case lookAtRestored
    case setPrice
    case listModels
    /// What a model takes and costs.
    case seeModel
    /// The price of a model that promptd was not built with.
    case setPriceOfAdded
    case refreshModels
    /// Something that a hook was not told, and will not be.
    case retryHook

    package var description: String {
        switch self {
        case .trySending(let job): "promptctl retry \(job) tries it again"
        case .retryFirst(let job): "promptctl retry \(job) first"
        case .sendAgain(let job): "promptctl retry \(job) sends it again"
        case .pollAgain(let job): "promptctl retry \(job) polls it again"
        case .fetchAgain(let job): "promptctl retry \(job) fetches it again and pays nothing"
        case .fetchByHand(let job):
            "promptctl show \(job) has the URLs, promptctl retry \(job) downloads them again and pays nothing"
        case .see(let job): "see promptctl show \(job)"
        case .seeWhatToDo(let job): "promptctl show \(job) says what to do"
        case .adopt(let task, let job): "promptctl resolve \(job) --task \(task)"
        case .nameAccount: "name another account (promptctl queue set), or put this one into the configuration"
        case .listUnderWay: "promptctl list --state running and --state unconfirmed show them"
        case .settle: "settle it with promptctl resolve"
        case .raiseLimitOrCancel: "raise the limit (promptctl budget set) or cancel the job"
        case .higherLimit: "a higher limit (promptctl budget set)"
        case .nextPeriodOrHigherLimit: "the next period, or a higher limit (promptctl budget set)"
        case .resumeQueue(let queue): "promptctl queue resume \(queue) lets it go on"
        case .makeDatabase(let path): "make it with: promptctl --database \(path) init"
        case .migrate: "migrate it with: promptctl init"
        case .backUpServer:
            "pg_dump writes a copy of one instant, pg_basebackup one that can be wound forward; docs/several-machines.md says which when"
        case .restoreServer:
            "Stop all daemons, restore with pg_restore, or the base backup and its log, and start one; it submits nothing until promptctl "
                + "restored has been asked; docs/several-machines.md has the steps"
        case .lookAtRestored: "promptctl restored says what is known and how to go on"
        case .compareAccount: "promptctl credits has the figures"
        case .setPrice: "see promptctl models, and set a price"
        case .listModels: "promptctl models lists all"
        case .seeModel: "promptctl models MODEL shows what it takes and costs"
        case .setPriceOfAdded: "the price of one that the provider has added is set with promptctl models price"
        case .retryHook: "promptctl hooks list --dead shows it, promptctl hooks retry tells it once more"
        case .refreshModels: "promptctl models refresh asks now"
        }
    }
}
