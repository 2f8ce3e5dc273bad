/*
 * G58 What one goroutine has written, and which others may read it: those who have learnt of the write by an edge.
 *
 * Pattern: message passing. The message itself is plain memory. Send and receive, unlock and lock, close and the receive
 * that sees it, done and wait, the end of a once and the return of every other, spawn and the start of the goroutine: each
 * orders the write before the read.
 */
#include "guide.h"

enum { ROUNDS = 100000 };

struct round {
    int number, message; /* plain */
    go_chan *c;
    go_mutex lock; /* held until the message is written */
    go_waitgroup written;
    go_once once;
};

static void write_message(void *arg)
{
    struct round *round = arg;

    round->message = round->number;
}

enum edge { SEND, UNLOCK, CLOSE, DONE, ONCE, EDGES };

/* The write, and then the first half of the edge. */
static void write_and_tell(struct round *round, enum edge edge)
{
    if (edge == ONCE)
        go_once_do(&round->once, write_message, round);
    else
        write_message(round);
    if (edge == SEND)
        must(go_chan_send(round->c, NULL, GO_FOREVER) == 0);
    if (edge == UNLOCK)
        go_mutex_unlock(&round->lock);
    if (edge == CLOSE)
        must(go_chan_close(round->c) == 0);
    if (edge == DONE)
        go_waitgroup_done(&round->written);
}

/* The other half. */
static void learn(struct round *round, enum edge edge)
{
    if (edge == SEND || edge == CLOSE)
        must(go_chan_recv(round->c, NULL, GO_FOREVER) == (edge == SEND));
    if (edge == UNLOCK)
        go_mutex_lock(&round->lock);
    if (edge == DONE)
        go_waitgroup_wait(&round->written);
    if (edge == ONCE)
        go_once_do(&round->once, write_message, round); /* whoever comes first writes */
}

static void check(void *arg)
{
    const struct round *round = arg;

    /* "the reader sees the write in each of 100,000 rounds" */
    must(round->message == round->number);
}

struct writer {
    enum edge edge;
    go_chan *begin, *end; /* of struct round *; of nothing */
};

static void write_rounds(void *arg)
{
    const struct writer *me = arg;
    struct round *round;

    while (go_range(me->begin, &round)) {
        write_and_tell(round, me->edge);
        must(go_chan_send(me->end, NULL, GO_FOREVER) == 0);
    }
}

static void run_round(const struct writer *writer, int number)
{
    struct round round = {.number = number, .c = go_chan_new(0, 0)}, *its = &round;

    go_waitgroup_add(&round.written, 1);
    go_mutex_lock(&round.lock);
    must(go_chan_send(writer->begin, &its, GO_FOREVER) == 0);
    learn(&round, writer->edge);
    check(&round);
    must(go_chan_recv(writer->end, NULL, GO_FOREVER) == 1); /* the round may end */
    go_chan_unref(round.c);
}

static void run_rounds(enum edge edge)
{
    static const char *const names[] = {"send", "unlock", "close", "done", "once"};
    struct writer writer = {edge, go_chan_new(sizeof(struct round *), 0), go_chan_new(0, 0)};

    must(go_spawn(write_rounds, &writer, 0) == 0);
    for (int i = 1; i <= ROUNDS; i++)
        run_round(&writer, i);
    must(go_chan_close(writer.begin) == 0);
    until_live(1);
    go_chan_unref(writer.begin);
    go_chan_unref(writer.end);
    say("%s: %d rounds", names[edge], ROUNDS);
}

static void run_spawns(void)
{
    for (int i = 1; i <= ROUNDS; i++) {
        struct round round = {.number = i};
        go_waitgroup joined = {0};

        write_message(&round);
        must(go_waitgroup_go(&joined, check, &round, 0) == 0);
        go_waitgroup_wait(&joined);
    }
    say("spawn: %d rounds", ROUNDS);
}

static void memory_model(void)
{
    for (enum edge edge = SEND; edge < EDGES; edge++)
        run_rounds(edge);
    run_spawns();
    /* "for each edge: send, unlock, close, done, once, spawn" */
    must(said(LINES("send: 100000 rounds", "unlock: 100000 rounds", "close: 100000 rounds",
                    "done: 100000 rounds", "once: 100000 rounds", "spawn: 100000 rounds")));
}

struct flagged {
    volatile int message; /* plain, too: it only keeps the compiler from reading it before the flag */
    atomic_bool written, read;
};

static void write_and_flag(void *arg)
{
    struct flagged *flagged = arg;

    flagged->message = 42;
    atomic_store_explicit(&flagged->written, true, memory_order_relaxed);
    while (!atomic_load_explicit(&flagged->read, memory_order_relaxed))
        continue;
}

/* Wrong: a relaxed flag tells that it was written, and orders nothing. */
static void no_edge(void)
{
    struct flagged flagged = {0};

    must(go_spawn(write_and_flag, &flagged, 0) == 0);
    while (!atomic_load_explicit(&flagged.written, memory_order_relaxed))
        continue;
    say("read %d", flagged.message);
    atomic_store_explicit(&flagged.read, true, memory_order_relaxed);
    until_live(1);
}

/* "the race build is silent with the edge" */
GUIDE_ROW(G58, memory_model);
/* "the race build reports with the edge removed" */
GUIDE_PART(G58, no_edge, .ends = ENDS_IN_RACE, .says = {"write_and_flag"},
           .no_job = "a race is not for a job");
