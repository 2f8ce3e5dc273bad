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
                               .most = core->limits.sweep_per_turn,
                               .row_bytes = row_bytes,
                               .limit = limit && limit < most ? limit : most};
    page->row = core_alloc(core, page->limit * (row_bytes + sizeof(*page->cost)));
    if (!page->row)
        return -ENOMEM;
    page->cost = (uint64_t *)((char *)page->row + page->limit * row_bytes);
    return 0;
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
    return name_order(name, page->after) > 0 && (!page->until.data || name_order(name, page->until) < 0);
}

/* The first row that is not before this name. */
static size_t place_of(const struct name_page *page, struct bytes name)
{
    size_t low = 0, high = page->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (name_order(*(const struct bytes *)row_at(page, middle), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The last row goes to another page. */
static void drop_last(struct name_page *page)
{
    page->spent -= page->cost[--page->n];
    page->until = *(const struct bytes *)row_at(page, page->n);
}

/* One more row, which costs so much, behind those that are there. */
static bool fits(const struct name_page *page, uint64_t cost)
{
    return page->n < page->limit && (!page->n || page->spent + cost <= page->most);
}

void *name_page_place_for(struct name_page *page, struct bytes name, uint64_t cost)
{
    size_t at, behind;

    if (!wanted(page, name))
        return NULL;
    at = place_of(page, name);
    while (page->n > at && !fits(page, cost))
        drop_last(page);
    if (!fits(page, cost)) {
        page->until = name;
        return NULL;
    }
    behind = page->n++ - at;
    memmove(row_at(page, at + 1), row_at(page, at), behind * page->row_bytes);
    memmove(page->cost + at + 1, page->cost + at, behind * sizeof(*page->cost));
    page->cost[at] = cost;
    page->spent += cost;
    return row_at(page, at);
}

void *name_page_place(struct name_page *page, struct bytes name)
{
    return name_page_place_for(page, name, 0);
}

uint32_t name_page_flags(const struct name_page *page)
{
    return page->until.data ? RESULT_MORE : 0;
}
