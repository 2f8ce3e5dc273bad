#include "name_page.h"

#include <errno.h>
#include <string.h>

#include "engine.h"

int name_page_new(struct core *core, struct name_page *page, size_t row_bytes, struct bytes prefix,
                  struct bytes after, uint64_t limit)
{
    uint64_t most = core->limits.list_page_max;

    *page = (struct name_page){.prefix = prefix,
                               .after = after,
                               .row_bytes = row_bytes,
                               .limit = limit && limit < most ? limit : most};
    page->row = core_alloc(core, page->limit * row_bytes);
    return page->row ? 0 : -ENOMEM;
}

static void *row_at(const struct name_page *page, size_t at)
{
    return (char *)page->row + at * page->row_bytes;
}

static bool wanted(const struct name_page *page, struct bytes name)
{
    if (name.size < page->prefix.size ||
        (page->prefix.size && memcmp(name.data, page->prefix.data, page->prefix.size) != 0))
        return false;
    return name_order(name, page->after) > 0;
}

void *name_page_place(struct name_page *page, struct bytes name)
{
    size_t low = 0, high = page->n;

    if (!wanted(page, name))
        return NULL;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (name_order(*(const struct bytes *)row_at(page, middle), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    page->more |= page->n == page->limit;
    if (low == page->limit)
        return NULL;
    size_t moved = (page->n < page->limit ? page->n++ : page->limit - 1) - low;
    memmove(row_at(page, low + 1), row_at(page, low), moved * page->row_bytes);
    return row_at(page, low);
}

uint32_t name_page_flags(const struct name_page *page)
{
    return page->more ? RESULT_MORE : 0;
}
