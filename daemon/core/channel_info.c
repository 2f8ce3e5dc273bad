/* What is told about channels: one by handle or name, all by name in pages. */
#include <errno.h>

#include "engine.h"
#include "name_page.h"

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

int handle_chan_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_chan_list *list = &request->chan_list;
    struct name_page page;
    struct chan_info *row;
    struct channel *c;
    int r = name_page_new(core, &page, sizeof(*row), list->prefix, list->after, list->limit);

    if (r < 0)
        return r;
    list_each (c, &core->channel_list, link) {
        row = c->linked ? name_page_place(&page, (struct bytes){c->text, c->name_size}) : NULL;
        if (row)
            *row = info_of(c, 0);
    }
    r = op_answer(core, op,
                  &(struct result){.flags = name_page_flags(&page), .chans = page.row, .chans_n = page.n});
    core_free(core, page.row);
    return r;
}
