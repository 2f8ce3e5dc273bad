/*
 * Memory of hosts: resident size, polled.
 *
 * Not a limit of address space, which goroutines use freely: their stacks are reserved, not resident. Between two looks a
 * host may take more than its bound; what counts is what it has when it is looked at.
 */
#include "host_bounds.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cleanup.h"
#include "fd.h"

/* Bytes; 0: it cannot be told, as of a process that has just ended. */
static uint64_t resident_bytes(pid_t pid)
{
    char path[64], text[128];
    unsigned long long pages = 0;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return sscanf(text, "%*u %llu", &pages) == 1 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

bool host_bounds_exceeded(struct host_bounds *bounds, pid_t pid)
{
    uint64_t resident = bounds->memory_max && !bounds->took ? resident_bytes(pid) : 0;

    if (resident <= bounds->memory_max)
        return false;
    bounds->took = resident;
    return true;
}

size_t host_bounds_words(const struct host_bounds *bounds, char *text, size_t size)
{
    int n = snprintf(text, size, "out of memory: the host had %llu bytes, and memory_max is %llu",
                     (unsigned long long)bounds->took, (unsigned long long)bounds->memory_max);

    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}
