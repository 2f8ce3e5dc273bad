/* What is told about channels: one by handle or name, all by name in pages. */
#include <errno.h>
#include <string.h>

#include "engine.h"

static struct chan_info info_of(const struct channel *c, uint64_t handle)
{
    return (struct chan_info){
        .name = {c->text, c->linked ? c->name_size : 0},
        .handle = handle,
        .length = c->length,
        .capacity = c->capacity,
        .senders = c->senders.count,
        .receivers = c->receivers.count,
        .returned = c->returned_n,
        .handles = c->handles_n,
        .bytes = c->bytes,
        .sent = c->sent,
        .received = c->received,
        .dropped = c->dropped,
        .closed = c->closed,
        .unlinked = !c->linked,
        .durable = c->store_id,
        .storing = c->storing_n,
    };
}

int handle_chan_info(struct core *core, struct op *op, const struct request *request)
{
    const struct request_chan_info *ask = &request->chan_info;
    struct channel *c = ask->handle ? NULL : channel_find(core, ask->name);
    struct handle *handle = NULL;
    int r = ask->handle ? handle_get(core, op, ask->handle, 0, &handle) : c ? 0 : -ENOENT;

    if (r < 0)
        return r;
    if (handle)
        c = handle->channel;
    struct chan_info info = info_of(c, ask->handle);
    return op_answer(core, op, &(struct result){.handle = ask->handle, .chans = &info, .chans_n = 1});
}

static bool wanted(const struct request_chan_list *list, const struct channel *c)
{
    struct bytes name = {c->text, c->name_size};

    if (!c->linked || name.size < list->prefix.size ||
        (list->prefix.size && memcmp(c->text, list->prefix.data, list->prefix.size) != 0))
        return false;
    return name_order(name, list->after) > 0;
}

/* Rows in order, the smallest `limit` names seen so far; one more says that the list goes on. */
struct page {
    struct chan_info *row;
    size_t n, limit;
    bool more;
};

static void page_put(struct page *page, const struct channel *c)
{
    struct chan_info info = info_of(c, 0);
    size_t low = 0, high = page->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (name_order(page->row[middle].name, info.name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    page->more |= page->n == page->limit;
    if (low == page->limit)
        return;
    size_t moved = (page->n < page->limit ? page->n++ : page->limit - 1) - low;
    memmove(page->row + low + 1, page->row + low, moved * sizeof(*page->row));
    page->row[low] = info;
}

int handle_chan_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_chan_list *list = &request->chan_list;
    uint64_t most = core->limits.list_page_max;
    struct page page = {.limit = list->limit && list->limit < most ? list->limit : most};
    struct channel *c;

    page.row = core_alloc(core, page.limit * sizeof(*page.row));
    if (!page.row)
        return -ENOMEM;
    list_each (c, &core->channel_list, link)
        if (wanted(list, c))
            page_put(&page, c);
    int r = op_answer(
        core, op,
        &(struct result){.flags = page.more ? RESULT_MORE : 0, .chans = page.row, .chans_n = page.n});
    core_free(core, page.row);
    return r;
}
