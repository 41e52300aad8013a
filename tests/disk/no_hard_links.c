/* Simulates a file system without hard links, such as exFAT, for one process. LD_PRELOAD loads this
 * library before the C library.
 *
 *   cc -shared -fPIC -O1 -o target/no_hard_links.so tests/disk/no_hard_links.c
 *   LD_PRELOAD=target/no_hard_links.so target/release/northgate backup --data ./data ./copy.db
 */
#include <errno.h>

int link(const char *from, const char *to) {
    (void)from, (void)to;
    errno = EPERM;
    return -1;
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    (void)from_folder, (void)to_folder, (void)flags;
    return link(from, to);
}
