/* Queues whose jobs say how they fare, for tests on the core, clients and store of jobs_fixture.h. For one test program each. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "record.h"

#define MS 1000000

enum { TOLD_BYTES = 16384, VALUES = 64 };

/* Messages in the order in which they came: "TOPIC" or, in `all`, with what they say. */
static char topics[TOLD_BYTES], all[TOLD_BYTES];
/* Records in the order of their batches: "end+message ", one word for each batch. */
static char batches[TOLD_BYTES];

static __attribute__((unused)) void add(char to[TOLD_BYTES], const char *before, struct bytes text,
                                        const char *behind)
{
    size_t n = strlen(to);

    snprintf(to + n, TOLD_BYTES - n, "%s%.*s%s", before, (int)text.size, (const char *)text.data, behind);
}

/* What follows the number of the job, which every body begins with. */
static __attribute__((unused)) struct bytes words_of(const struct value *value)
{
    struct bytes body = value->body, id = value->message->headers[0].value;
    size_t n = id.size < body.size ? id.size : body.size, blank = n < body.size;

    assert_memory_equal(body.data, id.data, n);
    return (struct bytes){(const char *)body.data + n + blank, body.size - n - blank};
}

static __attribute__((unused)) void see_message(const struct value *value)
{
    const struct message *message = value->message;

    assert_non_null(message);
    add(topics, "", message->topic, " ");
    add(all, "", message->topic, "");
    for (size_t i = 0; i < message->headers_n; i++) {
        add(all, " ", message->headers[i].name, "=");
        add(all, "", message->headers[i].value, "");
    }
    add(all, " [", message->key, "]");
    add(all, " \"", words_of(value), "\"\n");
}

static __attribute__((unused)) void see_batch(const struct batch *batch, int error)
{
    static const struct bytes names[RECORD_KINDS] = {
        [RECORD_JOB_NEW] = TEXT("new"),     [RECORD_JOB_REPLACE] = TEXT("replace"),
        [RECORD_JOB_STATE] = TEXT("state"), [RECORD_JOB_END] = TEXT("end"),
        [RECORD_MESSAGE] = TEXT("message"), [RECORD_MESSAGE_JOINED] = TEXT("joined"),
        [RECORD_TOPIC] = TEXT("topic"),
    };
    const struct record *record;
    const char *between = "";

    if (error)
        return;
    list_each (record, &batch->records, link) {
        add(batches, between, names[record->kind].size ? names[record->kind] : TEXT("other"), "");
        between = "+";
    }
    add(batches, "", TEXT(" "), "");
}

static __attribute__((unused)) void forget(void)
{
    *topics = *all = *batches = '\0';
}

static __attribute__((unused)) int set_up(void **state)
{
    int r = jobs_set_up(state);
    struct jobs_fixture *f = *state;

    f->see_value = see_message;
    f->see_batch = see_batch;
    set_queue(f, "default", "states=jobs.mail");
    forget();
    return r;
}

/* Its handle. */
static __attribute__((unused)) uint64_t subscribe_as(struct jobs_fixture *f, struct client *c,
                                                     struct request_subscribe what)
{
    if (!what.pattern.size)
        what.pattern = TEXT("jobs.>");
    return ask_ok(f, c, (struct request){.verb = VERB_SUBSCRIBE, .subscribe = what}, 0)->handle;
}

static __attribute__((unused)) uint64_t subscribe(struct jobs_fixture *f, struct client *c)
{
    return subscribe_as(f, c, (struct request_subscribe){.capacity = 1000});
}

static __attribute__((unused)) void keep(struct jobs_fixture *f, struct client *c, struct bytes settings)
{
    ask_ok(f, c,
           (struct request){.verb = VERB_TOPIC_SET,
                            .topic_set = {.pattern = TEXT("jobs.>"), .settings = settings}},
           0);
    forget();
}

/* All that is there. */
static __attribute__((unused)) void receive(struct jobs_fixture *f, struct client *c, uint64_t sub)
{
    struct seen *seen;

    do {
        uint64_t op =
            ask(f, c,
                (struct request){
                    .verb = VERB_RECV, .until = {.kind = UNTIL_NOW}, .recv = {.handle = sub, .max = VALUES}});
        seen = answer(f, c, op);
        assert_non_null(seen);
    } while (seen->status > 0);
}

static __attribute__((unused)) void assert_topics(struct jobs_fixture *f, struct client *c, uint64_t sub,
                                                  const char *expect)
{
    *topics = '\0';
    receive(f, c, sub);
    assert_string_equal(topics, expect);
}

/* Of the states of the queue. */
static __attribute__((unused)) void assert_counted(struct jobs_fixture *f, struct client *c, uint64_t told,
                                                   uint64_t lost)
{
    struct request request = {.verb = VERB_QUEUE_INFO, .queue_info = {.name = TEXT("default")}};
    struct seen *seen = ask_ok(f, c, request, 0);
    size_t i = 0;

    while (i < seen->stats_n && strcmp(seen->stats[i], "state.states_told") != 0)
        i++;
    assert_int_equal(seen->values[i], told);
    assert_int_equal(seen->values[i + 1], lost);
}
