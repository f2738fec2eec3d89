/* Makes one system call of a program fail, at a place that a test chooses. Loaded before the C library (LD_PRELOAD).

   Calls that change files are counted from 1 once `faults_arm` was called; the chosen one is disturbed. Standard output and
   error are left alone, because the test listens to them. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    NONE,         /* count only */
    KILL_BEFORE,  /* the process dies before the call */
    KILL_AFTER,   /* the process dies after it */
    KILL_WITHIN,  /* half of a write is done, then the process dies; other calls: as KILL_BEFORE */
    FAIL_IO,      /* EIO, and nothing was done */
    DONE_IO,      /* EIO, although it was done */
    FAIL_SPACE,   /* ENOSPC, and nothing was done */
    SHORT,        /* half of a write is done, and said so, which is no error; other calls: EIO */
    FAIL_ALWAYS,  /* from here on every call fails with EIO */
};

static atomic_long calls;
static long chosen;
static int kind;
static int armed;

void faults_arm(int fault, long call) {
    kind = fault;
    chosen = call;
    atomic_store(&calls, 0);
    armed = 1;
}

long faults_calls(void) {
    armed = 0;
    return atomic_load(&calls);
}

/* Whether this call is the chosen one. */
static int hit(void) {
    if (!armed) return 0;
    long call = atomic_fetch_add(&calls, 1) + 1;
    return kind != NONE && (call == chosen || (kind == FAIL_ALWAYS && call > chosen));
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* Around a call that is done or not done, and has no half. */
#define AROUND(result, failed, call)                                       \
    do {                                                                   \
        if (!hit()) return call;                                           \
        if (kind == KILL_BEFORE || kind == KILL_WITHIN) die();             \
        if (kind == KILL_AFTER || kind == DONE_IO) {                       \
            result done = call;                                            \
            if (kind == KILL_AFTER) die();                                 \
            (void)done;                                                    \
        }                                                                  \
        errno = kind == FAIL_SPACE ? ENOSPC : EIO;                         \
        return failed;                                                     \
    } while (0)

/* Around a write of `size` bytes; `some` writes `half` bytes of it. */
#define WRITING(whole, some)                                               \
    do {                                                                   \
        if (fd <= 2) return whole;                                         \
        if (!hit()) return whole;                                          \
        size_t half = size / 2;                                            \
        switch (kind) {                                                    \
        case KILL_BEFORE: die(); break;                                    \
        case KILL_AFTER: (void)!whole; die(); break;                       \
        case KILL_WITHIN: (void)!some; die(); break;                       \
        case DONE_IO: (void)!whole; errno = EIO; return -1;                \
        case SHORT: if (half) return some; break;                          \
        }                                                                  \
        errno = kind == FAIL_SPACE ? ENOSPC : EIO;                         \
        return -1;                                                         \
    } while (0)

ssize_t write(int fd, const void *data, size_t size) { WRITING(REAL(write)(fd, data, size), REAL(write)(fd, data, half)); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    WRITING(REAL(pwrite)(fd, data, size, at), REAL(pwrite)(fd, data, half, at));
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    WRITING(REAL(pwrite64)(fd, data, size, at), REAL(pwrite64)(fd, data, half, at));
}
int fsync(int fd) { AROUND(int, -1, REAL(fsync)(fd)); }
int fdatasync(int fd) { AROUND(int, -1, REAL(fdatasync)(fd)); }
int ftruncate(int fd, off_t size) { AROUND(int, -1, REAL(ftruncate)(fd, size)); }
int ftruncate64(int fd, off64_t size) { AROUND(int, -1, REAL(ftruncate64)(fd, size)); }
int unlink(const char *path) { AROUND(int, -1, REAL(unlink)(path)); }
int rename(const char *from, const char *to) { AROUND(int, -1, REAL(rename)(from, to)); }
int mkdir(const char *path, mode_t mode) {
    int (*call)(const char *, mode_t) = (int (*)(const char *, mode_t))real("mkdir");
    AROUND(int, -1, call(path, mode));
}

/* Opening is disturbed where it may write. */
static int opening(const char *name, const char *path, int flags, mode_t mode) {
    int (*call)(const char *, int, mode_t) = (int (*)(const char *, int, mode_t))real(name);
    if (!(flags & (O_WRONLY | O_RDWR | O_CREAT))) return call(path, flags, mode);
    AROUND(int, -1, call(path, flags, mode));
}

#define MODE()                                                             \
    mode_t mode = 0;                                                       \
    if (flags & O_CREAT) {                                                 \
        va_list rest;                                                      \
        va_start(rest, flags);                                             \
        mode = va_arg(rest, int);                                          \
        va_end(rest);                                                      \
    }

int open(const char *path, int flags, ...) { MODE() return opening("open", path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE() return opening("open64", path, flags, mode); }
