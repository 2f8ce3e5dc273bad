/* Many publishes that wait each for another subscription, all of which end at once (IP14.4, IP14.7). */
#include <stdio.h>

#include "topic.h"
#include "topic_fixture.h"

static struct rig *rig;
static struct client *a, *b, *c;

static int setup(void **state)
{
    rig = NULL;
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

static void begin(uint64_t per_turn)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.sweep_per_turn = per_turn;
    if (rig)
        rig_delete(rig);
    rig = rig_with(&limits, 42);
    a = client_new(rig);
    b = client_new(rig);
    c = client_of(rig, 1001);
}

/* A turn is enough for n * log(n) looks at those that wait, and not for n * n / 2. */
enum { WAIT = 60, TURN = 12 * WAIT };

/* The messages of publishes that wait in turn at so many subscriptions, and these end in the order of number * step % subscriptions. */
static const char *all_wait(int subscriptions, int step)
{
    static char bodies[8 * WAIT];
    char topic[16], body[16];

    bodies[0] = 0;
    for (int i = 0; i < subscriptions; i++) {
        snprintf(topic, sizeof(topic), "t.%d", i);
        subscribe_for(b, topic, (1 + i * step % subscriptions) * (int64_t)MS);
        publish(a, topic, "0");
        rig_sweep(rig);
    }
    for (int i = 0; i < WAIT; i++) {
        snprintf(topic, sizeof(topic), "t.%d", i % subscriptions);
        snprintf(body, sizeof(body), "%d", i);
        publish(a, topic, body);
        rig_sweep(rig);
        snprintf(bodies + strlen(bodies), sizeof(bodies) - strlen(bodies), "%s ", body);
    }
    return bodies;
}

static const struct {
    int subscriptions, step;
} waits[] = {{WAIT, 1}, {WAIT, WAIT - 1}, {WAIT, 7}, {WAIT, 23}, {1, 0}, {2, 1}, {7, 3}, {13, 5}};

static void test_IP14_7_many_go_on_in_their_order_in_one_turn_whatever_ends_first(void **state)
{
    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        begin(TURN);
        const char *bodies = all_wait(waits[i].subscriptions, waits[i].step);
        uint64_t other = subscribe(c, "t.*");
        rig_after(rig, WAIT * (int64_t)MS);
        assert_has(c, other, bodies);
    }
}

/* Closes, greetings and a SUBSCRIBE that waits for one are between them there. */
static void test_IP14_7_many_go_on_before_what_came_later(void **state)
{
    const struct request_subscribe lasts = {.pattern = {"w.>", 3}, .from = FROM_LAST};

    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        begin(2);
        const char *bodies = all_wait(waits[i].subscriptions, waits[i].step);
        char all[8 * WAIT + 16];
        uint64_t other = subscribe(c, "t.*"), slow = subscribe_for(b, "x", SECOND), p, q;
        for (int k = 0; k < 4 * WAIT; k++)
            subscribe(b, "u");
        publish(a, "u", "1");
        publish(a, "x", "1 2");
        uint64_t first = subscribe_as(c, lasts), next = subscribe_as(c, lasts);
        p = publish(a, "t.y", "y");
        client_do(c, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close = {{"v", 1}}});
        q = publish(a, "t.z", "z");
        rig_after(rig, WAIT * (int64_t)MS);
        assert_has(c, other, "");
        rig_sweep(rig);
        snprintf(all, sizeof(all), "%sy z ", bodies);
        assert_has(c, other, all);
        assert_told(a, p, 1, 1, 0);
        assert_told(a, q, 1, 1, 0);
        assert_status(c, first, 0);
        assert_status(c, next, 0);
        assert_has(b, slow, "1 ");
    }
}

/* However many they are, none of them is looked at: the turn has what it had for deliveries. */
static void test_IP14_7_what_waited_at_one_subscription_goes_on_without_a_look_at_all(void **state)
{
    enum { MANY = 600 };

    begin(MANY);
    subscribe_for(b, "t", (int64_t)MS);
    for (int i = 0; i <= MANY; i++) {
        publish(a, "t", "m");
        rig_sweep(rig);
    }
    assert_int_equal(rig->core->topics->published, 1);
    rig_after(rig, MS);
    assert_in_range(rig->core->topics->published, MANY / 4, MANY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP14_7_many_go_on_in_their_order_in_one_turn_whatever_ends_first),
        TEST(test_IP14_7_many_go_on_before_what_came_later),
        TEST(test_IP14_7_what_waited_at_one_subscription_goes_on_without_a_look_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
