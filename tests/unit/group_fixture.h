/* Groups for tests of the core: who joins, receives and settles, each in a line. For one test program each. */
#pragma once

#include "group.h"
#include "kept_fixture.h"

static __attribute__((unused)) uint64_t join_with(struct client *c, const char *group, const char *pattern,
                                                  uint64_t capacity, const char *settings, uint32_t from)
{
    uint64_t op = subscribe_as(c, (struct request_subscribe){.pattern = {pattern, strlen(pattern)},
                                                             .group = {group, strlen(group)},
                                                             .settings = {settings, strlen(settings)},
                                                             .capacity = capacity,
                                                             .from = from});

    stored(d);
    return status_if(c, op) ? 0 : got(c, op)->handle;
}

static __attribute__((unused)) uint64_t join(struct client *c, uint64_t capacity)
{
    return join_with(c, "g", "k.>", capacity, "", FROM_NEW);
}

/* A receive that is not acknowledged, once the store knows of it; its operation. */
static __attribute__((unused)) uint64_t takes(struct client *c, uint64_t handle, uint32_t max)
{
    uint64_t op = recv_many(at_once(c), handle, max);

    stored(d);
    return op;
}

static __attribute__((unused)) const char *taken(struct client *c, uint64_t op)
{
    return status_of(c, op) > 0 ? got_values(c, op) : "";
}

static __attribute__((unused)) void acked(struct client *c, uint64_t op, uint64_t count)
{
    ack(c, op, count);
    stored(d);
}

static __attribute__((unused)) uint64_t ask_set(struct client *c, const char *group, const char *settings)
{
    uint64_t op =
        client_do(c, (struct request){.verb = VERB_GROUP_SET,
                                      .group_set = {{group, strlen(group)}, {settings, strlen(settings)}}});

    stored(d);
    return op;
}

static __attribute__((unused)) uint64_t settle(struct client *c, uint64_t handle, uint64_t sequence,
                                               uint32_t what, int64_t delay_ns)
{
    uint64_t op = client_do(c, (struct request){.verb = VERB_SETTLE,
                                                .settle = {.handle = handle,
                                                           .sequences = &sequence,
                                                           .sequences_n = 1,
                                                           .what = what,
                                                           .delay_ns = delay_ns}});

    stored(d);
    return op;
}

static __attribute__((unused)) const struct group *the_group(void)
{
    return group_of_name(d->rig->core, (struct bytes){"g", 1});
}
