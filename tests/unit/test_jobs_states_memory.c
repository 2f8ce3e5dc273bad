/*
 * Memory runs out at every allocation of lives whose states are told, once for one allocation and once for all from there on: no
 * end and no birth of a job is stored without its message, none has two, and nothing leaks (IP18.3).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "kept.h"

#define MS 1000000

enum { MOST = 64, HEADERS = 16 };

/* "ID STATE" of what one batch tells the store, and of its messages. */
struct list_of {
    char text[MOST][64];
    size_t n;
};

static struct list_of stored, told;

static void add(struct list_of *list, unsigned long long id, const char *state)
{
    assert_true(list->n < MOST);
    snprintf(list->text[list->n++], sizeof(list->text[0]), "%llu %s", id, state);
}

static void add_job(const struct record *record)
{
    static const char *const words[JOB_STATES] = {"",     "scheduled", "blocked",   "ready", "running",
                                                  "done", "failed",    "cancelled", "dead"};

    if (record->kind == RECORD_JOB_NEW || record->kind == RECORD_JOB_REPLACE ||
        record->kind == RECORD_JOB_END)
        add(&stored, record->job.id, words[record->job.state]);
}

static void add_message(const struct record *record)
{
    struct header header[HEADERS];
    int n = headers_count(record->message.headers);

    assert_in_range(n, 2, HEADERS);
    headers_read(record->message.headers, header);
    assert_true(bytes_are(header[0].name, "job", 3) && bytes_are(header[1].name, "state", 5));
    char state[16] = "";
    memcpy(state, header[1].value.data, header[1].value.size);
    if (strcmp(state, "running") != 0)
        add(&told, strtoull(header[0].value.data, NULL, 10), state);
}

static size_t count(const struct list_of *list, const char *text)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++)
        n += strcmp(list->text[i], text) == 0;
    return n;
}

static void see_batch(const struct batch *batch, int error)
{
    const struct record *record;

    stored.n = told.n = 0;
    list_each (record, &batch->records, link) {
        add_job(record);
        if (record->kind == RECORD_MESSAGE || record->kind == RECORD_MESSAGE_JOINED)
            add_message(record);
    }
    for (size_t i = 0; i < stored.n; i++)
        if (count(&told, stored.text[i]) != 1)
            fail_msg("%s is stored with %zu messages", stored.text[i], count(&told, stored.text[i]));
}

static int set_up(void **state)
{
    int r = jobs_set_up(state);
    struct jobs_fixture *f = *state;

    f->see_batch = see_batch;
    set_queue(f, "default", "states=jobs");
    return r;
}

/* Its job; 0: there was no memory for it. */
static uint64_t try_submit(struct jobs_fixture *f, struct client *c, struct request request)
{
    uint64_t op = ask(f, c, request);

    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    struct seen *seen = answer(f, c, op);
    return seen && seen->status >= 0 ? seen->handle : 0;
}

/* Runs what there is, as far as memory goes. */
static void work(struct jobs_fixture *f, struct client *host, enum job_cause cause, int error)
{
    struct seen *offer = next_offer(f, host, OFFER_RUN);

    if (!offer)
        return;
    host->offers_seen = offer->number;
    started(f, host, offer);
    done(f, host, offer, cause, error);
}

/* What it says of itself is not what is tried. */
static struct client *host_comes(struct jobs_fixture *f)
{
    long left = f->allocations_left;

    f->allocations_left = -1;
    struct client *host = host_up(f);
    f->allocations_left = left;
    return host;
}

static void live(struct jobs_fixture *f, bool keeps)
{
    struct client *c = client_new(f, 0), *b = client_new(f, 0);
    struct bytes settings = keeps ? TEXT("durable=yes") : TEXT("durable=no");

    f->see_batch = keeps ? see_batch : NULL;
    ask_ok(f, c,
           (struct request){.verb = VERB_TOPIC_SET,
                            .topic_set = {.pattern = TEXT("jobs.>"), .settings = settings}},
           0);
    ask_ok(f, b, (struct request){.verb = VERB_SUBSCRIBE, .subscribe = {.pattern = TEXT(">")}}, 0);
    f->refused = 0;
}

static void lives(struct jobs_fixture *f, struct client *c)
{
    uint64_t one = try_submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = MS, .once_key = TEXT("k")));
    uint64_t other = try_submit(f, c, SUBMIT(.delay_ns = 10 * MS)),
             third = try_submit(f, c, SUBMIT(.after = &other, .after_n = other != 0));

    if (f->host_started) {
        struct client *host = host_comes(f);
        work(f, host, CAUSE_ERROR, -EIO);
        advance_ms(f, 400);
        work(f, host, CAUSE_ERROR, -EIO);
        work(f, host, CAUSE_NONE, 0);
        advance_ms(f, 400);
        work(f, host, CAUSE_NONE, 0);
        host_dies(f, host, 11, 0);
    }
    ask(f, c, (struct request){.verb = VERB_JOB_RETRY, .job_retry = {.job = one}});
    try_submit(f, c, SUBMIT(.delay_ns = 10 * MS, .once_key = TEXT("l")));
    try_submit(f, c, SUBMIT(.once_key = TEXT("l"), .once_policy = ONCE_REPLACE));
    cancel_job(f, c, third);
    advance_ms(f, 1000);
    f->allocations_left = -1;
    advance_ms(f, 1000);
}

static void each_allocation(void **state, bool keeps, bool once)
{
    struct jobs_fixture *f;
    long n = 0;

    do {
        jobs_tear_down(state);
        set_up(state);
        f = *state;
        live(f, keeps);
        f->fails_once = once;
        f->allocations_left = n++;
        lives(f, client_new(f, 0));
    } while (f->refused > 0);
    assert_true(n > 100);
}

static void test_IP18_3_one_allocation_that_fails_parts_no_state_from_its_message(void **state)
{
    each_allocation(state, true, true);
}

static void test_IP18_3_memory_that_stays_out_parts_no_state_from_its_message(void **state)
{
    each_allocation(state, true, false);
}

static void test_IP18_3_a_live_message_that_memory_fails_harms_nothing(void **state)
{
    each_allocation(state, false, true);
    each_allocation(state, false, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, jobs_tear_down)
        TEST(test_IP18_3_one_allocation_that_fails_parts_no_state_from_its_message),
        TEST(test_IP18_3_memory_that_stays_out_parts_no_state_from_its_message),
        TEST(test_IP18_3_a_live_message_that_memory_fails_harms_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
