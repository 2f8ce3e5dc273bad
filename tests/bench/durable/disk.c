/* The disk alone: 4 KiB appended and fdatasync. WHERE: a folder. */
#include "durable.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int fd = -1;

static void connect_disk(const char *where)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/disk.%d", where, getpid());
    fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        err(1, "%s", path);
}

static void put(void)
{
    static const char page[4096];

    if (write(fd, page, sizeof page) != sizeof page || fdatasync(fd) < 0)
        err(1, "write to the disk");
}

const struct peer disk = {.name = "disk", .connect = connect_disk, .put = put};
