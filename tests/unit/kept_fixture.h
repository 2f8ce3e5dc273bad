/* Kept topics for tests of the core: rules and publishes in a line, in a store that outlives its core. For one test program
 * each. */
#pragma once

#include "core_internal.h"
#include "durable_rig.h"
#include "topic_fixture.h"

static __attribute__((unused)) uint64_t set_topic(struct client *c, const char *pattern, const char *settings)
{
    uint64_t op = client_do(c, (struct request){.verb = VERB_TOPIC_SET,
                                                .topic_set = {.pattern = {pattern, strlen(pattern)},
                                                              .settings = {settings, strlen(settings)}}});

    stored(d);
    return op;
}

/* Two clients, and all topics that begin with "k." are kept. */
static __attribute__((unused)) int kept_setup_with(const struct limits *limits)
{
    d = durable_rig_new(limits);
    meet();
    set_topic(a, "k.>", "durable=yes");
    return 0;
}

static __attribute__((unused)) int kept_setup(void **state)
{
    return kept_setup_with(&(struct limits)LIMITS_DEFAULT);
}

/* What waits is lost, and the daemon starts again. */
static __attribute__((unused)) void kept_restart(void)
{
    crash(d, 0);
    meet();
}

/* On both clocks. */
static __attribute__((unused)) void kept_after(int64_t ns)
{
    d->rig->now.wall_ns += ns;
    rig_after(d->rig, ns);
    stored(d);
}

struct wishes {
    const char *body, *once;
    uint64_t expect; /* with `expects` */
    bool expects;
    int64_t delay_ns, at_us;
};

static __attribute__((unused)) uint64_t publish_with(struct client *c, const char *topic, struct wishes w)
{
    struct outgoing message = {.value.body = {w.body ? w.body : "x", w.body ? strlen(w.body) : 1},
                               .once = {w.once, w.once ? strlen(w.once) : 0}};

    return client_do(c, (struct request){.verb = VERB_PUBLISH,
                                         .publish = {.topic = {topic, strlen(topic)},
                                                     .messages = &message,
                                                     .messages_n = 1,
                                                     .expects = w.expects,
                                                     .expect_sequence = w.expect,
                                                     .delay_ns = w.delay_ns,
                                                     .at_us = w.at_us}});
}

/* Published and stored; its sequence. */
static __attribute__((unused)) uint64_t published(struct client *c, const char *topic, const char *bodies)
{
    uint64_t op = publish(c, topic, bodies);

    stored(d);
    assert_true(status_of(c, op) > 0);
    return got(c, op)->published.sequence;
}

/* A subscription that begins in the past, and has what there is; its handle. */
static __attribute__((unused)) uint64_t replay(struct client *c, const char *pattern,
                                               struct request_subscribe from)
{
    from.pattern = (struct bytes){pattern, strlen(pattern)};
    uint64_t op = subscribe_as(c, from);

    stored(d);
    return status_if(c, op) ? 0 : got(c, op)->handle;
}

static __attribute__((unused)) uint64_t replay_all(struct client *c, const char *pattern)
{
    return replay(c, pattern, (struct request_subscribe){.from = FROM_START});
}

static __attribute__((unused)) struct topic_info info_of(struct client *c, const char *topic)
{
    uint64_t op = client_do(
        c, (struct request){.verb = VERB_TOPIC_INFO, .topic_info = {.topic = {topic, strlen(topic)}}});
    struct topic_info none = {.messages = 0};

    return status_of(c, op) < 0 ? none : got(c, op)->topic;
}
