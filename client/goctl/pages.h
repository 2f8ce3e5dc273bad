/*
 * What the daemon tells page by page, in order of names: each page is asked for behind the last name of the one before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "goclient.h"
#include "session.h"

/* Where a list is. A page is asked for with what stands here, and page_last says where it has ended. */
struct page_at {
    const char *prefix;
    const char *after; /* NULL: from the first name on */
    uint32_t limit;    /* rows; 0: as many as the daemon gives at once */
    size_t n;          /* rows there were */
    bool more;
    char last[GC_NAME_BYTES];
};

/* A page of `n` rows was told, whose last name is `name`; it counts for nothing when there were none. */
void page_last(struct page_at *at, size_t n, const char *name, bool more);

/* Asks for one page, prints it and calls page_last. STATUS_OK, or the status after the reason was told. */
typedef int page_say(struct session *session, struct page_at *at, const void *context);

/* All pages, at most --limit rows. The heading is for people only; `context` is what `say` gets. */
int pages_say(struct session *session, const char *prefix, const char *heading, page_say *say,
              const void *context);
