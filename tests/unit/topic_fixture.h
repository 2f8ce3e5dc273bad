/* Topics for tests of the core: publishing and subscribing in a line. For one test program each. */
#pragma once

#include "core_fixture.h"

static __attribute__((unused)) uint64_t subscribe_as(struct client *c, struct request_subscribe what)
{
    return client_do(c, (struct request){.verb = VERB_SUBSCRIBE, .subscribe = what});
}

/* Its handle; 0: it was refused. */
static __attribute__((unused)) uint64_t subscribe_full(struct client *c, const char *pattern,
                                                       uint64_t capacity, enum full_subscription full)
{
    uint64_t op =
        subscribe_as(c, (struct request_subscribe){
                            .pattern = {pattern, strlen(pattern)}, .capacity = capacity, .full = full});
    struct got *g = got(c, op);

    return g && g->status == 0 ? g->handle : 0;
}

static __attribute__((unused)) uint64_t subscribe(struct client *c, const char *pattern)
{
    return subscribe_full(c, pattern, 0, TOPIC_DROP_NEWEST);
}

/* Has room for one, and publishes wait so long for it. */
static __attribute__((unused)) uint64_t subscribe_for(struct client *c, const char *pattern, int64_t block_ns)
{
    uint64_t op = subscribe_as(c, (struct request_subscribe){.pattern = {pattern, strlen(pattern)},
                                                             .capacity = 1,
                                                             .full = TOPIC_BLOCK,
                                                             .block_ns = block_ns});

    return got(c, op)->handle;
}

/* One message for each blank. */
static __attribute__((unused)) uint64_t publish(struct client *c, const char *topic, const char *bodies)
{
    struct outgoing message[GOT_VALUES_MAX];
    size_t n = 0;

    while (*bodies) {
        size_t size = strcspn(bodies, " ");

        assert_true(n < GOT_VALUES_MAX);
        message[n++] = (struct outgoing){.value.body = {bodies, size}};
        bodies += size + (bodies[size] == ' ');
    }
    return client_do(
        c,
        (struct request){.verb = VERB_PUBLISH,
                         .publish = {.topic = {topic, strlen(topic)}, .messages = message, .messages_n = n}});
}

/* What a receive gets at once: "" when there is nothing. */
static __attribute__((unused)) const char *has(struct client *c, uint64_t handle)
{
    uint64_t op = recv_many(at_once(c), handle, GOT_VALUES_MAX);

    ack(c, op, 0);
    return status_of(c, op) > 0 ? got_values(c, op) : "";
}

#define assert_has(c, handle, expect) assert_string_equal(has((c), (handle)), (expect))

static __attribute__((unused)) void assert_told(struct client *c, uint64_t op, int32_t status,
                                                uint64_t receivers, uint64_t dropped)
{
    assert_status(c, op, status);
    assert_int_equal(got(c, op)->published.receivers, receivers);
    assert_int_equal(got(c, op)->published.dropped, dropped);
}
