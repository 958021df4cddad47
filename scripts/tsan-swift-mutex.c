// Tells ThreadSanitizer what Swift's Mutex orders.
//
// Mutex takes and gives an uncontended lock with instructions that are compiled, and instrumented, into the program. A
// contended one is taken and given within libswiftSynchronization.so, which is not instrumented: ThreadSanitizer does not see
// that the one thread waited for the other, and reports every Mutex that two threads want at once. Preloaded, this stands
// before the three functions of the slow path and says so. A process without ThreadSanitizer does not notice it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

static void acquired(void *lock) {
    if (__tsan_acquire) __tsan_acquire(lock);
}

static void *next(const char *symbol) {
    void *function = dlsym(RTLD_NEXT, symbol);
    if (!function) abort();
    return function;
}

SWIFT void lock(uint32_t thread, SELF) __asm__(LOCK);
SWIFT void lock(uint32_t thread, SELF) {
    SWIFT void (*original)(uint32_t, SELF) = next(LOCK);
    original(thread, self);
    acquired(self);
}

SWIFT bool try_lock(SELF) __asm__(TRY_LOCK);
SWIFT bool try_lock(SELF) {
    SWIFT bool (*original)(SELF) = next(TRY_LOCK);
    bool is_locked = original(self);
    if (is_locked) acquired(self);
    return is_locked;
}

SWIFT void unlock(SELF) __asm__(UNLOCK);
SWIFT void unlock(SELF) {
    SWIFT void (*original)(SELF) = next(UNLOCK);
    if (__tsan_release) __tsan_release(self);
    original(self);
}
