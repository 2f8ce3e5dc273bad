/* Feeds (IP17): how they are set, held, sent elsewhere, forgotten and told, and by whom. */
#include "feed_fixture.h"

#include "core_internal.h"
#include "rights.h"

static void test_IP17_5_a_change_leaves_what_it_does_not_name(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set_queue(f, "q", "");
    ask_status(f, c, FEED("mail", .ahead = 50, .argument = FEED_MESSAGE), 0);
    publish(f, c, "k.x", "1");
    ask_status(f, c, CHANGE("mail", .queue = TEXT("q"), .argument = FEED_BODY, .pause = FEED_HOLD), 0);
    publish(f, c, "k.x", "2");
    struct seen *seen = feed(f, c, "mail");
    assert_int_equal(seen->feed.jobs, 1);
    assert_int_equal(seen->feed.ahead, 50);
    restart(f);
    c = client_new(f, 1000);
    assert_int_equal(feed(f, c, "mail")->feed.flags, FEED_PAUSED);
    ask_status(f, c, CHANGE("mail", .pause = FEED_GO_ON), 0);
    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    assert_non_null(strstr(arguments(f), "\n\n1 2 "));
    info(f, c, feed(f, c, "mail")->feed.last_job);
    struct seen *told = ask_ok(f, c, LOOK(feed(f, c, "mail")->feed.last_job), 0);
    assert_string_equal(told->words[3], "q");
}

static void test_IP17_5_a_change_keeps_what_is_on_its_way(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    publish(f, c, "k.x", "0"); /* the topic is there */
    for (int error = 0; error >= -ENOSPC; error -= ENOSPC) {
        char body[] = {error ? 'b' : 'a', 0};
        ask_status(f, c, FEED("mail"), 0);
        f->hold = true;
        publish(f, c, "k.x", body);
        store_one(f, 0); /* its job is on its way */
        ask(f, c, CHANGE("mail", .ahead = 7));
        store_one(f, error);
        store_go_on(f, 0);
        f->hold = false;
        advance_ms(f, 1000);
        assert_int_equal(feed(f, c, "mail")->feed.jobs, 1 - error / ENOSPC);
        restart(f);
        c = client_new(f, 1000);
        plugin_is(f, TEXT("g1"), true);
    }
    assert_string_equal(arguments(f), "a b ");
}

static void test_IP17_5_sent_elsewhere_it_begins_there(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail"), 0);
    publish_some(f, c, "k.x", 1, 2);
    ask_status(f, c, CHANGE("mail", .from = FEED_FROM_START, .pause = FEED_HOLD), 0);
    restart(f);
    c = client_new(f, 1000);
    ask_status(f, c, CHANGE("mail", .pause = FEED_GO_ON), 0);
    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    assert_string_equal(arguments(f), "1 2 1 2 ");
}

static void test_IP17_5_sent_elsewhere_it_counts_the_jobs_that_the_store_took(void **state)
{
    static const int fate[] = {0, -ENOSPC};

    for (size_t i = 0; i < 2; i++) {
        void *one;
        feed_set_up(&one);
        struct jobs_fixture *f = one;
        struct client *c = client_new(f, 1000);
        ask_status(f, c, FEED("mail"), 0);
        publish(f, c, "k.x", "1");
        uint64_t first = feed(f, c, "mail")->feed.last_job;
        f->hold = true;
        publish(f, c, "k.x", "2");
        store_one(f, 0); /* its job is on its way */
        uint64_t second = feed(f, c, "mail")->feed.last_job;
        ask(f, c, CHANGE("mail", .from = FEED_FROM_START, .pause = FEED_HOLD));
        store_one(f, fate[i]);
        store_go_on(f, 0);
        f->hold = false;
        for (int again = 0; again < 2; again++) {
            struct seen *seen = feed(f, c, "mail");
            assert_int_equal(seen->feed.jobs, fate[i] ? 1 : 2);
            assert_int_equal(seen->feed.last_job, fate[i] ? first : second);
            assert_int_equal(seen->feed.waiting, 2);
            restart(f);
            c = client_new(f, 1000);
        }
        ask_status(f, c, CHANGE("mail", .pause = FEED_GO_ON), 0);
        assert_string_equal(arguments(f), fate[i] ? "1 1 2 " : "1 2 1 2 ");
        jobs_tear_down(&one);
    }
}

static void test_IP17_5_another_pattern_counts_from_where_it_is(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    ask_status(f, c, FEED("mail", .pattern = TEXT("k.x")), 0);
    publish(f, c, "k.x", "x1");
    publish(f, c, "k.y", "y1");
    ask_status(f, c, CHANGE("mail", .pattern = TEXT("k.y")), 0);
    publish(f, c, "k.y", "y2");
    publish(f, c, "k.x", "x2");
    assert_string_equal(arguments(f), "x1 y2 ");
}

static void test_IP17_5_removed_it_is_forgotten_and_its_jobs_stay(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    struct request remove = {.verb = VERB_FEED_REMOVE, .feed_remove = {TEXT("mail")}};

    ask_status(f, c, remove, -ENOENT);
    publish(f, c, "k.x", "0"); /* the topic is there */
    ask_status(f, c, FEED("mail"), 0);
    f->hold = true;
    publish(f, c, "k.x", "1");
    store_one(f, 0);
    uint64_t op = ask(f, c, remove); /* its job is on its way */
    store_go_on(f, 0);
    f->hold = false;
    assert_int_equal(answer(f, c, op)->status, 0);
    publish(f, c, "k.x", "2");
    assert_string_equal(arguments(f), "1 ");
    restart(f);
    c = client_new(f, 1000);
    assert_int_equal(ask_ok(f, c, (struct request){.verb = VERB_FEED_LIST}, 0)->feeds_n, 0);
}

static void test_IP17_5_the_queue_of_a_feed_is_not_removed(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);
    const struct request remove = {.verb = VERB_QUEUE_REMOVE, .queue_remove = {TEXT("q")}};

    ask_status(f, root, (struct request){.verb = VERB_QUEUE_SET, .queue_set = {.name = TEXT("q")}}, 0);
    ask_status(f, root, FEED("mail", .queue = TEXT("q")), 0);
    assert_non_null(strstr(ask_status(f, root, remove, -EBUSY)->text, "feed mail puts jobs into queue q"));
    ask_status(f, root, CHANGE("mail", .queue = TEXT("default")), 0);
    ask_status(f, root, remove, 0);
}

static void test_IP17_5_a_feed_is_its_maker_s(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000), *other = client_new(f, 1001), *root = client_new(f, 0);

    ask_status(f, c, FEED("mail"), 0);
    struct seen *seen = ask_status(f, other, CHANGE("mail", .pause = FEED_HOLD), -EPERM);
    assert_string_equal(seen->text, "feed mail is another user's");
    ask_status(f, other, (struct request){.verb = VERB_FEED_REMOVE, .feed_remove = {TEXT("mail")}}, -EPERM);
    assert_int_equal(ask_ok(f, other, (struct request){.verb = VERB_FEED_LIST}, 0)->feeds_n, 0);
    ask_status(f, root, CHANGE("mail", .ahead = 9), 0);
    assert_int_equal(feed(f, root, "mail")->feed.uid, 1000);
    publish(f, root, "k.x", "1");
    assert_int_equal(info(f, c, feed(f, c, "mail")->feed.last_job).uid, 1000);
}

/* Each row with wildcards looks at each topic. */
static void test_IP17_5_where_there_are_many_topics_a_list_has_short_pages(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    struct request list = {.verb = VERB_FEED_LIST};

    ask_status(f, c, FEED("c"), 0);
    ask_status(f, c, FEED("a", .pattern = TEXT("k.x"), .pause = FEED_HOLD), 0);
    ask_status(f, c, FEED("b"), 0);
    publish(f, c, "k.x", "1");
    publish(f, c, "k.y", "2");
    f->core->limits.sweep_per_turn = 6;
    struct seen *seen = ask_ok(f, c, list, 0);
    assert_int_equal(seen->feeds_n, 2);
    assert_true(seen->flags & RESULT_MORE);
    assert_string_equal(seen->feed_words[0], "a");
    assert_int_equal(seen->feed.waiting, 1);
    list.feed_list.after = TEXT("b");
    seen = ask_ok(f, c, list, 0);
    assert_int_equal(seen->feeds_n, 1);
    assert_false(seen->flags & RESULT_MORE);
    assert_string_equal(seen->feed_words[0], "c");
    list.feed_list.after = (struct bytes){0};
    f->core->limits.sweep_per_turn = 1;
    assert_int_equal(ask_ok(f, c, list, 0)->feeds_n, 1);
    f->core->limits.sweep_per_turn = 7;
    seen = ask_ok(f, c, list, 0);
    assert_int_equal(seen->feeds_n, 3);
    assert_false(seen->flags & RESULT_MORE);
}

static void test_IP17_5_what_makes_no_sense_is_refused(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    const struct {
        struct request request;
        int32_t status;
        const char *words;
    } cases[] = {
        {CHANGE("mail"), -ENOENT, "no feed mail: a new one needs a pattern and a function"},
        {CHANGE("mail", .pattern = TEXT("k.>")), -EINVAL, "no feed mail: a new one needs"},
        {CHANGE("a b"), -EINVAL, "the name of a feed has 1 to 255 bytes"},
        {FEED("mail", .pattern = TEXT("a..b")), -EINVAL, "the pattern 'a..b'"},
        {FEED("mail", .queue = TEXT("none")), -ENOENT, "no queue none"},
        {FEED("mail", .function = TEXT("a b")), -EINVAL, "a function's name has"},
        {FEED("mail", .function = TEXT("none")), -ENOENT, "/p/good.so has no function none"},
        {FEED("mail", .plugin = TEXT("p.so")), -EINVAL, "an absolute path"},
        {FEED("mail", .ahead = 6), -EINVAL, "ahead 6: feed_ahead_max is 5"},
    };

    f->core->limits.feed_ahead_max = 5;
    ask_status(f, c, FEED("other", .ahead = 5), 0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct seen *seen = ask_status(f, c, cases[i].request, cases[i].status);
        if (!strstr(seen->text, cases[i].words))
            fail_msg("'%s' does not say '%s'", seen->text, cases[i].words);
    }
}

static void test_IP17_5_one_change_at_a_time(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    uint64_t first = ask(f, c, FEED("mail"));

    uint64_t second = ask(f, c, FEED("mail"));
    assert_int_equal(answer(f, c, second)->status, -EBUSY);
    assert_string_equal(answer(f, c, second)->text, "another change of feed mail is under way: try again");
    uint64_t other = ask(f, c, FEED("more")), gone = ask(f, c, FEED("gone"));
    cancel_op(f, c, gone);
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(answer(f, c, first)->status, 0);
    assert_int_equal(answer(f, c, other)->status, 0);
    assert_int_equal(ask_ok(f, c, (struct request){.verb = VERB_FEED_LIST}, 0)->feeds_n, 2);
}

static void test_IP17_5_a_change_that_its_client_gave_up_is_in_nobody_s_way(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000), *dead = client_new(f, 1000);

    ask_status(f, c, FEED("mail", .function = TEXT("other")), 0);
    cancel_op(f, c, ask(f, c, FEED("mail", .plugin = TEXT("/p/slow.so"))));
    ask_status(f, c, CHANGE("mail", .ahead = 3), 0);
    ask(f, dead, FEED("mail", .plugin = TEXT("/p/slow.so")));
    client_die(f, dead);
    ask_status(f, c, (struct request){.verb = VERB_FEED_REMOVE, .feed_remove = {TEXT("mail")}}, 0);
}

static void test_IP17_6_changes_that_wait_for_a_plugin_make_no_more_feeds_than_there_may_be(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    f->core->limits.feeds_max = 2;
    uint64_t first = ask(f, c, FEED("a")), second = ask(f, c, FEED("b")), third = ask(f, c, FEED("c"));
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(answer(f, c, first)->status, 0);
    assert_int_equal(answer(f, c, second)->status, 0);
    struct seen *seen = answer(f, c, third);
    assert_int_equal(seen->status, -ENOBUFS);
    assert_string_equal(seen->text, "user 1000 has 2 feeds, as many as feeds_max allows");
    assert_int_equal(ask_ok(f, c, (struct request){.verb = VERB_FEED_LIST}, 0)->feeds_n, 2);
}

static void test_IP17_6_an_account_has_so_many_feeds(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    f->core->limits.feeds_max = 1;
    ask_status(f, c, FEED("mail"), 0);
    struct seen *seen = ask_status(f, c, FEED("more"), -ENOBUFS);
    assert_string_equal(seen->text, "user 1000 has 1 feeds, as many as feeds_max allows");
    ask_status(f, c, FEED("mail", .ahead = 3), 0);
    ask_status(f, client_new(f, 1001), FEED("more"), 0);
}

static void test_IP17_6_who_lost_a_right_has_no_jobs(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    struct right_row rows[] = {
        {.anybody = true, .groups = GROUP_PUBLISH | GROUP_INSPECT},
        {.account = 1000, .groups = GROUP_SUBSCRIBE, .prefix = TEXT("k.")},
        {.account = 1000, .groups = GROUP_SUBMIT},
    };
    struct rights rights = {rows, 3};

    core_set_rights(f->core, &rights);
    ask_status(f, c, FEED("mail", .pattern = TEXT("j.>")), -EPERM);
    ask_status(f, client_new(f, 1001), FEED("mail"), -EPERM);
    ask_status(f, c, FEED("mail"), 0);
    rows[1].groups = GROUP_INSPECT;
    publish(f, c, "k.x", "1");
    assert_waits(f, c, "mail", "whoever made it may not read this, or not submit it, any more");
    rows[1].groups = GROUP_SUBSCRIBE;
    advance_ms(f, 10000);
    assert_string_equal(arguments(f), "1 ");
    core_set_rights(f->core, NULL);
}

static void test_IP17_6_another_function_needs_no_right_for_a_queue_that_it_is_not_for(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    struct right_row rows[] = {
        {.account = 1000, .groups = GROUP_SUBSCRIBE | GROUP_INSPECT},
        {.account = 1000, .groups = GROUP_SUBMIT, .prefix = TEXT("q")},
        {.account = 1000, .groups = GROUP_SUBMIT, .prefix = PLUGIN},
    };
    struct rights rights = {rows, 3};

    set_queue(f, "q", "");
    core_set_rights(f->core, &rights);
    ask_status(f, c, FEED("mail"), -EPERM);
    ask_status(f, c, FEED("mail", .queue = TEXT("q")), 0);
    ask_status(f, c, CHANGE("mail", .plugin = PLUGIN, .function = TEXT("count")), 0);
    core_set_rights(f->core, NULL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, feed_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP17_5_a_change_leaves_what_it_does_not_name),
        TEST(test_IP17_5_a_change_keeps_what_is_on_its_way),
        TEST(test_IP17_5_sent_elsewhere_it_begins_there),
        TEST(test_IP17_5_sent_elsewhere_it_counts_the_jobs_that_the_store_took),
        TEST(test_IP17_5_another_pattern_counts_from_where_it_is),
        TEST(test_IP17_5_removed_it_is_forgotten_and_its_jobs_stay),
        TEST(test_IP17_5_the_queue_of_a_feed_is_not_removed),
        TEST(test_IP17_5_a_feed_is_its_maker_s),
        TEST(test_IP17_5_where_there_are_many_topics_a_list_has_short_pages),
        TEST(test_IP17_5_what_makes_no_sense_is_refused),
        TEST(test_IP17_5_one_change_at_a_time),
        TEST(test_IP17_5_a_change_that_its_client_gave_up_is_in_nobody_s_way),
        TEST(test_IP17_6_changes_that_wait_for_a_plugin_make_no_more_feeds_than_there_may_be),
        TEST(test_IP17_6_an_account_has_so_many_feeds),
        TEST(test_IP17_6_who_lost_a_right_has_no_jobs),
        TEST(test_IP17_6_another_function_needs_no_right_for_a_queue_that_it_is_not_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
