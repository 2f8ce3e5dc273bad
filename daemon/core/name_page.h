/* One page of a list by name: of all names with a prefix and behind another name, the smallest in their order. */
#pragma once

#include "core_internal.h"

/* Of rows of any one type whose first member is `struct bytes name`. */
struct name_page {
    struct bytes prefix, after;
    void *row; /* core_free, once it was answered */
    size_t row_bytes, n, limit;
    bool more; /* the list goes on behind it */
};

/* At most `limit` rows, 0: as many as a page may have. 0 or -ENOMEM. */
int name_page_new(struct core *core, struct name_page *page, size_t row_bytes, struct bytes prefix,
                  struct bytes after, uint64_t limit);

/* Where the row of this name belongs, which is to be filled before the next one is asked for. NULL: on another page. */
void *name_page_place(struct name_page *page, struct bytes name);

/* Flags of the result. */
uint32_t name_page_flags(const struct name_page *page);
