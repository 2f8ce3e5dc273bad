/*
 * The outside witness of what went through kept topics and the groups that read them.
 *
 *     topic_ledger publish FILE THREADS       THREADS publishers, each with a session of its own, publish "SENDER NUMBER" over
 *                                             and over, each number until it is confirmed, once: "T SENDER NUMBER" is a line of
 *                                             FILE before, "S SENDER NUMBER SEQUENCE" behind. Ends on SIGTERM.
 *     topic_ledger later FILE THREADS         the same of messages that are published later: "T SENDER NUMBER TIME_US" says when, and
 *                                             "S SENDER NUMBER 0" that it was accepted
 *     topic_ledger member FILE GROUP SETTINGS THREADS
 *                                             THREADS members of a group. "R SENDER NUMBER FLAGGED" is a line of FILE before a
 *                                             message is acknowledged: an odd one in a transaction that publishes a receipt, an
 *                                             even one by itself. "A SENDER NUMBER" is one when a transaction has been
 *                                             answered: of what it acknowledged, and of the even one before, which is
 *                                             acknowledged in the order of the session. Ends on SIGTERM.
 *     topic_ledger drain FILE GROUP SETTINGS  what is left for the group; nothing of it has a receipt
 *     topic_ledger log FILE TOPICS            "L SENDER NUMBER SEQUENCE TIME_US" of all that is kept of TOPICS.*
 *
 * Each line is followed by a newline on standard output, for who waits for progress.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "book.h"
#include "goclient_txn.h"
#include "term.h"

#define KEPT     "chaos.kept"
#define LATER    "chaos.later"
#define RECEIPTS "chaos.receipt"
#define END      "end" /* the value behind which nothing is looked for */
enum {
    THREADS_MAX = 64,
    VALUE_BYTES = 64,
    NAME_BYTES = 128,
    TOPICS = 4,
    CAPACITY = 4,
    PATIENCE_MS = 100,
    LATER_MS = 200
};

/* Of a group; NULL where a log is read. */
static const char *group, *settings;
static int ledger_fd;

static void must(const char *what, int r)
{
    if (r < 0 && !survivor_lost(r))
        errx(1, "%s: %s (%s)", what, gc_strerror(r), gc_why());
}

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    char line[NAME_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    book_line(ledger_fd, "%s", line);
    book_progress();
}

/* ---- publish ---- */

/* With another daemon it is asked again, under the same id. */
static uint64_t publish(gc_client *g, const char *topic, const char *key, const char *value, int64_t at_us)
{
    struct gc_publish_options options = {.size = sizeof(options), .key = key, .once = value, .at_us = at_us};
    struct gc_published out;
    int r;

    do
        must("publish", r = gc_publish(g, topic, gc_string(value), &options, &out, GC_FOREVER));
    while (r < 0);
    return out.sequence;
}

static void *publisher(void *number)
{
    int i = (int)(intptr_t)number;
    char topic[NAME_BYTES], key[VALUE_BYTES / 2], value[VALUE_BYTES];
    gc_client *g = survivor();

    snprintf(topic, sizeof(topic), "%s.%d", KEPT, i % TOPICS);
    snprintf(key, sizeof(key), "%d-%d", getpid(), i);
    for (uint64_t n = 0; !stop; n++) {
        snprintf(value, sizeof(value), "%s %" PRIu64, key, n);
        book_line(ledger_fd, "T %s", value);
        note("S %s %" PRIu64, value, publish(g, topic, key, value, 0));
    }
    gc_disconnect(g);
    return NULL;
}

static int64_t soon_us(uint64_t n)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000 + (int64_t)(n * 7919 % LATER_MS) * 1000;
}

static void *delayer(void *number)
{
    int i = (int)(intptr_t)number;
    char topic[NAME_BYTES], key[VALUE_BYTES / 2], value[VALUE_BYTES];
    gc_client *g = survivor();

    snprintf(topic, sizeof(topic), "%s.%d", LATER, i % TOPICS);
    snprintf(key, sizeof(key), "%d-%d", getpid(), i);
    for (uint64_t n = 0; !stop; n++) {
        int64_t at_us = soon_us(n);

        snprintf(value, sizeof(value), "%s %" PRIu64, key, n);
        book_line(ledger_fd, "T %s %" PRId64, value, at_us);
        publish(g, topic, key, value, at_us);
        note("S %s 0", value);
    }
    gc_disconnect(g);
    return NULL;
}

/* ---- members ---- */

struct member {
    gc_client *g;
    gc_chan c;
    char value[VALUE_BYTES];  /* of the message at hand */
    char before[VALUE_BYTES]; /* acknowledged by itself, in this session, and not said yet; "": none */
};

static gc_chan subscribe(gc_client *g, const char *topics, uint64_t capacity)
{
    struct gc_subscribe_options options = {.size = sizeof(options),
                                           .capacity = capacity,
                                           .from = GC_FROM_START,
                                           .group = group,
                                           .settings = settings};
    char pattern[NAME_BYTES];
    gc_chan c;
    int r;

    snprintf(pattern, sizeof(pattern), "%s.>", topics);
    do
        must("subscribe", r = gc_subscribe(g, pattern, &options, &c, GC_FOREVER));
    while (r < 0);
    return c;
}

static uint64_t number_of(const char *value)
{
    const char *number = strchr(value, ' ');

    if (!number)
        errx(1, "'%s' was never published", value);
    return strtoull(number + 1, NULL, 10);
}

static int commit(struct member *member, struct gc_value *v)
{
    char topic[NAME_BYTES];
    gc_txn *txn = gc_txn_begin(member->g);
    int r = txn ? gc_txn_ack(txn, v) : -ENOMEM;

    snprintf(topic, sizeof(topic), "%s.%s.done", RECEIPTS, group);
    if (r == 0)
        r = gc_txn_publish(txn, topic, gc_string(member->value), NULL);
    if (r == 0)
        r = gc_txn_commit(txn, NULL, GC_FOREVER);
    if (r < 0)
        gc_txn_drop(txn);
    return r;
}

/* Where nothing is answered it may come again. */
static int settle(struct member *member, struct gc_value *v)
{
    int r;

    if (number_of(member->value) % 2 == 0) {
        r = gc_ack(member->g, v);
        snprintf(member->before, sizeof(member->before), "%s", r == 0 ? member->value : "");
        return r;
    }
    r = commit(member, v);
    if (r == -ESTALE)
        return 0; /* somebody else has it by now */
    if (r < 0)
        return r;
    if (*member->before)
        note("A %s", member->before);
    note("A %s", member->value);
    *member->before = 0;
    return 0;
}

static void read_value(const struct gc_value *v, char *to)
{
    snprintf(to, VALUE_BYTES, "%.*s", (int)v->size, (const char *)v->data);
}

/* A daemon or session that is gone takes the membership with it. */
static void rejoin(struct member *member)
{
    *member->before = 0;
    member->c = subscribe(member->g, KEPT, CAPACITY);
}

static void *member(void *unused)
{
    struct member member = {.g = survivor()};

    for (rejoin(&member); !stop;) {
        struct gc_value v = {0};
        int r = gc_recv(member.g, member.c, &v, GC_HOLD, gc_after_ms(PATIENCE_MS));

        if (r == 1) {
            read_value(&v, member.value);
            note("R %s %d", member.value, (v.flags & GC_REDELIVERED) != 0);
            r = settle(&member, &v);
        }
        gc_value_clear(&v);
        must("member", r == -ETIMEDOUT ? 0 : r);
        if (survivor_lost(r))
            rejoin(&member);
    }
    gc_disconnect(member.g);
    return NULL;
}

/* ---- what is left ---- */

static void note_one(const char *value, const struct gc_value *v)
{
    if (strcmp(value, END) == 0)
        return;
    if (group)
        note("R %s %d", value, (v->flags & GC_REDELIVERED) != 0);
    else
        note("L %s %" PRIu64 " %" PRId64, value, gc_message(v)->sequence, gc_message(v)->time_us);
}

/* One at a time: so all else that is there comes before the message that ends it. */
static int read_all(const char *topics)
{
    gc_client *g = survivor();
    char topic[NAME_BYTES], value[VALUE_BYTES];
    struct gc_published end;
    uint64_t at;

    snprintf(topic, sizeof(topic), "%s.%s", topics, END);
    must("publish the end", gc_publish(g, topic, gc_string(END), NULL, &end, GC_FOREVER));
    gc_chan c = subscribe(g, topics, group ? 1 : 0);
    do {
        struct gc_value v;
        int r = gc_recv(g, c, &v, GC_HOLD, GC_FOREVER);
        if (r != 1)
            errx(1, "receive: %s (%s)", gc_strerror(r), gc_why());
        read_value(&v, value);
        note_one(value, &v);
        at = gc_message(&v)->sequence;
        gc_ack(g, &v);
        gc_value_clear(&v);
    } while (at < end.sequence);
    gc_disconnect(g);
    return 0;
}

static int run_threads(void *(*body)(void *), int n)
{
    pthread_t thread[THREADS_MAX];

    for (int i = 0; i < n; i++)
        if (pthread_create(&thread[i], NULL, body, (void *)(intptr_t)i) != 0)
            errx(1, "cannot start thread %d", i);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    return 0;
}

static int threads(const char *text)
{
    int n = atoi(text);

    return n < THREADS_MAX ? n : THREADS_MAX;
}

int main(int argc, char **argv)
{
    const char *what = argc > 3 ? argv[1] : "";

    take_term();
    if (argc > 3)
        ledger_fd = book_open(argv[2]);
    if (argc > 4) {
        group = argv[3];
        settings = argv[4];
    }
    if (argc == 4 && !strcmp(what, "publish"))
        return run_threads(publisher, threads(argv[3]));
    if (argc == 4 && !strcmp(what, "later"))
        return run_threads(delayer, threads(argv[3]));
    if (argc == 6 && !strcmp(what, "member"))
        return run_threads(member, threads(argv[5]));
    if (argc == 5 && !strcmp(what, "drain"))
        return read_all(KEPT);
    if (argc == 4 && !strcmp(what, "log"))
        return read_all(argv[3]);
    errx(2,
         "usage: topic_ledger publish | later FILE THREADS | member FILE GROUP SETTINGS THREADS | drain FILE "
         "GROUP SETTINGS | "
         "log FILE TOPICS");
}
