#include "after.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "quantity.h"

static int parse_id(struct after *after, const char *text, size_t size)
{
    char one[32];

    if (size >= sizeof one || after->n == AFTER_LIST_MAX)
        return -EINVAL;
    memcpy(one, text, size);
    one[size] = '\0';
    return parse_job(one, &after->jobs[after->n++]);
}

int after_parse(const struct options *options, struct after *after)
{
    after->n = 0;
    if (options->any && !options->after && !options->then) {
        fprintf(stderr, "goctl submit: --any needs --after or --then\n");
        return -EINVAL;
    }
    for (const char *at = options->after; at; at++) {
        size_t size = strcspn(at, ",");

        if (parse_id(after, at, size) < 0) {
            fprintf(stderr, "goctl submit: --after \"%s\" is not a list of numbers of jobs: 42,43\n",
                    options->after);
            return -EINVAL;
        }
        at += size;
        if (!*at)
            break;
    }
    return 0;
}
