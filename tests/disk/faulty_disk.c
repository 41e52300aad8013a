/* Simulates a slow or failing disk for one process. LD_PRELOAD loads this library before the C library.
 * This library intercepts writes and syncs of files whose paths contain "northgate.db".
 *
 *   cc -shared -fPIC -O1 -o target/faulty_disk.so tests/disk/faulty_disk.c -ldl
 *   LD_PRELOAD=target/faulty_disk.so NORTHGATE_SYNC_DELAY_US=2000 target/release/northgate --data ./data
 *
 * NORTHGATE_SYNC_DELAY_US  additional microseconds for each sync
 * NORTHGATE_FAULT_FILE     path of a file. While the file exists, the operation that the file names fails:
 *                            sync   a sync fails and writes nothing (EIO)
 *                            late   a sync fails after it has written everything (EIO)
 *                            full   a write fails and writes nothing (ENOSPC)
 *                            torn   a write fails after it has written half of its bytes (ENOSPC)
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

/* Returns the first letter of the fault to simulate now, or 0 for none. */
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
