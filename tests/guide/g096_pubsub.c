/*
 * G96 News, sports and weather, to those who have subscribed to them.
 *
 * Pattern: publish and subscribe. What happens when a subscriber is slow is said when it subscribes: the publisher waits
 * for it, or it misses messages, which are counted.
 */
#include <stdio.h>

#include "goroutine_patterns.h"
#include "guide.h"

enum { MESSAGES = 5, TEXT_BYTES = 32 };

struct message {
    char text[TEXT_BYTES];
};

struct reader {
    const char *name;
    go_subscription *subscription;
};

static void read_all(void *arg)
{
    const struct reader *me = arg;
    struct message message;

    while (go_receiver_range(go_subscription_receiver(me->subscription), &message))
        say("%s: %s", me->name, message.text);
    say("%s: end", me->name);
    go_unsubscribe(me->subscription);
}

static void subscribe(go_broker *broker, go_waitgroup *readers, const char *name, const char *topic)
{
    struct reader reader = {name, go_broker_subscribe(broker, topic, 1, GO_PUBLISH_WAITS)};

    must(reader.subscription && go_waitgroup_go(readers, read_all, &reader, sizeof reader) == 0);
}

/* How many took it. */
static int publish(go_broker *broker, const char *topic, int number)
{
    struct message message;

    snprintf(message.text, sizeof message.text, "%s update %d", topic, number);
    return go_broker_publish(broker, topic, &message, GO_FOREVER);
}

static void three_topics(void)
{
    go_broker *broker = go_broker_new(sizeof(struct message));
    go_waitgroup readers = {0};

    subscribe(broker, &readers, "Ann", "News");
    subscribe(broker, &readers, "Bob", "News");
    subscribe(broker, &readers, "Eve", "Sports");
    for (int i = 1; i <= MESSAGES; i++) {
        must(publish(broker, "News", i) == 2);
        must(publish(broker, "Sports", i) == 1);
        must(publish(broker, "Weather", i) == 0);
    }
    must(go_broker_close(broker) == 0);
    go_waitgroup_wait(&readers);
    /* "each subscriber gets exactly its 5 messages in order, and none of another topic" */
    /* "the close ends each one's range" */
    must(said_by("Ann", LINES("Ann: News update 1", "Ann: News update 2", "Ann: News update 3",
                              "Ann: News update 4", "Ann: News update 5", "Ann: end")));
    must(said_by("Bob", LINES("Bob: News update 1", "Bob: News update 2", "Bob: News update 3",
                              "Bob: News update 4", "Bob: News update 5", "Bob: end")));
    must(said_by("Eve", LINES("Eve: Sports update 1", "Eve: Sports update 2", "Eve: Sports update 3",
                              "Eve: Sports update 4", "Eve: Sports update 5", "Eve: end")));
    go_broker_unref(broker);
}

static void one_that_stalls(void)
{
    go_broker *broker = go_broker_new(sizeof(struct message));
    go_subscription *stalled = go_broker_subscribe(broker, "News", 1, GO_PUBLISH_DROPS);
    struct message message;
    int received = 0;

    for (int i = 1; i <= MESSAGES; i++)
        must(publish(broker, "News", i) == (i == 1));
    must(go_broker_close(broker) == 0);
    while (go_receiver_range(go_subscription_receiver(stalled), &message))
        received++;
    /* "policy drop, capacity 1, stalled: 1 received, 4 counted as dropped" */
    must(received == 1 && go_subscription_dropped(stalled) == 4);
    go_unsubscribe(stalled);
    go_broker_unref(broker);
}

struct publisher {
    go_broker *broker;
    atomic_int published;
};

static void publish_all(void *arg)
{
    struct publisher *me = arg;

    for (int i = 1; i <= MESSAGES; i++) {
        publish(me->broker, "News", i);
        atomic_fetch_add(&me->published, 1);
    }
}

static void one_that_is_waited_for(void)
{
    struct publisher publisher = {go_broker_new(sizeof(struct message)), 0};
    go_subscription *slow = go_broker_subscribe(publisher.broker, "News", 1, GO_PUBLISH_WAITS);

    must(go_spawn(publish_all, &publisher, 0) == 0);
    until_waiting(1);
    /* "policy wait, capacity 1, stalled: the publisher waits after 1" */
    must(atomic_load(&publisher.published) == 1);
    go_unsubscribe(slow);
    until_live(1);
    /* "who has unsubscribed holds up nobody" */
    must(atomic_load(&publisher.published) == MESSAGES);
    go_broker_unref(publisher.broker);
}

static void pubsub(void)
{
    three_topics();
    one_that_stalls();
    one_that_is_waited_for();
}

GUIDE_ROW(G96, pubsub);
