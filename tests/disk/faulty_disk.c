/* A disk that is slow or fails, under one process: loaded before the C library, it comes between the
 * program and what it asks of the files whose names contain "northgate.db".
 *
 *   cc -shared -fPIC -O1 -o target/faulty_disk.so tests/disk/faulty_disk.c -ldl
 *   LD_PRELOAD=target/faulty_disk.so NORTHGATE_SYNC_DELAY_US=2000 target/release/northgate --data ./data
 *
 * NORTHGATE_SYNC_DELAY_US  so many microseconds more for each sync
 * NORTHGATE_FAULT_FILE     while this file is there, what is named in it fails:
 *                            sync   a sync fails before anything is on disk (EIO)
 *                            late   a sync fails, and everything is on disk all the same (EIO)
 *                            full   no write has room (ENOSPC)
 *                            torn   half of a write is written, and the rest has no room (ENOSPC)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int is_ours(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return strstr(path, "northgate.db") != NULL;
}

/* What is to fail now: the first letter of its name, or 0. */
static char fault(void) {
    const char *file = getenv("NORTHGATE_FAULT_FILE");
    if (file == NULL)
        return 0;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    char name = 0;
    if (read(fd, &name, 1) != 1)
        name = 0;
    close(fd);
    return name;
}

static void delay(void) {
    const char *text = getenv("NORTHGATE_SYNC_DELAY_US");
    long micros = text == NULL ? 0 : atol(text);
    if (micros > 0) {
        struct timespec pause = {micros / 1000000, micros % 1000000 * 1000};
        while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
            ;
    }
}

static int sync_with(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (!is_ours(fd))
        return real(fd);
    char now = fault();
    if (now == 's') {
        errno = EIO;
        return -1;
    }
    delay();
    int done = real(fd);
    if (now == 'l') {
        errno = EIO;
        return -1;
    }
    return done;
}

int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }

static ssize_t write_with(const char *name, int fd, const void *bytes, size_t count, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, name);
    char now = is_ours(fd) ? fault() : 0;
    if (now == 't' && count > 1)
        real(fd, bytes, count / 2, at);
    if (now == 't' || now == 'f') {
        errno = ENOSPC;
        return -1;
    }
    return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return write_with("pwrite", fd, bytes, count, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    return write_with("pwrite64", fd, bytes, count, at);
}
