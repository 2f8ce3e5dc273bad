/* What the calls about named sync objects share. */
#pragma once

#include "call.h"
#include "request.h"

/* Takes something. With a status of 0 or more *token (or NULL) is what came as the result's handle. */
int sync_take(gc_client *g, const struct request *request, uint64_t *token, gc_until until);

/* Gives something back, also where the caller's scope has ended: who unwinds could not repeat it. */
int sync_give(gc_client *g, const struct request *request, gc_until until);

/* Asks for something whose answer is the status and a number: *handle (or NULL) is set whatever the status is. */
int sync_ask(gc_client *g, const struct request *request, uint64_t *handle, gc_until until);

/* Requests with kind and name. */
static inline struct request take_of(enum sync_kind kind, const char *name)
{
    return (struct request){.verb = VERB_SYNC_TAKE, .sync_take = {.kind = kind, .name = text_bytes(name)}};
}

static inline struct request give_of(enum sync_kind kind, const char *name)
{
    return (struct request){.verb = VERB_SYNC_GIVE, .sync_give = {.kind = kind, .name = text_bytes(name)}};
}

static inline struct request wait_of(enum sync_kind kind, const char *name)
{
    return (struct request){.verb = VERB_SYNC_WAIT, .sync_wait = {.kind = kind, .name = text_bytes(name)}};
}

static inline struct request add_of(enum sync_kind kind, const char *name, int64_t delta)
{
    return (struct request){.verb = VERB_SYNC_ADD,
                            .sync_add = {.kind = kind, .name = text_bytes(name), .delta = delta}};
}
