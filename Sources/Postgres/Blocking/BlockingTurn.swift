import Glibc

/// Lets one thread at a time use a connection, and that one as often as it likes within its own turn.
///
/// The variables are touched by the thread whose turn it is, or by the loop's thread while that one waits for it (`BlockingCall`).
@safe final class BlockingTurn: @unchecked Sendable {
    /// The transaction that is under way.
    var transaction: PostgresTransaction?
    /// How many parts of the transaction, one within the other, are under way.
    var depth = 0
    /// How many cursors there were.
    var cursors = 0

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        unsafe mutex = .allocate(capacity: 1)
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        unsafe pthread_mutexattr_settype(&attributes, Int32(clamping: PTHREAD_MUTEX_RECURSIVE))
        unsafe pthread_mutex_init(mutex, &attributes)
        unsafe pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    func take<Value>(_ body: () throws -> Value) rethrows -> Value {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body()
    }
}
