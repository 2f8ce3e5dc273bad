/* Publish and subscribe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_patterns.h"

static void publish(go_broker *b, const char *topic, int first, int last)
{
    for (int i = first; i <= last; i++)
        assert_true(go_broker_publish(b, topic, &i, GO_FOREVER) >= 0);
}

/* Exactly first..last, and then the end of the range. */
static void expect_to_end(go_subscription *s, int first, int last)
{
    int v;

    for (int i = first; i <= last; i++) {
        assert_int_equal(go_receiver_recv(go_subscription_receiver(s), &v, GO_FOREVER), 1);
        assert_int_equal(v, i);
    }
    assert_int_equal(go_receiver_recv(go_subscription_receiver(s), &v, GO_FOREVER), 0);
    assert_null(go_unsubscribe(s));
}

struct reader {
    go_subscription *s;
    int first, last;
};

static void reads_to_end(void *arg)
{
    struct reader *r = arg;

    expect_to_end(r->s, r->first, r->last);
}

PATTERN_TEST(test_each_subscriber_gets_its_topic_in_order_and_an_end, 100)
{
    static const char *const topics[3] = {"news", "sports", "weather"};
    go_broker *b = go_broker_new(sizeof(int));

    for (int i = 0; i < 6; i++) {
        struct reader r = {go_broker_subscribe(b, topics[i % 3], (size_t)i / 3, GO_PUBLISH_WAITS),
                           i % 3 * 10 + 1, i % 3 * 10 + 5};

        assert_non_null(r.s);
        assert_int_equal(go_spawn(reads_to_end, &r, sizeof r), 0);
    }
    for (int i = 1; i <= 5; i++)
        for (int t = 0; t < 3; t++) {
            int v = t * 10 + i;

            assert_int_equal(go_broker_publish(b, topics[t], &v, GO_FOREVER), 2);
        }
    assert_int_equal(go_broker_publish(b, "politics", &(int){0}, GO_FOREVER), 0);
    assert_int_equal(go_broker_close(b), 0);
    assert_int_equal(go_broker_close(b), -EPIPE);
    assert_int_equal(go_broker_publish(b, "news", &(int){0}, GO_FOREVER), -EPIPE);
    assert_null(go_broker_subscribe(b, "news", 1, GO_PUBLISH_WAITS));
    assert_null(go_broker_unref(b));
}

PATTERN_TEST(test_stalled_subscriber_misses_and_counts_it, 20)
{
    go_broker *b = go_broker_new(sizeof(int));
    go_subscription *drops = go_broker_subscribe(b, "news", 1, GO_PUBLISH_DROPS);
    go_subscription *roomy = go_broker_subscribe(b, "news", 5, GO_PUBLISH_WAITS);

    publish(b, "news", 1, 5);
    assert_int_equal(go_subscription_dropped(drops), 4);
    assert_int_equal(go_subscription_dropped(roomy), 0);
    go_broker_unref(b); /* the last: it closes */
    expect_to_end(drops, 1, 1);
    expect_to_end(roomy, 1, 5);
}

PATTERN_TEST(test_publisher_waits_for_room_until_its_end, 20)
{
    go_broker *b = go_broker_new(sizeof(int));
    go_subscription *full = go_broker_subscribe(b, "news", 1, GO_PUBLISH_WAITS);
    go_subscription *after = go_broker_subscribe(b, "news", 3, GO_PUBLISH_WAITS);
    int v = 2;

    publish(b, "news", 1, 1);
    assert_int_equal(go_broker_publish(b, "news", &v, go_after_ms(10)), -ETIMEDOUT);
    assert_int_equal(at_ms(), 10);
    v = 3;
    assert_int_equal(go_broker_publish(b, "news", &v, GO_NOW), -EAGAIN);
    assert_int_equal(go_broker_publish(b, "news", &v, go_until_make(go_now_ns(), NULL)),
                     -ETIMEDOUT); /* to nobody */
    assert_int_equal(go_subscription_dropped(full), 2);
    go_broker_close(b);
    expect_to_end(full, 1, 1);
    expect_to_end(after, 1, 3);
    go_broker_unref(b);
}

struct publisher {
    go_broker *b;
    _Atomic int result;
};

static void publishes_one(void *arg)
{
    struct publisher *p = arg;

    atomic_store(&p->result, go_broker_publish(p->b, "news", &(int){7}, GO_FOREVER));
}

PATTERN_TEST(test_unsubscribe_frees_a_publisher_that_waits_for_it, 50)
{
    go_broker *b = go_broker_new(sizeof(int));
    go_subscription *stalled = go_broker_subscribe(b, "news", 0, GO_PUBLISH_WAITS);
    go_subscription *next = go_broker_subscribe(b, "news", 1, GO_PUBLISH_WAITS);
    struct publisher p = {.b = b, .result = -1};

    go_spawn(publishes_one, &p, 0);
    go_bubble_wait();
    assert_int_equal(p.result, -1);
    go_unsubscribe(stalled);
    go_bubble_wait();
    assert_int_equal(p.result, 1);
    stalled = go_broker_subscribe(b, "news", 0, GO_PUBLISH_WAITS);
    go_unsubscribe(next);
    p.result = -1;
    go_spawn(publishes_one, &p, 0);
    go_bubble_wait();
    go_broker_close(b);
    go_bubble_wait();
    assert_int_equal(p.result, 0);
    go_unsubscribe(stalled);
    assert_null(go_unsubscribe(NULL));
    go_broker_unref(b);
    assert_null(go_broker_unref(NULL));
    assert_int_equal(go_broker_close(NULL), -EINVAL);
}

/* ---- all at once ---- */

struct crowd {
    go_broker *b;
    _Atomic int received, dropped;
    go_waitgroup publishers, readers;
};

static void publishes_100(void *arg)
{
    struct crowd *c = arg;

    publish(c->b, "news", 1, 100);
}

static void reads_some(void *arg)
{
    struct crowd *c = arg;
    go_subscription *s;
    int v, n = 0;

    while ((s = go_broker_subscribe(c->b, "news", (size_t)(n % 3),
                                    n % 2 ? GO_PUBLISH_WAITS : GO_PUBLISH_DROPS))) {
        for (int i = 0; i < 7 && go_receiver_range(go_subscription_receiver(s), &v); i++)
            n++;
        go_unsubscribe(s);
    }
    atomic_fetch_add(&c->received, n);
}

PATTERN_TEST(test_subscribers_come_and_go_under_load, 20)
{
    struct crowd c = {.b = go_broker_new(sizeof(int))};

    for (int i = 0; i < 4; i++)
        go_waitgroup_go(&c.readers, reads_some, &c, 0);
    go_bubble_wait();
    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&c.publishers, publishes_100, &c, 0);
    go_waitgroup_wait(&c.publishers);
    go_broker_close(c.b);
    go_waitgroup_wait(&c.readers);
    assert_true(c.received > 0);
    go_broker_unref(c.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_each_subscriber_gets_its_topic_in_order_and_an_end),
        RT_UNIT(test_stalled_subscriber_misses_and_counts_it),
        RT_UNIT(test_publisher_waits_for_room_until_its_end),
        RT_UNIT(test_unsubscribe_frees_a_publisher_that_waits_for_it),
        RT_UNIT(test_subscribers_come_and_go_under_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
