#include "config_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "why.h"

enum { DEMAND_BYTES = 128 };

static struct queue_config *find(struct queue_config *queues, size_t n, struct bytes name)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(queues[i].name) == name.size && memcmp(queues[i].name, name.data, name.size) == 0)
            return &queues[i];
    return NULL;
}

int queue_config_add(struct queue_config **queues, size_t *n, struct bytes name, char **why)
{
    struct queue_config *more;

    if (name_check(name) < 0)
        return why_set(why, -EINVAL, "queue '%.*s': a name has 1 to %d of A-Z a-z 0-9 _ . : / -",
                       (int)name.size, (const char *)name.data, NAME_BYTES_MAX);
    if (find(*queues, *n, name))
        return 0;
    more = realloc(*queues, (*n + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    *queues = more;
    more[*n] = (struct queue_config){.name = strndup(name.data, name.size)};
    if (!more[*n].name)
        return -ENOMEM;
    ++*n;
    return 0;
}

static int complain(struct bytes name, enum policy_field field, const char *value, char **why)
{
    char demand[DEMAND_BYTES];

    policy_demand(field, demand, sizeof(demand));
    return why_set(why, -EINVAL, "queue %.*s: %s: '%s' is not %s", (int)name.size, (const char *)name.data,
                   policy_rows[field].name, value, demand);
}

int queue_config_set(struct queue_config **queues, size_t *n, struct bytes name, enum policy_field field,
                     const char *value, char **why)
{
    int r = queue_config_add(queues, n, name, why);
    struct queue_config *queue = r == 0 ? find(*queues, *n, name) : NULL;

    if (!queue)
        return r;
    if (policy_set(&queue->part, field, (struct bytes){value, strlen(value)}) < 0)
        return complain(name, field, value, why);
    return 0;
}

int queue_config_flag(struct queue_config **queues, size_t *n, const char *text, char **why)
{
    size_t left = strcspn(text, "=");
    const char *dot = memrchr(text, '.', left);
    int field = dot ? policy_field((struct bytes){dot + 1, (size_t)(text + left - dot - 1)}) : -ENOENT;

    if (field < 0 || !text[left])
        return why_set(why, -EINVAL,
                       "--queue %s: write NAME.SETTING=VALUE; goroutined.conf(5) lists the settings", text);
    return queue_config_set(queues, n, (struct bytes){text, (size_t)(dot - text)}, field, text + left + 1,
                            why);
}

void queue_config_clear(struct queue_config *queues, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(queues[i].name);
    free(queues);
}
