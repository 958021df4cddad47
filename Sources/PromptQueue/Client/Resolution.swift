/// How an operator settles a job whose answer was lost.
package enum Resolution: Sendable {
    /// The provider has made this task for it.
    case task(TaskID)
    /// The provider has made no task: it may be sent again.
    case resubmit
    /// Nobody knows: the job is given up, and its reservation is booked as if it had been charged.
    case fail
}
