import NIOPosix

/// Runs tasks that block on threads kept for that.
final class BlockingExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        NIOThreadPool.singleton.submit { [self] _ in
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
