/* Feeds (IP17): messages become jobs, once each; what feeds wait for; what they miss. */
#include "feed_fixture.h"

#include "core_internal.h"

/* ---- what becomes of a message ---- */

static void test_IP17_1_each_message_that_matches_becomes_one_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    publish(f, c, "k.x", "before");
    ask_status(f, c, FEED("mail"), 0);
    publish(f, c, "k.x", "one");
    publish(f, c, "k.y.z", "two");
    publish(f, c, "other", "live");
    publish(f, c, "k.x", "three");
    assert_string_equal(arguments(f), "one two three ");
    struct seen *seen = feed(f, c, "mail");
    assert_int_equal(seen->feed.jobs, 3);
    assert_int_equal(seen->feed.cursor, 4);
    assert_int_equal(seen->feed.waiting, 0);
    assert_int_equal(seen->feed.uid, 1000);
    assert_state(f, c, seen->feed.last_job, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, c, seen->feed.last_job).uid, 1000);
}

static void test_IP17_1_it_begins_where_it_is_told(void **state)
{
    static const struct {
        uint32_t from;
        const char *arguments;
    } cases[] = {{FEED_FROM_NEW, "4 "},
                 {FEED_FROM_START, "1 2 3 4 "},
                 {FEED_FROM_SEQUENCE, "2 3 4 "},
                 {FEED_FROM_TIME, "3 4 "}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        void *one;
        feed_set_up(&one);
        struct jobs_fixture *f = one;
        struct client *c = client_new(f, 1000);
        publish_some(f, c, "k.x", 1, 2);
        advance_ms(f, 1000);
        publish(f, c, "k.x", "3");
        ask_status(
            f, c,
            FEED("mail", .from = cases[i].from, .from_sequence = 2, .from_time_us = f->now.wall_ns / 1000),
            0);
        publish(f, c, "k.x", "4");
        assert_string_equal(arguments(f), cases[i].arguments);
        jobs_tear_down(&one);
    }
}

static void test_IP17_1_the_key_of_a_message_is_that_of_its_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set_queue(f, "default", "key_concurrency=1");
    ask_status(f, c, FEED("mail"), 0);
    publish_all(f, c, "k.x", (struct outgoing){.value.body = TEXT("a1"), .key = TEXT("a")});
    publish_all(f, c, "k.x", (struct outgoing){.value.body = TEXT("a2"), .key = TEXT("a")});
    publish_all(f, c, "k.x", (struct outgoing){.value.body = TEXT("b1"), .key = TEXT("b")});
    struct client *host = host_up(f);
    assert_string_equal(begin(f, host)->argument, "a1");
    assert_string_equal(begin(f, host)->argument, "b1");
    assert_null(next_offer(f, host, OFFER_RUN));
}

static void test_IP17_1_the_argument_may_tell_of_the_message(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    const struct header headers[] = {{TEXT("trace id"), TEXT("7:8%\n9")}, {TEXT("empty"), {"", 0}}};
    char expected[256];

    ask_status(f, c, FEED("mail", .argument = FEED_MESSAGE), 0);
    publish_all(f, c, "k.x",
                (struct outgoing){
                    .value.body = TEXT("body\n"), .key = TEXT("k 1"), .headers = headers, .headers_n = 2});
    publish(f, c, "k.x", "");
    long long us = f->now.wall_ns / 1000;
    snprintf(expected, sizeof(expected),
             "topic: k.x\nsequence: 1\ntime_us: %lld\nkey: k 1\nheader.trace%%20id: 7:8%%25%%0A9\n"
             "header.empty: \n\nbody\n topic: k.x\nsequence: 2\ntime_us: %lld\n\n ",
             us, us);
    assert_string_equal(arguments(f), expected);
}

static void test_IP17_1_what_a_job_may_do_is_its_function_s_and_its_queue_s(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set_queue(f, "slow", "attempts=5");
    ask_status(f, c, FEED("mail", .queue = TEXT("slow"), .function = TEXT("other")), 0);
    ask_status(f, c, FEED("more", .queue = TEXT("slow")), 0);
    publish(f, c, "k.x", "one");
    assert_int_equal(info(f, c, feed(f, c, "mail")->feed.last_job).attempts_max, 3);
    assert_int_equal(info(f, c, feed(f, c, "more")->feed.last_job).attempts_max, 5);
}

static void test_IP17_1_workers_take_the_jobs_of_a_feed_without_a_plugin(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    struct request set = FEED("mail");

    set.feed_set.plugin = (struct bytes){"", 0};
    ask_status(f, c, set, 0);
    publish(f, c, "k.x", "one");
    assert_string_equal(arguments(f), "one ");
    assert_int_equal(f->plugins_asked, 0);
}

static void test_IP18_6_a_queue_that_feeds_itself_comes_to_an_end(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set_queue(f, "default", "states=k.jobs");
    ask_status(f, c, FEED("mail", .pattern = TEXT("k.jobs.>")), 0);
    submit(f, c, SUBMIT());
    assert_int_equal(feed(f, c, "mail")->feed.jobs, 1); /* it is ready */
    begin(f, host_up(f));
    assert_int_equal(feed(f, c, "mail")->feed.jobs, 2); /* and runs; nothing is told of those two */
    assert_int_equal(feed(f, c, "mail")->feed.waiting, 0);
}

/* ---- once ---- */

static void test_IP17_2_jobs_that_the_store_refuses_are_made_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail"), 0);
    publish(f, c, "k.x", "one");
    f->hold = true;
    publish(f, c, "k.x", "two");
    store_one(f, 0); /* the message; its job is on its way */
    store_go_on(f, -ENOSPC);
    assert_string_equal(arguments(f), "one ");
    assert_waits(f, c, "mail", "the store refused its last jobs: No space left on device");
    assert_int_equal(feed(f, c, "mail")->feed.jobs, 1);
    f->hold = false;
    advance_ms(f, 1000);
    assert_string_equal(arguments(f), "one two ");
    assert_waits(f, c, "mail", "");
    assert_int_equal(feed(f, c, "mail")->feed.jobs, 2);
}

static void test_IP17_2_each_message_has_one_job_wherever_the_daemon_dies(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail"), 0);
    publish_some(f, c, "k.x", 1, 2);
    f->hold = true;
    publish(f, c, "k.x", "3");
    store_one(f, 0); /* the message; its job was not stored yet */
    f->hold = false;
    restart(f);
    c = client_new(f, 1000);
    assert_waits(f, c, "mail", "its plugin is being looked at");
    plugin_is(f, TEXT("g1"), true);
    assert_string_equal(arguments(f), "1 2 3 ");
    assert_int_equal(feed(f, c, "mail")->feed.jobs, 3);
    restart(f);
    c = client_new(f, 1000);
    plugin_is(f, TEXT("g1"), true);
    publish(f, c, "k.x", "4");
    assert_string_equal(arguments(f), "1 2 3 4 ");
}

static void test_IP17_2_all_steps_under_way_are_in_one_batch(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    publish(f, c, "k.x", "0"); /* the topic is there */
    ask_status(f, c, FEED("mail"), 0);
    f->hold = true;
    publish_some(f, c, "k.x", 1, 2);
    store_one(f, 0);
    uint64_t batches = f->batches;
    store_one(f, 0); /* the second message: the first one's job is under way */
    assert_int_equal(f->batches, batches);
    store_go_on(f, 0);
    f->hold = false;
    assert_string_equal(arguments(f), "1 2 ");
}

/* Three messages, of which its queue has room for two: their jobs are on their way, and nothing else is. */
static struct client *two_under_way(struct jobs_fixture *f)
{
    struct client *c = client_new(f, 1000);

    set_queue(f, "q", "waiting_max=2");
    ask_status(f, c, FEED("mail", .queue = TEXT("q"), .pause = FEED_HOLD), 0);
    publish_some(f, c, "k.x", 1, 3);
    f->hold = true;
    ask(f, c, CHANGE("mail", .pause = FEED_GO_ON));
    store_one(f, 0);
    return c;
}

static void test_IP17_2_a_full_store_is_asked_again_after_a_pause_also_where_the_queue_was_full(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = two_under_way(f);
    uint64_t batches = f->batches;

    assert_waits(f, c, "mail", "its queue is full");
    store_one(f, -ENOSPC); /* which makes room there */
    assert_int_equal(f->batches, batches);
    assert_waits(f, c, "mail", "the store refused its last jobs: No space left on device");
    f->hold = false;
    advance_ms(f, 1000);
    assert_string_equal(arguments(f), "1 2 ");
}

/* A message whose job is not told of, then one whose job is the first that a topic is made for: between them the store is told
 * of that topic. */
static void test_IP17_2_what_becomes_of_one_batch_is_never_taken_for_that_of_another(void **state)
{
    static const int fate[][2] = {{-ENOSPC, 0}, {0, -ENOSPC}, {-ENOSPC, -ENOSPC}};

    for (size_t i = 0; i < sizeof(fate) / sizeof(*fate); i++) {
        void *one;
        feed_set_up(&one);
        struct jobs_fixture *f = one;
        struct client *c = client_new(f, 1000);
        set_queue(f, "other", "states=k");
        set_queue(f, "default", "states=k.of.jobs");
        ask_status(f, c, FEED("mail", .pattern = TEXT("k.*"), .pause = FEED_HOLD), 0);
        publish(f, c, "k.ready", "untold");
        publish(f, c, "k.x", "told");
        f->hold = true;
        ask(f, c, CHANGE("mail", .pause = FEED_GO_ON));
        store_one(f, 0);
        store_one(f, fate[i][0]);
        store_one(f, 0); /* the topic */
        store_go_on(f, fate[i][1]);
        f->hold = false;
        advance_ms(f, 1000);
        assert_string_equal(arguments(f), "untold told ");
        assert_int_equal(feed(f, c, "mail")->feed.jobs, 2);
        jobs_tear_down(&one);
    }
}

static void test_IP17_2_a_long_log_becomes_jobs_piece_by_piece(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    publish_some(f, c, "k.x", 0, 600);
    f->core->limits.topic_cache_bytes = 1;
    f->hold = true;
    ask(f, c, FEED("mail", .from = FEED_FROM_START));
    plugin_is(f, TEXT("g1"), true);
    store_go_on(f, 0);
    f->hold = false;
    advance_ms(f, 0);
    assert_int_equal(feed(f, c, "mail")->feed.jobs, 600);
    assert_int_equal(feed(f, c, "mail")->feed.cursor, 600);
}

static void test_IP17_1_what_does_not_match_is_passed_over_in_pieces(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail", .pattern = TEXT("k.y"), .pause = FEED_HOLD), 0);
    publish_some(f, c, "k.x", 0, 40);
    publish(f, c, "k.y", "y");
    f->core->limits.sweep_per_turn = 30;
    advance_ms(f, 0);
    ask_status(f, c, CHANGE("mail", .from = FEED_FROM_SEQUENCE, .from_sequence = 1, .pause = FEED_GO_ON), 0);
    assert_string_equal(arguments(f), "");
    advance_ms(f, 0); /* another turn */
    assert_string_equal(arguments(f), "y ");
}

/* ---- waiting ---- */

static void test_IP17_3_a_full_queue_makes_it_wait_whatever_that_does_with_submits(void **state)
{
    static const char *const policies[] = {"waiting_max=2 full=block", "waiting_max=2 full=reject",
                                           "waiting_max=2 full=drop-oldest", "waiting_bytes=2 full=reject"};

    for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
        void *one;
        feed_set_up(&one);
        struct jobs_fixture *f = one;
        struct client *c = client_new(f, 1000);
        set_queue(f, "q", policies[i]);
        ask_status(f, c, FEED("mail", .queue = TEXT("q")), 0);
        publish_some(f, c, "k.x", 1, 4);
        assert_string_equal(arguments(f), "1 2 ");
        assert_waits(f, c, "mail", "its queue is full");
        assert_int_equal(feed(f, c, "mail")->feed.waiting, 2);
        struct client *host = host_up(f);
        begin(f, host);
        assert_string_equal(arguments(f), "1 2 3 4 ");
        assert_waits(f, c, "mail", "");
        jobs_tear_down(&one);
    }
}

static void test_IP17_3_while_its_queue_is_full_nothing_is_read_for_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set_queue(f, "q", "waiting_max=1");
    publish_some(f, c, "k.x", 1, 3);
    f->core->limits.topic_cache_bytes = 1; /* they are asked of the store */
    publish(f, c, "k.x", "4");
    ask_status(f, c, FEED("mail", .queue = TEXT("q"), .from = FEED_FROM_START), 0);
    assert_string_equal(arguments(f), "1 ");
    uint64_t fetches = f->core->fetch_sequence;
    advance_ms(f, 10000);
    assert_waits(f, c, "mail", "its queue is full");
    assert_int_equal(f->core->fetch_sequence, fetches);
    begin(f, host_up(f));
    assert_string_equal(arguments(f), "1 2 3 4 ");
}

static void test_IP17_3_it_is_no_further_ahead_than_it_may(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail", .ahead = 4), 0);
    publish_some(f, c, "k.x", 1, 12);
    assert_string_equal(arguments(f), "1 2 3 4 ");
    assert_waits(f, c, "mail", "as many jobs wait in its queue as `ahead` lets it make");
    begin(f, host_up(f)); /* it has its window of four besides */
    assert_string_equal(arguments(f), "1 2 3 4 5 6 7 8 9 ");
    ask_status(f, c, CHANGE("mail", .ahead = 5), 0);
    assert_string_equal(arguments(f), "1 2 3 4 5 6 7 8 9 10 ");
}

/* To the queue `q`. */
static struct request submit_of(const char *argument)
{
    return (struct request){
        .verb = VERB_SUBMIT,
        .submit = {
            .plugin = PLUGIN, .function = TEXT("count"), .argument = text(argument), .queue = TEXT("q")}};
}

static void test_IP17_3_submits_that_wait_for_room_go_first(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set_queue(f, "q", "waiting_max=1 full=block");
    submit(f, c, submit_of("s1"));
    ask_status(f, c, FEED("mail", .queue = TEXT("q")), 0);
    publish(f, c, "k.x", "m");
    uint64_t waits = ask(f, c, submit_of("s2"));
    assert_string_equal(arguments(f), "s1 ");
    struct client *host = host_up(f);
    assert_string_equal(begin(f, host)->argument, "s1");
    assert_string_equal(begin(f, host)->argument, "s2");
    assert_int_equal(answer(f, c, waits)->status, 0);
    assert_string_equal(arguments(f), "s1 s2 m ");
}

static void test_IP17_3_a_submit_that_gives_up_its_place_is_in_nobody_s_way(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set_queue(f, "q", "waiting_bytes=4 full=block");
    submit(f, c, submit_of("123"));
    uint64_t waits = ask(f, c, submit_of("45"));
    ask_status(f, c, FEED("mail", .queue = TEXT("q")), 0);
    publish(f, c, "k.x", "m");
    assert_string_equal(arguments(f), "123 ");
    assert_waits(f, c, "mail", "submits wait for room in its queue");
    cancel_op(f, c, waits);
    assert_string_equal(arguments(f), "123 m ");
}

static void test_IP17_3_it_waits_while_no_job_is_taken(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0), *c = client_new(f, 1000);
    struct request pause = {.verb = VERB_QUEUE_PAUSE, .queue_pause = {TEXT("default"), PAUSE_SUBMITS, 0}};

    ask_status(f, c, FEED("mail"), 0);
    ask_ok(f, root, pause, 0);
    publish(f, c, "k.x", "1");
    assert_waits(f, c, "mail", "its queue is paused and takes no job");
    pause.queue_pause.what = PAUSE_END;
    ask_ok(f, root, pause, 0);
    assert_string_equal(arguments(f), "1 ");
    pause.queue_pause = (struct request_queue_pause){TEXT("default"), PAUSE_SUBMITS, 5000000000};
    ask_ok(f, root, pause, 0);
    publish(f, c, "k.x", "2");
    advance_ms(f, 5000);
    assert_string_equal(arguments(f), "1 2 ");
    ask_ok(f, root, (struct request){.verb = VERB_DRAIN, .drain = {DRAIN_BEGIN}}, 0);
    publish(f, c, "k.x", "3");
    assert_waits(f, c, "mail", "the daemon takes no job");
    ask_ok(f, root, (struct request){.verb = VERB_DRAIN, .drain = {DRAIN_END}}, 0);
    assert_string_equal(arguments(f), "1 2 3 ");
}

static void test_IP17_3_it_waits_while_its_user_has_too_many_jobs(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail"), 0);
    f->core->limits.jobs_waiting_max = 1;
    publish_some(f, c, "k.x", 1, 2);
    assert_string_equal(arguments(f), "1 ");
    assert_waits(f, c, "mail", "its user has 1 jobs, as many as jobs_waiting_max allows");
    cancel_job(f, c, feed(f, c, "mail")->feed.last_job);
    advance_ms(f, 1000);
    assert_string_equal(arguments(f), "1 2 ");
}

static void test_IP17_3_an_argument_that_is_too_large_stops_it_until_it_is_sent_on(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail"), 0);
    f->core->limits.argument_bytes_max = 4;
    publish(f, c, "k.x", "large");
    publish(f, c, "k.x", "two");
    assert_waits(f, c, "mail", "message 1 is an argument of 5 bytes: argument_bytes_max is 4");
    set_queue(f, "default", "waiting_bytes=3");
    advance_ms(f, 10000);
    assert_waits(f, c, "mail", "message 1 is an argument of 5 bytes: waiting_bytes of its queue is 3");
    ask_status(f, c, CHANGE("mail", .from = FEED_FROM_SEQUENCE, .from_sequence = 2), 0);
    assert_string_equal(arguments(f), "two ");
    assert_waits(f, c, "mail", "");
}

static void test_IP17_3_it_waits_for_a_plugin_that_can_be_used(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail", .function = TEXT("other")), 0);
    publish(f, c, "k.x", "1");
    restart(f);
    c = client_new(f, 1000);
    publish(f, c, "k.x", "2");
    assert_waits(f, c, "mail", "its plugin is being looked at");
    plugin_fails(f, -EACCES, TEXT("not ours"));
    assert_waits(f, c, "mail", "its plugin cannot be used: not ours");
    advance_ms(f, 10000);
    plugin_is(f, TEXT("g2"), false);
    assert_waits(f, c, "mail", "its plugin has no function other");
    advance_ms(f, 10000);
    plugin_is(f, TEXT("g3"), true);
    assert_string_equal(arguments(f), "1 2 ");
}

/* ---- missed ---- */

static void test_IP17_4_what_goes_before_it_was_read_is_missed(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0), *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail", .ahead = 1), 0);
    publish_some(f, c, "k.x", 1, 11);
    ask_status(f, root, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {TEXT("k.x"), 8, 0}}, 0);
    assert_int_equal(feed(f, c, "mail")->feed.missed, 7);
    restart(f);
    c = client_new(f, 1000);
    assert_int_equal(feed(f, c, "mail")->feed.missed, 7);
    plugin_is(f, TEXT("g1"), true);
    ask_status(f, c, CHANGE("mail", .ahead = 100), 0);
    assert_string_equal(arguments(f), "1 9 10 11 ");
}

static void test_IP17_4_retention_overtakes_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0), *c = client_new(f, 1000);

    set_topics(f, root, "k.>", "keep_messages=16");
    ask_status(f, c, FEED("mail", .pause = FEED_HOLD), 0);
    publish_some(f, c, "k.x", 1, 20);
    struct seen *seen = feed(f, c, "mail");
    assert_int_equal(seen->feed.missed + seen->feed.waiting, 20);
    assert_true(seen->feed.missed >= 4 && seen->feed.flags & FEED_PAUSED);
    ask_status(f, c, CHANGE("mail", .pause = FEED_GO_ON), 0);
    seen = feed(f, c, "mail");
    assert_int_equal(seen->feed.missed + seen->feed.jobs, 20);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, feed_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP17_1_each_message_that_matches_becomes_one_job),
        TEST(test_IP17_1_it_begins_where_it_is_told),
        TEST(test_IP17_1_the_key_of_a_message_is_that_of_its_job),
        TEST(test_IP17_1_the_argument_may_tell_of_the_message),
        TEST(test_IP17_1_what_a_job_may_do_is_its_function_s_and_its_queue_s),
        TEST(test_IP17_1_workers_take_the_jobs_of_a_feed_without_a_plugin),
        TEST(test_IP18_6_a_queue_that_feeds_itself_comes_to_an_end),
        TEST(test_IP17_2_jobs_that_the_store_refuses_are_made_again),
        TEST(test_IP17_2_each_message_has_one_job_wherever_the_daemon_dies),
        TEST(test_IP17_2_all_steps_under_way_are_in_one_batch),
        TEST(test_IP17_2_a_full_store_is_asked_again_after_a_pause_also_where_the_queue_was_full),
        TEST(test_IP17_2_what_becomes_of_one_batch_is_never_taken_for_that_of_another),
        TEST(test_IP17_2_a_long_log_becomes_jobs_piece_by_piece),
        TEST(test_IP17_1_what_does_not_match_is_passed_over_in_pieces),
        TEST(test_IP17_3_a_full_queue_makes_it_wait_whatever_that_does_with_submits),
        TEST(test_IP17_3_while_its_queue_is_full_nothing_is_read_for_it),
        TEST(test_IP17_3_it_is_no_further_ahead_than_it_may),
        TEST(test_IP17_3_submits_that_wait_for_room_go_first),
        TEST(test_IP17_3_a_submit_that_gives_up_its_place_is_in_nobody_s_way),
        TEST(test_IP17_3_it_waits_while_no_job_is_taken),
        TEST(test_IP17_3_it_waits_while_its_user_has_too_many_jobs),
        TEST(test_IP17_3_an_argument_that_is_too_large_stops_it_until_it_is_sent_on),
        TEST(test_IP17_3_it_waits_for_a_plugin_that_can_be_used),
        TEST(test_IP17_4_what_goes_before_it_was_read_is_missed),
        TEST(test_IP17_4_retention_overtakes_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
