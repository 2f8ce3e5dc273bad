/*
 * Publishers and subscribers without a common clock (IP14): what a subscription has, and what it was counted to have lost, is
 * what was published, in the order of each publisher; and what was not published nobody has.
 *
 *     fans COUNT
 *
 * Each publisher has a topic of its own and publishes numbers in vectors, some of them with hardly any time. Each subscription
 * has another policy and pace, and gives some values back. All have clients of their own. COUNT messages of each publisher.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_node.h"
#include "goclient_chan.h"
#include "goclient_topic.h"
#include "probe.h"

enum { PUBLISHERS = 3, SUBSCRIBERS = 6, VECTOR = 8 };

struct number {
    int publisher, number;
};

struct publisher {
    gc_client *g;
    int who, count;
    uint8_t *published; /* of each number */
    unsigned long n, cut_short;
};

struct subscriber {
    gc_client *g;
    gc_chan c;
    const char *pattern;
    struct gc_subscribe_options options;
    bool slow;
    const struct publisher *from;
    uint8_t *has[PUBLISHERS];
    int last[PUBLISHERS];
    unsigned long n, lost, returned;
};

static struct node node;

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % below;
}

/* ---- publishing ---- */

static int publish_some(struct publisher *p, int from, int n, gc_until until)
{
    struct gc_outgoing messages[VECTOR] = {0};
    struct number numbers[VECTOR];
    char topic[16];

    snprintf(topic, sizeof(topic), "fan.%d", p->who);
    for (int i = 0; i < n; i++) {
        numbers[i] = (struct number){p->who, from + i};
        messages[i].value = gc_bytes(&numbers[i], sizeof(numbers[i]));
    }
    int r = gc_publish_many(p->g, topic, messages, (size_t)n, NULL, NULL, until);
    if (r < 0 && r != -ETIMEDOUT)
        errx(1, "publish: %s", gc_why());
    return r < 0 ? 0 : r;
}

static void *publish_all(void *arg)
{
    struct publisher *p = arg;
    unsigned seed = (unsigned)p->who + 1;

    for (int from = 0; from < p->count;) {
        int n = 1 + (int)draw(&seed, VECTOR), left = p->count - from;
        bool hurried = draw(&seed, 4) == 0;

        n = n < left ? n : left;
        int r = publish_some(p, from, n, hurried ? gc_after_ms(1) : GC_FOREVER);
        memset(p->published + from, 1, (size_t)r);
        p->n += (unsigned long)r;
        p->cut_short += r < n;
        from += n;
    }
    return NULL;
}

/* ---- receiving ---- */

static void note(struct subscriber *s, const struct gc_value *v)
{
    struct number is;

    if (v->size != sizeof(is) || !gc_message(v))
        errx(1, "%s: a value that is no message of ours", s->pattern);
    memcpy(&is, v->data, sizeof(is));
    if (v->flags == 0 && is.number <= s->last[is.publisher])
        errx(1, "%s: %d of %d came behind %d", s->pattern, is.number, is.publisher, s->last[is.publisher]);
    if (s->has[is.publisher][is.number]++ && !(v->flags & GC_RETURNED))
        errx(1, "%s: %d of %d came twice", s->pattern, is.number, is.publisher);
    if (v->flags)
        return;
    s->last[is.publisher] = is.number;
    s->lost += gc_message(v)->lost;
    s->n++;
}

static void *receive_all(void *arg)
{
    struct subscriber *s = arg;
    struct gc_value v;
    unsigned seed = 11;
    int r;

    while ((r = gc_recv(s->g, s->c, &v, GC_HOLD, GC_FOREVER)) > 0) {
        bool back = !(v.flags & GC_RETURNED) && draw(&seed, 8) == 0;

        note(s, &v);
        s->returned += back;
        if ((back ? gc_return(s->g, &v) : gc_ack(s->g, &v)) < 0)
            errx(1, "settle: %s", gc_why());
        gc_value_clear(&v);
        if (s->slow && gc_ping(s->g, GC_FOREVER) < 0)
            errx(1, "ping: %s", gc_why());
    }
    if (r < 0)
        errx(1, "%s: %s", s->pattern, gc_why());
    return NULL;
}

/* ---- the judge ---- */

static bool is_for(const struct subscriber *s, int publisher)
{
    return s->pattern[4] == '*' || s->pattern[4] == '>' || s->pattern[4] - '0' == publisher;
}

static void judge(const struct subscriber *s)
{
    struct gc_chan_info info;
    unsigned long published = 0;

    for (int who = 0; who < PUBLISHERS; who++) {
        published += is_for(s, who) ? s->from[who].n : 0;
        for (int i = 0; i < s->from[who].count; i++)
            if (s->has[who][i] && (!is_for(s, who) || !s->from[who].published[i]))
                errx(1, "%s: %d of %d was not published, or not for it", s->pattern, i, who);
    }
    if (gc_chan_info(s->g, s->c, &info, GC_FOREVER) < 0)
        errx(1, "info: %s", gc_why());
    printf("%s: %lu published, %lu received, %" PRIu64 " dropped, %lu told, %lu given back\n", s->pattern,
           published, s->n, info.dropped, s->lost, s->returned);
    if (s->n + info.dropped != published || s->lost > info.dropped)
        errx(1, "%s: that is not what was published", s->pattern);
    if (s->options.slow == GC_SLOW_BLOCKS && info.dropped)
        errx(1, "%s: it keeps all, and dropped some", s->pattern);
}

/* ---- all of them ---- */

static const struct {
    const char *pattern;
    uint64_t capacity;
    enum gc_slow slow;
    bool is_slow;
} kinds[SUBSCRIBERS] = {
    {"fan.*", 4, GC_SLOW_DROPS_NEWEST, true},
    {"fan.>", 4, GC_SLOW_DROPS_OLDEST, true},
    {"fan.0", 2, GC_SLOW_BLOCKS, true},
    {"fan.*", 16, GC_SLOW_BLOCKS, false},
    {"fan.1", 1 << 16, GC_SLOW_DISCONNECTS, false},
    {"fan.2", 1, GC_SLOW_DROPS_OLDEST, false},
};

static void begin(struct subscriber *s, int kind, const struct publisher *from)
{
    *s = (struct subscriber){
        .g = probe_client(node.endpoint, 0),
        .pattern = kinds[kind].pattern,
        .options = {.size = sizeof(s->options), .capacity = kinds[kind].capacity, .slow = kinds[kind].slow},
        .slow = kinds[kind].is_slow,
        .from = from};
    if (kinds[kind].slow == GC_SLOW_BLOCKS)
        s->options.block_ns = 60 * INT64_C(1000000000);
    for (int who = 0; who < PUBLISHERS; who++) {
        s->has[who] = calloc((size_t)from[who].count, 1);
        s->last[who] = -1;
    }
    if (gc_subscribe(s->g, s->pattern, &s->options, &s->c, GC_FOREVER) < 0)
        errx(1, "subscribe: %s", gc_why());
}

static void close_all(gc_client *g)
{
    for (int kind = 0; kind < SUBSCRIBERS; kind++)
        if (gc_topic_close(g, kinds[kind].pattern, GC_FOREVER) < 0)
            errx(1, "close: %s", gc_why());
}

static void run(int count)
{
    struct publisher p[PUBLISHERS];
    struct subscriber s[SUBSCRIBERS];
    pthread_t thread[PUBLISHERS + SUBSCRIBERS];
    unsigned long cut_short = 0;

    for (int i = 0; i < PUBLISHERS; i++)
        p[i] = (struct publisher){probe_client(node.endpoint, 0), i, count, calloc((size_t)count, 1), 0, 0};
    for (int i = 0; i < SUBSCRIBERS; i++) {
        begin(&s[i], i, p);
        pthread_create(&thread[PUBLISHERS + i], NULL, receive_all, &s[i]);
    }
    for (int i = 0; i < PUBLISHERS; i++)
        pthread_create(&thread[i], NULL, publish_all, &p[i]);
    for (int i = 0; i < PUBLISHERS; i++)
        pthread_join(thread[i], NULL);
    close_all(p[0].g);
    for (int i = 0; i < SUBSCRIBERS; i++) {
        pthread_join(thread[PUBLISHERS + i], NULL);
        judge(&s[i]);
        gc_disconnect(s[i].g);
        for (int who = 0; who < PUBLISHERS; who++)
            free(s[i].has[who]);
    }
    for (int i = 0; i < PUBLISHERS; i++) {
        cut_short += p[i].cut_short;
        gc_disconnect(p[i].g);
        free(p[i].published);
    }
    printf("%lu publishes cut short\n", cut_short);
}

int main(int argc, char **argv)
{
    char *flags[] = {"--ephemeral", NULL};
    int n = argc == 2 ? atoi(argv[1]) : 0;

    if (n < 1)
        errx(2, "usage: fans COUNT");
    node_make(&node);
    node_start(&node, flags);
    run(n);
    node_stop(&node);
    node_remove(&node);
    return 0;
}
