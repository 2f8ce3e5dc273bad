/* The named queues of the configuration. */
#include "queues.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "why.h"

static int complain(const char *entry, size_t size, int error, char **why)
{
    return why_set(why, error,
                   "queues: '%.*s' is not NAME=JOBS with a name of A-Z a-z 0-9 _ . : / - and 1 job or more",
                   (int)size, entry);
}

static bool is_name(struct bytes name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-";

    return name.size > 0 && name.size <= NAME_BYTES_MAX && strspn(name.data, allowed) >= name.size;
}

/* One entry, NAME=JOBS, of `size` bytes. */
static int read_entry(const char *entry, size_t size, struct bytes *name, uint64_t *jobs)
{
    const char *equals = memchr(entry, '=', size);
    char *end;

    *name = (struct bytes){entry, equals ? (size_t)(equals - entry) : 0};
    if (!is_name(*name) || equals[1] < '0' || equals[1] > '9')
        return -EINVAL;
    errno = 0;
    *jobs = strtoull(equals + 1, &end, 10);
    return errno == 0 && *jobs > 0 && end == entry + size ? 0 : -EINVAL;
}

int queues_read(const char *text, int (*queue)(void *context, struct bytes name, uint64_t jobs),
                void *context, char **why)
{
    while (text && *text) {
        size_t size = strcspn(text, ",");
        struct bytes name;
        uint64_t jobs;
        int r = read_entry(text, size, &name, &jobs);
        if (r == 0 && queue)
            r = queue(context, name, jobs);
        if (r < 0)
            return complain(text, size, r, why);
        text += size + (text[size] == ',');
    }
    return 0;
}
