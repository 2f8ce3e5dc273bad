/*
 * Files of zones (zone_file.h). A name may come from anybody: it has only bytes that names of zones have, and leads to
 * nothing outside of the folder.
 */
#include "zone_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fd.h"

/* Dots would allow "..". */
static bool name_possible(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t size = strnlen(name, ZONE_NAME_BYTES_MAX + 1);

    return size > 0 && size <= ZONE_NAME_BYTES_MAX && name[0] != '/' && name[strspn(name, allowed)] == 0;
}

/* Fills the buffer as far as there is something; the bytes read. */
static ssize_t read_all(int fd, char *buffer, size_t size)
{
    size_t filled = 0;

    while (filled < size) {
        ssize_t n = read(fd, buffer + filled, size - filled);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        filled += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)filled;
}

static int read_zone(int fd, struct zone **zone)
{
    _cleanup_(cleanup_free) char *buffer = malloc(ZONE_FILE_BYTES_MAX + 1);
    ssize_t n;

    if (!buffer)
        return -ENOMEM;
    n = read_all(fd, buffer, ZONE_FILE_BYTES_MAX + 1);
    if (n < 0)
        return (int)n;
    if (n > ZONE_FILE_BYTES_MAX)
        return -E2BIG;
    return zone_data_read((struct bytes){buffer, (size_t)n}, zone);
}

static int utc(struct zone **zone)
{
    *zone = calloc(1, sizeof(**zone));
    return *zone ? 0 : -ENOMEM;
}

int zone_file_read(const char *folder, const char *name, struct zone **zone)
{
    _cleanup_(cleanup_close) int fd = -1;
    char path[PATH_MAX];
    struct stat st;
    int n;

    if (!name_possible(name))
        return -EINVAL;
    if (strcmp(name, "UTC") == 0)
        return utc(zone);
    n = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return -ENAMETOOLONG;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return errno == ENOTDIR ? -ENOENT : -errno;
    return S_ISREG(st.st_mode) ? read_zone(fd, zone) : -ENOENT;
}

struct zone *zone_delete(struct zone *zone)
{
    free(zone);
    return NULL;
}
