/*
 * Races of a cancel against a send, and of giving back against receiving (IP1, IP11.3): what was sent is what was
 * received, each value once.
 *
 *     races COUNT
 *
 * A sender sends numbers, each with a context that another thread cancels after a random while; a receiver of another
 * session gives every fourth value back. Each has a client of its own. COUNT races on a channel of capacity 0, as many
 * on one of capacity 1. The ledger is outside of both.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_node.h"
#include "probe.h"

enum { SPIN_MAX = 1 << 16, EVERY = 16 };
enum fate { FATE_NONE, FATE_SENT, FATE_DOUBT, FATE_ABORTED };

struct race {
    gc_client *sender, *receiver;
    gc_chan to, from;
    int n;
    uint8_t *fate, *kept; /* of each number; the first is the sender's, the other the receiver's */
    unsigned long returned;
    gc_ctx *ctx; /* of the race that is on; handed over by `go`, back by `done` */
    sem_t go, done;
    unsigned spin;
};

static struct node node;

static unsigned draw(unsigned *seed)
{
    return *seed = *seed * 1664525 + 1013904223;
}

/* ---- the three threads ---- */

static void *cancel(void *arg)
{
    struct race *race = arg;

    for (int i = 0; i < race->n; i++) {
        while (sem_wait(&race->go) < 0)
            ;
        for (volatile unsigned spin = race->spin; spin; spin--)
            ;
        gc_ctx_cancel(race->ctx);
        sem_post(&race->done);
    }
    return NULL;
}

static enum fate fate_of(int r)
{
    if (r == 0)
        return FATE_SENT;
    if (r != -ECANCELED)
        errx(1, "send: %s", gc_why());
    return gc_in_doubt() ? FATE_DOUBT : FATE_ABORTED;
}

/* One in sixteen is cancelled before it begins, and one only when it has been sent. */
static void send_number(struct race *race, int number, unsigned *seed)
{
    race->ctx = gc_ctx_new(race->sender);
    race->spin = draw(seed) % SPIN_MAX;
    if (!race->ctx)
        errx(1, "no context");
    if (number % EVERY == 0)
        gc_ctx_cancel(race->ctx);
    if (number % EVERY != 1)
        sem_post(&race->go);
    int r = gc_send(race->sender, race->to, gc_bytes(&number, sizeof(number)), gc_with(race->ctx));
    race->fate[number] = (uint8_t)fate_of(r);
    if (number % EVERY == 1)
        sem_post(&race->go);
    while (sem_wait(&race->done) < 0)
        ;
    race->ctx = gc_ctx_free(race->ctx);
}

static void *send_all(void *arg)
{
    struct race *race = arg;
    unsigned seed = (unsigned)race->n;

    for (int number = 0; number < race->n; number++)
        send_number(race, number, &seed);
    if (gc_close(race->sender, race->to, GC_FOREVER) < 0)
        errx(1, "close: %s", gc_why());
    return NULL;
}

static void take(struct race *race, struct gc_value *v, bool give_back)
{
    int number, r;

    if (v->size != sizeof(number) || v->flags & GC_REDELIVERED)
        errx(1, "a value of %zu bytes, flags %u, and nobody died", v->size, v->flags);
    memcpy(&number, v->data, sizeof(number));
    if (give_back) {
        race->returned++;
        r = gc_return(race->receiver, v);
    } else {
        race->kept[number]++;
        r = gc_ack(race->receiver, v);
    }
    if (r < 0)
        errx(1, "settle: %s", gc_why());
    gc_value_clear(v);
}

static void receive_all(struct race *race)
{
    struct gc_value v;
    unsigned seed = 7;
    int r;

    while ((r = gc_recv(race->receiver, race->from, &v, GC_HOLD, GC_FOREVER)) > 0)
        take(race, &v, !(v.flags & GC_RETURNED) && draw(&seed) >> 30 == 0);
    if (r < 0)
        errx(1, "receive: %s", gc_why());
}

/* ---- the judge ---- */

static void judge(const struct race *race, uint64_t capacity)
{
    unsigned long sent = 0, doubt = 0, aborted = 0, kept = 0;

    for (int i = 0; i < race->n; i++) {
        sent += race->fate[i] == FATE_SENT;
        doubt += race->fate[i] == FATE_DOUBT;
        aborted += race->fate[i] == FATE_ABORTED;
        kept += race->kept[i];
        if (race->kept[i] > 1)
            errx(1, "%d was received %d times", i, race->kept[i]);
        if (race->fate[i] == FATE_SENT && !race->kept[i])
            errx(1, "%d was sent and is lost", i);
        if (race->fate[i] == FATE_ABORTED && race->kept[i])
            errx(1, "%d was surely not sent, and received", i);
    }
    printf("capacity %" PRIu64
           ": %d races, %lu sent, %lu aborted, %lu in doubt, %lu received, %lu given back\n",
           capacity, race->n, sent, aborted, doubt, kept, race->returned);
    if (!sent || !aborted || !race->returned)
        errx(1, "that was no race");
}

static void run_race(int n, uint64_t capacity)
{
    struct race race = {
        .sender = probe_client(node.endpoint, 0), .receiver = probe_client(node.endpoint, 0), .n = n};
    pthread_t sender, canceller;

    race.fate = calloc((size_t)n, 1);
    race.kept = calloc((size_t)n, 1);
    sem_init(&race.go, 0, 0);
    sem_init(&race.done, 0, 0);
    if (gc_make(race.sender, "race", capacity, &race.to, GC_FOREVER) < 0 ||
        gc_make(race.receiver, "race", capacity, &race.from, GC_FOREVER) < 0)
        errx(1, "make: %s", gc_why());
    if (pthread_create(&sender, NULL, send_all, &race) || pthread_create(&canceller, NULL, cancel, &race))
        errx(1, "no thread");
    receive_all(&race);
    pthread_join(sender, NULL);
    pthread_join(canceller, NULL);
    judge(&race, capacity);
    if (gc_unlink(race.sender, "race", GC_FOREVER) < 0)
        errx(1, "unlink: %s", gc_why());
    gc_disconnect(race.sender);
    gc_disconnect(race.receiver);
    free(race.fate);
    free(race.kept);
}

int main(int argc, char **argv)
{
    char *flags[] = {"--ephemeral", NULL};
    int n = argc == 2 ? atoi(argv[1]) : 0;

    if (n < 1)
        errx(2, "usage: races COUNT");
    node_make(&node);
    node_start(&node, flags);
    run_race(n, 0);
    run_race(n, 1);
    node_stop(&node);
    node_remove(&node);
    return 0;
}
