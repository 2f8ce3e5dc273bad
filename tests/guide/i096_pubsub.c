/*
 * G96 between processes: news, sports and weather, to the clients that have subscribed to them.
 *
 * Pattern: publish and subscribe. What happens when a subscriber is slow is said when it subscribes: the publisher waits
 * for it, or it misses messages, which are counted.
 */
#include "goclient_inspect.h"
#include "goclient_topic.h"
#include "parts.h"

enum { MESSAGES = 5 };

/* The longest that a publisher may be made to wait. */
#define PATIENCE_NS (60 * 1000000000LL)

static gc_chan subscribe(struct part *me, const char *topic, enum gc_slow slow)
{
    const struct gc_subscribe_options options = {.size = sizeof options,
                                                 .capacity = 1,
                                                 .slow = slow,
                                                 .block_ns = slow == GC_SLOW_BLOCKS ? PATIENCE_NS : 0};
    gc_chan subscription;

    must(gc_subscribe(me->g, topic, &options, &subscription, GC_FOREVER) == 0);
    return subscription;
}

static struct gc_published publish(struct part *me, const char *topic, int number)
{
    struct gc_published published;
    char text[TEXT_BYTES];

    snprintf(text, sizeof text, "%s update %d", topic, number);
    must(gc_publish(me->g, topic, gc_string(text), NULL, &published, GC_FOREVER) == 0);
    return published;
}

/* ---- three topics ---- */

static void reader(struct part *me)
{
    static const struct {
        const char *name, *topic;
    } who[] = {{"Ann", "News"}, {"Bob", "News"}, {"Eve", "Sports"}};
    const char *name = who[me->index].name;
    gc_chan news = subscribe(me, who[me->index].topic, GC_SLOW_BLOCKS);
    struct gc_value v = {0};

    send_number(me, chan_of(me, "ready"), me->index);
    while (gc_range(me->g, news, &v, 0, GC_FOREVER) > 0) {
        must(strcmp(gc_message(&v)->topic, who[me->index].topic) == 0);
        say(me, "%s: %.*s", name, (int)v.size, (const char *)v.data);
    }
    say(me, "%s: end", name);
    must(gc_drop(me->g, news) == 0);
}

static void publisher(struct part *me)
{
    int who;

    for (int i = 0; i < 3; i++)
        must(recv_number(me, chan_of(me, "ready"), &who));
    for (int i = 1; i <= MESSAGES; i++) {
        must(publish(me, "News", i).receivers == 2);
        must(publish(me, "Sports", i).receivers == 1);
        must(publish(me, "Weather", i).receivers == 0);
    }
    must(gc_topic_close(me->g, "News", GC_FOREVER) == 2);
    must(gc_topic_close(me->g, "Sports", GC_FOREVER) == 1);
    must(gc_topic_close(me->g, "Weather", GC_FOREVER) == 0);
}

static void three_topics(void)
{
    /* "each subscriber gets exactly its 5 messages in order, and none of another topic" */
    /* "the close ends each one's range" */
    must(said_by("Ann", LINES("Ann: News update 1", "Ann: News update 2", "Ann: News update 3",
                              "Ann: News update 4", "Ann: News update 5", "Ann: end")));
    must(said_by("Bob", LINES("Bob: News update 1", "Bob: News update 2", "Bob: News update 3",
                              "Bob: News update 4", "Bob: News update 5", "Bob: end")));
    must(said_by("Eve", LINES("Eve: Sports update 1", "Eve: Sports update 2", "Eve: Sports update 3",
                              "Eve: Sports update 4", "Eve: Sports update 5", "Eve: end")));
}

GUIDE_PARTS(G96, three_topics, .channels = {{"ready"}}, .parts = {PARTS(3, reader), PART(publisher)});

/* ---- one that stalls ---- */

static void stalled(struct part *me)
{
    gc_chan news = subscribe(me, "News", GC_SLOW_DROPS_NEWEST);
    struct gc_chan_info info;
    struct gc_value v = {0};
    int received = 0;

    step_done(me, "subscribed");
    step_wait(me, "published");
    while (gc_range(me->g, news, &v, 0, GC_FOREVER) > 0)
        received++;
    must(gc_chan_info(me->g, news, &info, GC_FOREVER) == 0);
    say(me, "%d received, %lu dropped", received, (unsigned long)info.dropped);
    must(gc_drop(me->g, news) == 0);
}

static void one_that_drops(struct part *me)
{
    step_wait(me, "subscribed");
    for (int i = 1; i <= MESSAGES; i++) {
        struct gc_published published = publish(me, "News", i);

        must(published.receivers == (i == 1) && published.dropped == (i > 1));
    }
    must(gc_topic_close(me->g, "News", GC_FOREVER) == 1);
    step_done(me, "published");
}

static void one_that_stalls(void)
{
    /* "policy drop, capacity 1, stalled: 1 received, 4 counted as dropped" */
    must(said(LINES("1 received, 4 dropped")));
}

GUIDE_PARTS(G96, one_that_stalls, .channels = {{"subscribed"}, {"published"}},
            .parts = {PART(stalled), PART(one_that_drops)});

/* ---- one that is waited for ---- */

static bool somebody_publishes(struct part *me)
{
    struct gc_parked_page page;
    bool found = false;

    must(gc_parked(me->g, NULL, &page, GC_FOREVER) >= 0);
    for (size_t i = 0; i < page.n; i++)
        found |= strcmp(page.items[i].verb, "publish") == 0;
    gc_parked_page_clear(&page);
    return found;
}

static void slow(struct part *me)
{
    gc_chan news = subscribe(me, "News", GC_SLOW_BLOCKS), published = chan_of(me, "published");
    int number;

    step_done(me, "subscribed");
    while (!somebody_publishes(me))
        ;
    /* "policy wait, capacity 1, stalled: the publisher waits after 1" */
    must(gc_len(me->g, published, GC_FOREVER) == 1);
    must(gc_drop(me->g, news) == 0);
    /* "who has unsubscribed holds up nobody" */
    for (int i = 1; i <= MESSAGES; i++)
        must(recv_number(me, published, &number) && number == i);
    say(me, "%d published", number);
}

static void one_that_waits(struct part *me)
{
    step_wait(me, "subscribed");
    for (int i = 1; i <= MESSAGES; i++) {
        publish(me, "News", i);
        send_number(me, chan_of(me, "published"), i);
    }
}

static void one_that_is_waited_for(void)
{
    must(said(LINES("5 published")));
}

GUIDE_PARTS(G96, one_that_is_waited_for, .channels = {{"subscribed"}, {"published", {.capacity = MESSAGES}}},
            .parts = {PART(slow), PART(one_that_waits)});
