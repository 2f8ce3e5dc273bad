/* Memory runs out at each allocation of a life with kept topics, for one and for all from there on: no change is half done
 * (core_check after each step), nothing leaks. */
#include "kept_fixture.h"

/* `meet` and the subscription had memory. */
static void life(uint64_t sub)
{
    set_topic(a, "k.>", "durable=yes keep_messages=4 keep_for=10 dedup=5");
    set_topic(a, "k.y", "durable=no");
    for (int i = 0; i < 3; i++) {
        publish(a, "k.x", "1 2");
        publish_with(a, "k.x", (struct wishes){.once = i ? "again" : "id"});
        stored(d);
    }
    publish_with(b, "k.x", (struct wishes){.once = "full"});
    store_full(d);
    publish_with(b, "k.z", (struct wishes){.expects = true});
    publish(b, "k.z", "last");
    publish(b, "l.x", "1");
    publish(a, "l.y", "2 3");
    publish(a, "l.x", "4");
    recv_many(a, replay(a, ">", (struct request_subscribe){.from = FROM_LAST, .capacity = 1}), 1);
    replay(b, "l.x", (struct request_subscribe){.from = FROM_LAST});
    publish(a, "l.x", "5");
    client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge.topic = {"l.x", 3}});
    set_topic(a, "l.y", "last=no");
    client_die(b);
    stored(d);
    recv_many(a, sub, 9);
    d->rig->core->limits.topic_cache_bytes = 300;
    sub = replay_all(a, "k.>");
    replay_all(a, "k.x");
    replay(a, "k.*", (struct request_subscribe){.from = FROM_LAST});
    publish(a, "k.x", "1 2");
    stored(d);
    recv_many(a, sub, 9);
    client_do(a, (struct request){.verb = VERB_CHAN_DROP, .chan_drop.handle = sub});
    client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.x", 3}, .keep = 1}});
    stored(d);
    client_do(a, (struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {"k.z", 3}});
    stored(d);
    client_do(a, (struct request){.verb = VERB_TOPIC_LIST});
    client_do(a, (struct request){.verb = VERB_TOPIC_INFO, .topic_info = {.topic = {"k.x", 3}}});
    kept_after(20 * (int64_t)SECOND);
    client_do(a,
              (struct request){.verb = VERB_TOPIC_SET, .topic_set = {.pattern = {"k.y", 3}, .remove = true}});
    stored(d);
    rig_sweep(d->rig);
}

/* The same of what is published later. */
static void later_life(uint64_t sub)
{
    const struct wishes soon = {.once = "soon", .delay_ns = SECOND},
                        much_later = {.delay_ns = 100 * (int64_t)SECOND};

    set_topic(a, "k.>", "durable=yes");
    for (int i = 0; i < 2; i++) {
        publish_with(a, "k.x", soon);
        publish_with(a, "k.y", much_later);
        stored(d);
    }
    publish_with(b, "k.z", (struct wishes){.once = "full", .delay_ns = SECOND});
    store_full(d);
    kept_after(SECOND);
    kept_after(SECOND);
    recv_many(a, sub, 9);
    client_do(a, (struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {"k.y", 3}});
    stored(d);
    publish_with(a, "k.x", much_later);
    client_die(b);
    stored(d);
    rig_sweep(d->rig);
}

/* Subscriptions and rules that wait for their turn with last messages. */
static void turns_life(uint64_t sub)
{
    const struct request begins = {
        .verb = VERB_SUBSCRIBE, .subscribe = {.pattern = {"l.*", 3}, .from = FROM_LAST, .full = TOPIC_BLOCK}};
    struct request set = {.verb = VERB_TOPIC_SET,
                          .topic_set = {.pattern = {"l.>", 3}, .settings = {"last=no", 7}}};
    char topic[] = "l.a";

    for (; topic[2] < 'f'; topic[2]++)
        publish(a, topic, "1");
    d->rig->core->limits.sweep_per_turn = 1;
    rig_sweep(d->rig);
    for (int i = 0; i < 3; i++)
        client_do(i == 1 ? b : a, begins);
    publish(a, "l.a", "2");
    client_die(b);
    rig_sweep(d->rig);
    client_do(a, set);
    set.topic_set.settings = (struct bytes){"last=yes", 8};
    client_do(a, set);
    stored(d);
    rig_sweep(d->rig);
}

/* How many allocations there were. */
static long run(void (*live)(uint64_t sub), long from, long n)
{
    d = durable_rig_new(&(struct limits)LIMITS_DEFAULT);
    meet();
    set_topic(a, "l.>", "last=yes");
    uint64_t sub = subscribe(a, "k.>");
    long begun = d->rig->allocs;

    d->rig->fail_from = begun + from;
    d->rig->fail_to = n == LONG_MAX ? LONG_MAX : d->rig->fail_from + n;
    live(sub);
    long made = d->rig->allocs - begun;
    durable_rig_delete(d);
    return made;
}

/* At each of them `fails` do. */
static void run_all(void (*live)(uint64_t sub), long fails)
{
    long n = run(live, 0, 0);

    assert_true(n > 50);
    for (long at = 0; at < n; at++)
        run(live, at, fails);
}

static void test_memory_may_run_out_once(void **state)
{
    run_all(life, 1);
}

static void test_memory_may_run_out_for_good(void **state)
{
    run_all(life, LONG_MAX);
}

static void test_memory_may_run_out_once_with_what_waits_for_its_turn(void **state)
{
    run_all(turns_life, 1);
}

static void test_memory_may_run_out_for_good_with_what_waits_for_its_turn(void **state)
{
    run_all(turns_life, LONG_MAX);
}

static void test_memory_may_run_out_once_with_what_is_published_later(void **state)
{
    run_all(later_life, 1);
}

static void test_memory_may_run_out_for_good_with_what_is_published_later(void **state)
{
    run_all(later_life, LONG_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_may_run_out_once),
        cmocka_unit_test(test_memory_may_run_out_for_good),
        cmocka_unit_test(test_memory_may_run_out_once_with_what_waits_for_its_turn),
        cmocka_unit_test(test_memory_may_run_out_for_good_with_what_waits_for_its_turn),
        cmocka_unit_test(test_memory_may_run_out_once_with_what_is_published_later),
        cmocka_unit_test(test_memory_may_run_out_for_good_with_what_is_published_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
