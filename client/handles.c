/* An id is the index of its place + 1, and above it how often the place was used: ids are not used twice. */
#include "handles.h"

#include <errno.h>
#include <stdlib.h>

static struct handle *place_of(const struct gc_client *g, uint64_t id)
{
    uint32_t index = (uint32_t)id - 1;
    if (!(uint32_t)id || index >= g->handles_n)
        return NULL;
    struct handle *handle = &g->handles[index];
    return handle->remote && handle->uses == id >> 32 ? handle : NULL;
}

static uint32_t place_take(struct gc_client *g)
{
    uint32_t place = g->handles_free;
    if (place) {
        g->handles_free = g->handles[place - 1].next;
        return place;
    }
    if (g->handles_n == g->handles_max) {
        uint32_t max = g->handles_max ? 2 * g->handles_max : 16;
        struct handle *handles = realloc(g->handles, max * sizeof *handles);
        if (!handles)
            return 0;
        g->handles = handles;
        g->handles_max = max;
    }
    g->handles[g->handles_n].uses = 0;
    return ++g->handles_n;
}

uint64_t handles_add(struct gc_client *g, uint64_t remote)
{
    uint32_t place = place_take(g);
    if (!place)
        return 0;
    struct handle *handle = &g->handles[place - 1];
    handle->remote = remote;
    handle->session = g->sessions;
    handle->uses++;
    return (uint64_t)handle->uses << 32 | place;
}

/* Why what was of an earlier session is not there. */
static int error_of_session(const struct gc_client *g)
{
    return g->protocol->error ? g->protocol->error : -ECONNRESET;
}

int handles_find(const struct gc_client *g, uint64_t id, uint64_t *remote)
{
    const struct handle *handle = place_of(g, id);
    if (!handle)
        return -ENOENT;
    bool alive = handle->session == g->sessions && g->link == LINK_UP;
    if (!alive)
        return error_of_session(g);
    *remote = handle->remote;
    return 0;
}

void handles_remove(struct gc_client *g, uint64_t id)
{
    struct handle *handle = place_of(g, id);
    if (!handle)
        return;
    handle->remote = 0;
    handle->next = g->handles_free;
    g->handles_free = (uint32_t)id;
}

/* The channels a value carries; nil stays nil. */
static int resolve_passed(const struct gc_client *g, const struct value *value)
{
    struct passed *passed = (struct passed *)value->handles; /* of our copy */
    int r = 0;
    for (size_t i = 0; r == 0 && i < value->handles_n; i++)
        r = passed[i].handle ? handles_find(g, passed[i].handle, &passed[i].handle) : 0;
    return r;
}

static int resolve_values(const struct gc_client *g, const struct request *request)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < request->send.values_n; i++)
        r = resolve_passed(g, &request->send.values[i]);
    return r;
}

static int resolve_cases(const struct gc_client *g, struct request *request)
{
    struct select_case *cases = (struct select_case *)request->select.cases; /* of our copy */
    for (size_t i = 0; i < request->select.cases_n; i++) {
        int r = cases[i].kind >= CASE_JOB ? 0 : handles_find(g, cases[i].handle, &cases[i].handle);
        if (r == 0)
            r = resolve_passed(g, &cases[i].value);
        if (r < 0)
            return r;
    }
    if (!request->select.cases_n)
        request->verb = VERB_NONE;
    return 0;
}

/* A transaction that was begun in an earlier session sends and acknowledges what is not there any more. */
static int resolve_transaction(const struct gc_client *g, const struct request *request)
{
    const struct request_transact *transact = &request->transact;
    struct request_send *sends = (struct request_send *)transact->sends; /* of our copy */
    int r = 0;
    for (size_t i = 0; r == 0 && i < transact->sends_n; i++)
        r = handles_find(g, sends[i].handle, &sends[i].handle);
    for (size_t i = 0; r == 0 && i < transact->acks_n; i++)
        if (transact->acks[i].op && (transact->acks[i].op < g->protocol->session_from || g->link != LINK_UP))
            r = error_of_session(g);
    return r;
}

int handles_resolve(const struct gc_client *g, struct request *request)
{
    uint64_t *handle = request->verb == VERB_SEND        ? &request->send.handle
                       : request->verb == VERB_RECV      ? &request->recv.handle
                       : request->verb == VERB_CLOSE     ? &request->close.handle
                       : request->verb == VERB_CHAN_DROP ? &request->chan_drop.handle
                       : request->verb == VERB_CHAN_INFO ? &request->chan_info.handle
                       : request->verb == VERB_SETTLE    ? &request->settle.handle
                                                         : NULL;
    if (request->verb == VERB_SELECT)
        return resolve_cases(g, request);
    if (request->verb == VERB_TRANSACT)
        return resolve_transaction(g, request);
    if (!handle || (request->verb == VERB_CHAN_INFO && !*handle))
        return 0;
    if (!*handle) {
        request->verb = VERB_NONE;
        return 0;
    }
    int r = handles_find(g, *handle, handle);
    return r == 0 && request->verb == VERB_SEND ? resolve_values(g, request) : r;
}
