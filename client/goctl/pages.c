#include "pages.h"

#include <stdio.h>

#include "options.h"
#include "status.h"

void page_last(struct page_at *at, size_t n, const char *name, bool more)
{
    at->n = n;
    at->more = more && n;
    if (n)
        snprintf(at->last, sizeof at->last, "%s", name);
    at->after = *at->last ? at->last : NULL;
}

int pages_say(struct session *session, const char *prefix, const char *heading, page_say *say,
              const void *context)
{
    const struct options *options = session->options;
    uint64_t left = options->limit ? options->limit : UINT64_MAX;
    struct page_at at = {.prefix = prefix, .more = true};
    int status = STATUS_OK;

    if (!options->json)
        puts(heading);
    while (status == STATUS_OK && at.more && left) {
        at.n = 0;
        at.limit = left < UINT32_MAX ? (uint32_t)left : 0;
        status = say(session, &at, context);
        left -= at.n < left ? at.n : left;
    }
    return status;
}
