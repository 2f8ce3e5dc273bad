/*
 * Memory runs out at each allocation of a life with a feed, for one and for all from there on: no change is half done (core_check
 * after each step), nothing leaks, and when there is memory again each message has one job.
 */
#include "feed_fixture.h"

#include "core_internal.h"

struct life {
    struct jobs_fixture *f;
    struct client *c;
};

/* The answer: 1 there is none. */
static int32_t say(struct life *life, struct request request)
{
    struct jobs_fixture *f = life->f;
    long refused = f->refused;
    uint64_t op = ask(f, life->c, request);

    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    struct seen *seen = answer(f, life->c, op);
    if (seen && seen->status < 0 && (seen->status != -ENOMEM || f->refused == refused))
        fail_msg("verb %d is answered %d (%s)", request.verb, seen->status, seen->text);
    return seen ? seen->status : 1;
}

static void publish_one(struct life *life, const char *body)
{
    const struct header header = {TEXT("h"), TEXT("v")};
    struct outgoing message = {
        .value.body = text(body), .key = TEXT("key"), .headers = &header, .headers_n = 1};

    publish_all(life->f, life->c, "k.x", message);
}

/* The bodies of all messages in the log, as arguments() tells those of jobs. */
static const char *messages(struct life *life)
{
    static char all[256];
    const struct fetch what = {.kind = FETCH_MESSAGES, .limit = 100, .bytes = 100000, .last = UINT64_MAX};
    struct fetched out;
    char *to = all;

    assert_int_equal(store_memory.fetch(life->f->store, &what, &out), 0);
    *to = 0;
    for (size_t i = 0; i < out.messages_n; i++)
        to += sprintf(to, "%.*s ", (int)out.messages[i].body.size, (const char *)out.messages[i].body.data);
    fetched_clear(&out);
    return all;
}

static void look_at_plugin(struct jobs_fixture *f)
{
    for (int i = 0; i < 3; i++) {
        if (f->plugin_waiting)
            plugin_is(f, TEXT("g1"), true);
        advance_ms(f, 11000);
    }
}

/* Everything is asked for while memory may be out; then it is there again. */
static void live(struct life *life, long n, bool once)
{
    struct jobs_fixture *f = life->f;

    f->core->limits.topic_cache_bytes = 300; /* the store is asked for older ones */
    life->c = client_new(f, 0);
    publish_one(life, "1");
    publish_one(life, "2");
    f->refused = 0;
    f->fails_once = once;
    f->allocations_left = n;
    int32_t made = say(life, FEED("mail", .from = FEED_FROM_START));
    publish_one(life, "3");
    say(life, (struct request){.verb = VERB_FEED_LIST, .feed_list.limit = 3});
    if (made == 0)
        say(life, CHANGE("mail", .ahead = 6, .pattern = TEXT("k.*")));
    publish_one(life, "4");
    f->allocations_left = -1;
    look_at_plugin(f);
    ask_status(f, client_new(f, 0), FEED("mail", .pause = FEED_GO_ON), 0);
    look_at_plugin(f);
    if (made == 0)
        assert_string_equal(arguments(f), messages(life));
}

/* The feed goes, and what it was may be made anew. */
static void forget(struct life *life, long n, bool once)
{
    struct jobs_fixture *f = life->f;
    struct request remove = {.verb = VERB_FEED_REMOVE, .feed_remove = {TEXT("mail")}};

    life->c = client_new(f, 0);
    f->fails_once = once;
    f->allocations_left = n;
    int32_t gone = say(life, remove);
    f->allocations_left = -1;
    advance_ms(f, 1000);
    if (gone == -ENOMEM)
        ask_status(f, client_new(f, 0), remove, 0);
}

static void each_allocation(void **state, bool once)
{
    long n = 0, refused;

    do {
        jobs_tear_down(state);
        feed_set_up(state);
        struct life life = {.f = *state};
        live(&life, n, once);
        refused = life.f->refused;
        restart(life.f);
        look_at_plugin(life.f);
        forget(&life, n, once);
        n++;
    } while (refused > 0);
    assert_true(n > 60);
}

static void test_IP17_2_one_allocation_that_fails_loses_and_doubles_nothing(void **state)
{
    each_allocation(state, true);
}

static void test_IP17_2_memory_that_stays_out_loses_and_doubles_nothing(void **state)
{
    each_allocation(state, false);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, feed_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP17_2_one_allocation_that_fails_loses_and_doubles_nothing),
        TEST(test_IP17_2_memory_that_stays_out_loses_and_doubles_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
