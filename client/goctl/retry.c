#include "retry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "quantity.h"

static int wrong(const char *text)
{
    fprintf(stderr, "goctl: --retry \"%s\" is not none, exponential or a list of times, such as 1s,10s,5m\n",
            text);
    return -EINVAL;
}

static int parse_delay(struct retry *retry, const char *text, size_t size)
{
    char one[64];
    int64_t ns;

    if (size >= sizeof one || retry->delays_n == RETRY_LIST_MAX)
        return -EINVAL;
    memcpy(one, text, size);
    one[size] = '\0';
    if (parse_duration(one, &ns) < 0)
        return -EINVAL;
    retry->delays_ns[retry->delays_n++] = (uint64_t)ns;
    return 0;
}

static int parse_list(const char *text, struct retry *retry)
{
    for (const char *at = text;; at++) {
        size_t size = strcspn(at, ",");

        if (parse_delay(retry, at, size) < 0)
            return wrong(text);
        at += size;
        if (!*at)
            return 0;
    }
}

int retry_parse(const struct options *options, struct retry *retry)
{
    const char *text = options->retry;

    retry->none = text && !strcmp(text, "none");
    retry->delays_n = 0;
    if (retry->none && options->retries > 1) {
        fprintf(stderr, "goctl: --retry none and --retries do not go together\n");
        return -EINVAL;
    }
    if (!text || retry->none || !strcmp(text, "exponential"))
        return 0;
    return parse_list(text, retry);
}
