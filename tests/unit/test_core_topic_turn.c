/* What waits for its turn with last messages (IP14.13), a SUBSCRIBE and a TOPIC_SET, waits as everything does (IP1.4). */
#include <stdio.h>

#include "kept_fixture.h"
#include "topic.h"

enum { LASTS = 9 };

static const struct request set_no = {.verb = VERB_TOPIC_SET,
                                      .topic_set = {.pattern = {"l.>", 3}, .settings = {"last=no", 7}}};
static const struct request set_bound = {
    .verb = VERB_TOPIC_SET, .topic_set = {.pattern = {"k.>", 3}, .settings = {"keep_messages=9", 15}}};

/* So many topics with a last message, and each turn looks at one. */
static int setup(void **state)
{
    char topic[] = "l.a";
    int r = kept_setup(state);

    set_topic(a, "l.>", "last=yes");
    for (int i = 0; i < LASTS; i++, topic[2]++)
        publish(a, topic, "m");
    rig_sweep(d->rig);
    d->rig->core->limits.sweep_per_turn = 1;
    rig_sweep(d->rig);
    return r;
}

static uint64_t begins(struct client *c)
{
    return subscribe_as(c, (struct request_subscribe){.pattern = {"l.*", 3}, .from = FROM_LAST});
}

static void turns(int n)
{
    for (int i = 0; i < n; i++)
        rig_step(d->rig, &(struct input){.kind = IN_TICK});
}

/* b waits to begin behind another one of its own, and a to set a rule behind one that lets many go. */
struct two {
    uint64_t begins, sets;
};

static struct two two_wait(struct until until, uint64_t context)
{
    struct two two;

    begins(b);
    b->until = until;
    two.begins = begins(under(b, context));
    client_do(a, set_no);
    a->until = until;
    two.sets = client_do(under(a, context), set_no);
    return two;
}

/* It has left nothing behind: others have their turn. */
static void assert_both(struct two two, int status)
{
    assert_status(b, two.begins, status);
    assert_status(a, two.sets, status);
    uint64_t op = begins(b);
    rig_sweep(d->rig);
    assert_status(b, op, 0);
    assert_status(a, set_topic(a, "l.>", "last=yes"), 0);
    assert_int_equal(rig_stat(d->rig, "topics.lasts"), 0);
}

static void test_IP1_4_who_waits_for_its_turn_gives_up_at_its_deadline(void **state)
{
    struct two two = two_wait((struct until){.kind = UNTIL_IN, .ns = SECOND}, 0);

    assert_waits(b, two.begins);
    assert_waits(a, two.sets);
    d->rig->now.mono_ns += SECOND;
    turns(3);
    assert_both(two, -ETIMEDOUT);
}

static void test_IP1_4_who_waits_for_its_turn_is_late_where_that_comes_behind_its_deadline(void **state)
{
    uint64_t h = subscribe(b, "t");

    for (int i = 0; i < 4 * LASTS; i++) /* they expire first, one in a turn */
        recv_many(within(b, SECOND / 2), h, 1);
    struct two two = two_wait((struct until){.kind = UNTIL_IN, .ns = SECOND}, 0);
    d->rig->now.mono_ns += SECOND;
    turns(LASTS - 2);
    assert_waits(b, two.begins);
    assert_waits(a, two.sets);
    turns(LASTS);
    assert_both(two, -ETIMEDOUT);
}

static void test_IP1_4_who_waits_for_its_turn_ends_with_its_context(void **state)
{
    uint64_t made = client_do(b, (struct request){.verb = VERB_CTX_NEW, .ctx_new.name = {"c", 1}});
    uint64_t context = got(b, made)->handle;
    struct two two = two_wait((struct until){.kind = UNTIL_FOREVER}, context);

    assert_waits(b, two.begins);
    assert_waits(a, two.sets);
    client_do(b, (struct request){.verb = VERB_CTX_CANCEL, .ctx_cancel.context = context});
    turns(5);
    assert_both(two, -ECANCELED);
}

static void test_IP1_4_who_is_not_to_wait_for_its_turn_is_told_at_once(void **state)
{
    assert_both(two_wait((struct until){.kind = UNTIL_NOW}, 0), -EAGAIN);
}

static void test_IP1_4_who_is_not_to_wait_and_has_its_turn_is_served(void **state)
{
    assert_status(b, begins(at_once(b)), 0);
    uint64_t op = client_do(at_once(a), set_no);
    stored(d);
    assert_status(a, op, 0);
}

/* TOPIC_SETs that wait. */
static size_t sets_wait(void)
{
    const struct publish *p;
    size_t n = 0;

    list_each (p, &d->rig->core->topics->lasts.sets, link)
        n++;
    return n;
}

static void keep_three(void)
{
    published(a, "k.x", "1");
    published(a, "k.y", "2");
    published(a, "k.z", "3");
}

/* Each looks at all topics that are kept: so many, and one, of what a turn may. */
static void test_IP14_13_rules_are_set_as_fast_as_a_turn_may_look_at_kept_topics(void **state)
{
    static const size_t per_turn[] = {8, 5, 4, 1};
    static const size_t left[] = {4, 2, 1, 0};
    uint64_t op[6];

    keep_three();
    client_do(a, set_no);
    for (int i = 0; i < 6; i++)
        op[i] = client_do(a, set_no);
    turns(LASTS - 1);
    assert_int_equal(sets_wait(), 6);
    for (int i = 0; i < 4; i++) {
        d->rig->core->limits.sweep_per_turn = per_turn[i];
        turns(1);
        assert_int_equal(sets_wait(), left[i]);
    }
    stored(d);
    for (int i = 0; i < 6; i++)
        assert_status(a, op[i], 0);
}

/* Also where none has to wait for last messages. */
static void test_IP15_1_rules_are_set_as_fast_as_a_turn_may_look_at_kept_topics(void **state)
{
    uint64_t op[6];

    keep_three();
    d->rig->core->limits.sweep_per_turn = 8;
    turns(1);
    for (int i = 0; i < 6; i++)
        op[i] = client_do(a, set_bound);
    for (int wait = 3; wait > 0; wait -= 2) {
        assert_int_equal(sets_wait(), wait);
        turns(1);
    }
    assert_int_equal(sets_wait(), 0);
    stored(d);
    for (int i = 0; i < 6; i++)
        assert_status(a, op[i], 0);
}

static void test_IP15_1_a_rule_that_used_up_its_turn_holds_nobody_up_behind_it(void **state)
{
    keep_three();
    for (int i = 0; i < 3; i++) {
        uint64_t op = client_do(at_once(a), set_bound);
        stored(d);
        assert_status(a, op, 0);
    }
    client_do(a, set_bound);
    assert_status(a, client_do(at_once(a), set_bound), -EAGAIN);
}

#define TURN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_TEST(test_IP1_4_who_waits_for_its_turn_gives_up_at_its_deadline),
        TURN_TEST(test_IP1_4_who_waits_for_its_turn_is_late_where_that_comes_behind_its_deadline),
        TURN_TEST(test_IP1_4_who_waits_for_its_turn_ends_with_its_context),
        TURN_TEST(test_IP1_4_who_is_not_to_wait_for_its_turn_is_told_at_once),
        TURN_TEST(test_IP14_13_rules_are_set_as_fast_as_a_turn_may_look_at_kept_topics),
        TURN_TEST(test_IP15_1_rules_are_set_as_fast_as_a_turn_may_look_at_kept_topics),
        TURN_TEST(test_IP15_1_a_rule_that_used_up_its_turn_holds_nobody_up_behind_it),
        TURN_TEST(test_IP1_4_who_is_not_to_wait_and_has_its_turn_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
