// Shifts CLOCK_REALTIME for a program that is started with it (LD_PRELOAD), by the seconds that stand in the file that
// FAKE_CLOCK names, and may be changed while the program runs. Timers, and clocks that cannot be set, stay as they are:
// libfaketime moves absolute timers of the monotonic clock, too, and all of promptd's stand still.
//
//     cc -shared -fPIC -O1 -o fake-clock.so scripts/fake-clock.c
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char *volatile text;

__attribute__((constructor)) static void open_clock(void) {
    int file = open(getenv("FAKE_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *map = mmap(0, 20, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (map == MAP_FAILED) _exit(70);
    text = map;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int code = syscall(SYS_clock_gettime, clock, now);
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return code;
    if (code == 0 && text) now->tv_sec += atol((const char *)text);
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
