#include "config_pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "why.h"

static struct pool_config *find(struct pool_config *pools, size_t n, struct bytes name)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(pools[i].name) == name.size && memcmp(pools[i].name, name.data, name.size) == 0)
            return &pools[i];
    return NULL;
}

int pool_config_add(struct pool_config **pools, size_t *n, struct bytes name, char **why)
{
    struct pool_config *more;

    if (name_check(name) < 0)
        return why_set(why, -EINVAL, "pool '%.*s': a name has 1 to %d of A-Z a-z 0-9 _ . : / -",
                       (int)name.size, (const char *)name.data, NAME_BYTES_MAX);
    if (find(*pools, *n, name))
        return 0;
    more = realloc(*pools, (*n + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    *pools = more;
    more[*n] = (struct pool_config){strndup(name.data, name.size), strdup("")};
    if (!more[*n].name || !more[*n].text) {
        free(more[*n].name);
        free(more[*n].text);
        return -ENOMEM;
    }
    ++*n;
    return 0;
}

/* Without the blanks that people put behind commas. */
static char *one_setting(const char *name, const char *value)
{
    char *text;
    size_t to;

    if (asprintf(&text, "%s=%s", name, value) < 0)
        return NULL;
    to = strlen(name) + 1;
    for (const char *from = text + to; *from; from++)
        if (*from != ' ' && *from != '\t')
            text[to++] = *from;
    text[to] = '\0';
    return text;
}

/* 0; -EINVAL with *why; -ENOMEM. */
static int append(struct pool_config *pool, const char *setting, char **why)
{
    struct pool_part part = {.set = 0};
    char words[POOL_WORD_MAX], *all;
    struct bytes wrong;

    if (pool_part_read(&part, (struct bytes){setting, strlen(setting)}, &wrong) < 0 || part.drained) {
        pool_part_why(part.drained ? (struct bytes){setting, strlen(setting)} : wrong, words, sizeof(words));
        return why_set(why, -EINVAL, "pool %s: %s", pool->name, words);
    }
    if (strlen(pool->text) + strlen(setting) + 2 > POOL_TEXT_MAX)
        return why_set(why, -EINVAL, "pool %s: its settings are longer than %d bytes", pool->name,
                       POOL_TEXT_MAX - 1);
    if (asprintf(&all, "%s%s ", pool->text, setting) < 0)
        return -ENOMEM;
    free(pool->text);
    pool->text = all;
    return 0;
}

int pool_config_set(struct pool_config **pools, size_t *n, struct bytes name, const char *setting,
                    const char *value, char **why)
{
    int r = pool_config_add(pools, n, name, why);
    char *text = r == 0 ? one_setting(setting, value) : NULL;

    if (r == 0)
        r = text ? append(find(*pools, *n, name), text, why) : -ENOMEM;
    free(text);
    return r;
}

int pool_config_flag(struct pool_config **pools, size_t *n, const char *text, char **why)
{
    size_t left = strcspn(text, "=");
    const char *dot = memrchr(text, '.', left);
    char setting[64];

    if (!dot || !text[left] || (size_t)(text + left - dot) > sizeof(setting))
        return why_set(why, -EINVAL,
                       "--pool %s: write NAME.SETTING=VALUE; goroutined.conf(5) lists the settings", text);
    snprintf(setting, sizeof(setting), "%.*s", (int)(text + left - dot - 1), dot + 1);
    return pool_config_set(pools, n, (struct bytes){text, (size_t)(dot - text)}, setting, text + left + 1,
                           why);
}

void pool_config_clear(struct pool_config *pools, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(pools[i].name);
        free(pools[i].text);
    }
    free(pools);
}
