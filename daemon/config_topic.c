#include "config_topic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "why.h"

static struct topic_config *find(struct topic_config *topics, size_t n, struct bytes pattern)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_are(pattern, topics[i].pattern, strlen(topics[i].pattern)))
            return &topics[i];
    return NULL;
}

int topic_config_add(struct topic_config **topics, size_t *n, struct bytes pattern, char **why)
{
    struct topic_config *more;
    const char *fault;

    if (pattern_check(pattern, &fault) < 0)
        return why_set(why, -EINVAL, "topic '%.*s': the pattern %s", (int)pattern.size,
                       (const char *)pattern.data, fault);
    if (find(*topics, *n, pattern))
        return 0;
    more = realloc(*topics, (*n + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    *topics = more;
    more[*n] = (struct topic_config){.pattern = strndup(pattern.data, pattern.size)};
    if (!more[*n].pattern)
        return -ENOMEM;
    ++*n;
    return 0;
}

/* 0; -EINVAL with *why; -ENOMEM. */
static int set_one(struct topic_config *topic, const char *setting, const char *value, char **why)
{
    char words[256], *text;
    struct bytes wrong;
    int r;

    if (asprintf(&text, "%s=%s", setting, value) < 0)
        return -ENOMEM;
    r = topic_part_read(&topic->part, (struct bytes){text, strlen(text)}, &wrong);
    if (r < 0) {
        size_t size = topic_part_why(wrong, words, sizeof(words));
        why_set(why, r, "topic %s: %.*s", topic->pattern, (int)size, words);
    }
    free(text);
    return r;
}

int topic_config_set(struct topic_config **topics, size_t *n, struct bytes pattern, const char *setting,
                     const char *value, char **why)
{
    int r = topic_config_add(topics, n, pattern, why);

    return r < 0 ? r : set_one(find(*topics, *n, pattern), setting, value, why);
}

int topic_config_flag(struct topic_config **topics, size_t *n, const char *text, char **why)
{
    size_t left = strcspn(text, "=");
    const char *dot = memrchr(text, '.', left);
    char setting[64];

    if (!dot || !text[left] || (size_t)(text + left - dot) > sizeof(setting))
        return why_set(why, -EINVAL,
                       "--topic %s: write PATTERN.SETTING=VALUE; goroutined.conf(5) lists the settings",
                       text);
    snprintf(setting, sizeof(setting), "%.*s", (int)(text + left - dot - 1), dot + 1);
    return topic_config_set(topics, n, (struct bytes){text, (size_t)(dot - text)}, setting, text + left + 1,
                            why);
}

void topic_config_clear(struct topic_config *topics, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(topics[i].pattern);
    free(topics);
}
