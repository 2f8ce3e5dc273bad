/* Feeds for tests, on the core, clients and store of jobs_fixture.h. For one test program each. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

/* A SET with these members; what they do not name is as follows. */
static __attribute__((unused)) struct request feed_of(struct request_feed_set set)
{
    set.pattern = set.pattern.size ? set.pattern : TEXT("k.>");
    set.plugin = set.plugin.size ? set.plugin : PLUGIN;
    set.function = set.function.size ? set.function : TEXT("count");
    return (struct request){.verb = VERB_FEED_SET, .feed_set = set};
}
#define FEED(name_, ...) feed_of((struct request_feed_set){.name = TEXT(name_), ##__VA_ARGS__})
/* Of one that is there: these members alone. */
#define CHANGE(name_, ...)                                                                                   \
    ((struct request){.verb = VERB_FEED_SET, .feed_set = {.name = TEXT(name_), ##__VA_ARGS__}})

static __attribute__((unused)) struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

static __attribute__((unused)) struct seen *ask_status(struct jobs_fixture *f, struct client *c,
                                                       struct request request, int32_t status)
{
    uint64_t op = ask(f, c, request);

    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    struct seen *seen = answer(f, c, op);
    if (!seen || seen->status != status)
        fail_msg("verb %d is answered %d (%s), not %d", request.verb, seen ? seen->status : 1,
                 seen ? seen->text : "not at all", status);
    return seen;
}

static __attribute__((unused)) void set_topics(struct jobs_fixture *f, struct client *c, const char *pattern,
                                               const char *settings)
{
    ask_status(f, c,
               (struct request){.verb = VERB_TOPIC_SET,
                                .topic_set = {.pattern = text(pattern), .settings = text(settings)}},
               0);
}

/* One message; its sequence, once it is stored. */
static __attribute__((unused)) uint64_t publish_all(struct jobs_fixture *f, struct client *c,
                                                    const char *topic, struct outgoing message)
{
    struct request request = {.verb = VERB_PUBLISH,
                              .publish = {.topic = text(topic), .messages = &message, .messages_n = 1}};
    struct seen *seen = answer(f, c, ask(f, c, request));

    return seen && seen->status == 1 ? seen->sequence : 0;
}

static __attribute__((unused)) uint64_t publish(struct jobs_fixture *f, struct client *c, const char *topic,
                                                const char *body)
{
    return publish_all(f, c, topic, (struct outgoing){.value.body = text(body)});
}

/* So many, whose bodies are numbers from `first` on. */
static __attribute__((unused)) void publish_some(struct jobs_fixture *f, struct client *c, const char *topic,
                                                 int first, int n)
{
    char body[16];

    for (int i = first; i < first + n; i++) {
        snprintf(body, sizeof(body), "%d", i);
        publish(f, c, topic, body);
    }
}

/* Its row, which must be there. */
static __attribute__((unused)) struct seen *feed(struct jobs_fixture *f, struct client *c, const char *name)
{
    struct request list = {.verb = VERB_FEED_LIST, .feed_list.prefix = text(name)};
    struct seen *seen = ask_ok(f, c, list, 0);

    if (!seen->feeds_n || strcmp(seen->feed_words[0], name) != 0)
        fail_msg("no feed %s is told", name);
    return seen;
}

/* It waits, and says so with these words; "": it does not. */
static __attribute__((unused)) void assert_waits(struct jobs_fixture *f, struct client *c, const char *name,
                                                 const char *words)
{
    struct seen *seen = feed(f, c, name);

    assert_int_equal(!!(seen->feed.flags & FEED_WAITS), *words != 0);
    if (!strstr(seen->feed_words[1], words) || (!*words && *seen->feed_words[1]))
        fail_msg("the feed says '%s', not '%s'", seen->feed_words[1], words);
}

/* The arguments of all jobs that the store has, in their order, with a blank behind each. */
static __attribute__((unused)) const char *arguments(struct jobs_fixture *f)
{
    static char all[8192];
    struct fetch what = {.kind = FETCH_JOBS, .limit = 100000};
    struct fetched out, body;
    size_t n = 0;

    assert_int_equal(store_memory.fetch(f->store, &what, &out), 0);
    all[0] = 0;
    for (size_t i = 0; i < out.rows_n; i++) {
        const struct fetch one = {.kind = FETCH_ARGUMENT, .job = out.rows[i].id};
        assert_int_equal(store_memory.fetch(f->store, &one, &body), 0);
        n += (size_t)snprintf(all + n, sizeof(all) - n, "%.*s ", (int)body.body.size,
                              (const char *)body.body.data);
        fetched_clear(&body);
    }
    fetched_clear(&out);
    return all;
}

static __attribute__((unused)) int feed_set_up(void **state)
{
    jobs_set_up(state);
    set_topics(*state, client_new(*state, 0), "k.>", "durable=yes");
    return 0;
}
