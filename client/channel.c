/*
 * Channels and their values.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "chans.h"
#include "cleanup.h"
#include "goclient_chan.h"
#include "handles.h"
#include "last.h"
#include "options.h"
#include "window.h"

/* ---- values ---- */

GC_API void gc_value_clear(struct gc_value *v)
{
    result_unref(v->memory_);
    memset(v, 0, sizeof *v);
}

struct value value_wire(const struct gc_value *v)
{
    _Static_assert(sizeof(struct gc_passed) == sizeof(struct passed) &&
                       offsetof(struct gc_passed, chan) == offsetof(struct passed, handle) &&
                       offsetof(struct gc_passed, rights) == offsetof(struct passed, rights),
                   "one is the other");
    return (struct value){
        .body = {v->data, v->size}, .handles = (const void *)v->chans, .handles_n = v->chans_n};
}

/* Value i of a result, of whose block it has a reference. */
static void value_give_counted(struct gc_value *to, const struct answer *answer, size_t i, bool hold)
{
    const struct value *from = &answer->result.values[i];
    *to = (struct gc_value){.data = from->body.data,
                            .size = from->body.size,
                            .chans = chans_of(answer->block, i),
                            .chans_n = from->handles_n,
                            .flags = from->flags,
                            .place_ = (unsigned)i,
                            .hold_ = hold ? answer->result.op : 0,
                            .memory_ = answer->block};
}

/* Value i of a result becomes the caller's: all of one result share its block. */
void value_give(struct gc_value *to, const struct answer *answer, size_t i, bool hold)
{
    result_ref(answer->block, 1);
    value_give_counted(to, answer, i, hold);
}

static int settle(gc_client *g, struct gc_value *v, uint64_t n, bool give_back)
{
    if (client_forked(g))
        return last_failed(-ECONNRESET, NULL, false);
    client_enter(g);
    int r = v->hold_ ? protocol_settle(g->protocol, v->hold_, n, give_back, now_ns()) : -EINVAL;
    if (r >= 0 && give_back)
        chans_forget(g, v->memory_, v->place_);
    if (r > 0)
        client_pump(g);
    client_pass_on(g);
    client_leave(g);
    return r < 0 ? last_failed(r, r == -EINVAL ? "the value is not held" : NULL, false) : 0;
}

GC_API int gc_ack(gc_client *g, struct gc_value *v)
{
    return settle(g, v, v->place_ + 1ULL, false);
}

GC_API int gc_return(gc_client *g, struct gc_value *v)
{
    return settle(g, v, v->place_, true);
}

/* ---- handles ---- */

/* The daemon's handle becomes one of ours; without room for it, it goes back. */
static int take_handle(gc_client *g, const struct answer *answer, gc_chan *out)
{
    client_enter(g);
    out->id = handles_add(g, answer->result.handle);
    if (!out->id) {
        call_give_back(g, &(struct request){.verb = VERB_CHAN_DROP, .chan_drop = {answer->result.handle}},
                       g->waiting->scope());
        client_flush(g);
        client_pass_on(g);
    }
    client_leave(g);
    return out->id ? 0 : last_failed(-ENOMEM, NULL, false);
}

int call_open(gc_client *g, const struct request *request, gc_chan *out, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, 0, &answer);

    out->id = 0;
    if (r >= 0)
        r = take_handle(g, &answer, out);
    answer_end(&answer);
    return r;
}

GC_API int gc_open(gc_client *g, const char *name, const struct gc_chan_options *options, gc_chan *out,
                   gc_until until)
{
    struct gc_chan_options use;
    out->id = 0;
    if (options_take(&use, sizeof use, options) < 0)
        return last_failed(-EINVAL, "gc_chan_options: size is not set, or of a newer library", false);
    struct request request = {.verb = VERB_CHAN_OPEN,
                              .chan_open = {.name = text_bytes(name),
                                            .capacity = use.capacity,
                                            .value_bytes_max = use.value_bytes_max,
                                            .element_bytes = use.element_bytes,
                                            .type_tag = text_bytes(use.type_tag),
                                            .flags = use.flags,
                                            .rights = use.rights,
                                            .full = use.full}};
    return call_open(g, &request, out, until);
}

GC_API int gc_make(gc_client *g, const char *name, uint64_t capacity, gc_chan *out, gc_until until)
{
    struct gc_chan_options options = {.size = sizeof options, .flags = GC_CREATE, .capacity = capacity};
    return gc_open(g, name, &options, out, until);
}

GC_API int gc_drop(gc_client *g, gc_chan c)
{
    struct request request = {.verb = VERB_CHAN_DROP, .chan_drop = {c.id}};
    if (!c.id)
        return 0;
    if (!client_forked(g)) {
        client_enter(g);
        windows_drop(g, c.id);
        client_leave(g);
    }
    int r = call_post(g, &request, NULL, NULL);
    if (r < 0 && r != -ECONNRESET && r != -ENETRESET)
        return last_failed(r, NULL, false);
    if (client_forked(g))
        return last_failed(r, NULL, false);
    client_enter(g);
    handles_remove(g, c.id);
    client_leave(g);
    return 0;
}

GC_API int gc_unlink(gc_client *g, const char *name, gc_until until)
{
    return call_plain(g, &(struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink = {text_bytes(name)}},
                      until);
}

GC_API int gc_close(gc_client *g, gc_chan c, gc_until until)
{
    if (!c.id)
        return last_failed(-EINVAL, "close of the nil channel", false);
    return call_plain(g, &(struct request){.verb = VERB_CLOSE, .close = {c.id}}, until);
}

/* ---- send and receive ---- */

GC_API int gc_send_many(gc_client *g, gc_chan c, const struct gc_value *values, size_t n, gc_until until)
{
    if (n == 0 || n > GC_VALUES_MAX)
        return last_failed(n ? -E2BIG : -EINVAL, "1 to 1024 values in one send", false);
    _cleanup_(cleanup_free) struct value *wire = calloc(n, sizeof *wire);
    if (!wire)
        return last_failed(-ENOMEM, NULL, false);
    for (size_t i = 0; i < n; i++)
        wire[i] = value_wire(&values[i]);
    return call_plain(g, &(struct request){.verb = VERB_SEND, .send = {c.id, wire, n}}, until);
}

GC_API int gc_send(gc_client *g, gc_chan c, struct gc_value v, gc_until until)
{
    struct value wire = value_wire(&v);
    int r = call_plain(g, &(struct request){.verb = VERB_SEND, .send = {c.id, &wire, 1}}, until);
    return r < 0 ? r : 0;
}

GC_API int gc_recv_many(gc_client *g, gc_chan c, struct gc_value *values, size_t n, unsigned flags,
                        gc_until until)
{
    struct answer answer;
    bool hold = flags & GC_HOLD;
    if (n == 0 || n > GC_VALUES_MAX)
        return last_failed(n ? -E2BIG : -EINVAL, "1 to 1024 values in one receive", false);
    struct request request = {.verb = VERB_RECV, .recv = {c.id, (uint32_t)n}};
    int r = call_run(g, &request, until, hold ? CALL_HOLD : 0, &answer);
    size_t got = r > 0 ? answer.result.values_n : 0;
    if (got)
        result_ref(answer.block, (unsigned)(got < n ? got : n));
    for (size_t i = 0; i < got && i < n; i++)
        value_give_counted(&values[i], &answer, i, hold);
    answer_end(&answer);
    return r < 0 ? r : (int)got;
}

GC_API int gc_recv(gc_client *g, gc_chan c, struct gc_value *out, unsigned flags, gc_until until)
{
    memset(out, 0, sizeof *out);
    return gc_recv_many(g, c, out, 1, flags, until);
}

GC_API int gc_range(gc_client *g, gc_chan c, struct gc_value *v, unsigned flags, gc_until until)
{
    int r = v->hold_ ? gc_ack(g, v) : 0;
    gc_value_clear(v);
    return r < 0 && r != -ESTALE ? r : gc_recv(g, c, v, flags, until);
}

/* ---- what is known of them ---- */

static void give_info(struct gc_chan_info *to, const struct chan_info *from)
{
    *to = (struct gc_chan_info){.length = from->length,
                                .capacity = from->capacity,
                                .senders = from->senders,
                                .receivers = from->receivers,
                                .returned = from->returned,
                                .handles = from->handles,
                                .bytes = from->bytes,
                                .sent = from->sent,
                                .received = from->received,
                                .dropped = from->dropped,
                                .closed = from->closed,
                                .unlinked = from->unlinked,
                                .durable = from->durable,
                                .storing = from->storing};
    size_t size = from->name.size < GC_NAME_BYTES ? from->name.size : GC_NAME_BYTES - 1;
    if (size)
        memcpy(to->name, from->name.data, size);
}

static int run_info(gc_client *g, const struct request *request, struct gc_chan_info *out, gc_until until)
{
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, request, until, 0, &answer);
    if (r >= 0 && answer.result.chans_n)
        give_info(out, answer.result.chans);
    answer_end(&answer);
    return r < 0 ? r : 0;
}

GC_API int gc_chan_info(gc_client *g, gc_chan c, struct gc_chan_info *out, gc_until until)
{
    if (!c.id)
        return last_failed(-ENOENT, "the nil channel", false);
    return run_info(g, &(struct request){.verb = VERB_CHAN_INFO, .chan_info = {.handle = c.id}}, out, until);
}

GC_API int gc_chan_stat(gc_client *g, const char *name, struct gc_chan_info *out, gc_until until)
{
    struct request request = {.verb = VERB_CHAN_INFO, .chan_info = {.name = text_bytes(name)}};
    return run_info(g, &request, out, until);
}

GC_API int64_t gc_len(gc_client *g, gc_chan c, gc_until until)
{
    struct gc_chan_info info = {.length = 0};
    int r = c.id ? gc_chan_info(g, c, &info, until) : 0;
    return r < 0 ? r : (int64_t)info.length;
}

GC_API int64_t gc_cap(gc_client *g, gc_chan c, gc_until until)
{
    struct gc_chan_info info = {.capacity = 0};
    int r = c.id ? gc_chan_info(g, c, &info, until) : 0;
    return r < 0 ? r : (int64_t)info.capacity;
}

GC_API int gc_channels(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                       struct gc_chan_page *out, gc_until until)
{
    struct request request = {
        .verb = VERB_CHAN_LIST,
        .chan_list = {.prefix = text_bytes(prefix), .after = text_bytes(after), .limit = limit}};
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, &request, until, 0, &answer);
    size_t n = r < 0 ? 0 : answer.result.chans_n;
    if (n && !(out->items = calloc(n, sizeof *out->items)))
        r = last_failed(-ENOMEM, NULL, false);
    for (; out->items && out->n < n; out->n++)
        give_info(&out->items[out->n], &answer.result.chans[out->n]);
    out->more = r >= 0 && answer.result.flags & RESULT_MORE;
    answer_end(&answer);
    return r < 0 ? r : (int)out->n;
}

GC_API void gc_chan_page_clear(struct gc_chan_page *page)
{
    free(page->items);
    memset(page, 0, sizeof *page);
}
