/* One page of a list by name: of all names with a prefix and behind another name, the smallest in their order. */
#pragma once

#include "core_internal.h"

/* Of rows of any one type whose first member is `struct bytes name`. */
struct name_page {
    struct bytes prefix, after;
    struct bytes until;   /* this name and those behind it are on another page; without data: none yet */
    void *row;            /* core_free, once it was answered */
    uint64_t *cost;       /* of each row; behind them */
    uint64_t spent, most; /* the sum of that, and what one turn may spend */
    size_t row_bytes, n, limit;
};

/* At most `limit` rows, 0: as many as a page may have. 0 or -ENOMEM. */
int name_page_new(struct core *core, struct name_page *page, size_t row_bytes, struct bytes prefix,
                  struct bytes after, uint64_t limit);

/* Where the row of this name belongs, which is to be filled before the next one is asked for. NULL: on another page. Names stay
 * where they are until the page is answered. */
void *name_page_place(struct name_page *page, struct bytes name);
/* The same of a row for which so much is looked at when it is told: a page has no more of them than sweep_per_turn allows, and one at
 * least. */
void *name_page_place_for(struct name_page *page, struct bytes name, uint64_t cost);

/* Flags of the result. */
uint32_t name_page_flags(const struct name_page *page);
