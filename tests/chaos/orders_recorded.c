/*
 * Records what several sessions do with a reader-writer lock, a semaphore, a counter, a once and a context, and asks of each
 * object whether its history can be explained (IP11.2). The check proves itself: into each history that can be, one call
 * is put that must not have happened, and the check has to say so.
 *
 *     orders_recorded ROUNDS [SEED]
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon_node.h"
#include "goclient.h"
#include "goclient_context.h"
#include "orders.h"
#include "probe.h"

enum { PLAYERS = 3, CALLS_EACH = 14, WAIT_MS = 2, UNITS = 3 };

static struct node node;
static const char *const kind_names[ORDER_KINDS] = {"rwmutex", "semaphore", "counter", "once", "context"};

/* One session, by one thread. `order` is its part of the history of each object. */
struct player {
    gc_client *g;
    uint8_t number;
    unsigned seed;
    char name[ORDER_KINDS][32];
    gc_ctx *ctx;
    struct order order[ORDER_KINDS];
    uint64_t token; /* it writes; 0: it does not */
    int reads;
    int64_t units;
    bool ran; /* in this call */
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static unsigned draw(struct player *player, unsigned n)
{
    player->seed = player->seed * 1664525 + 1013904223;
    return (player->seed >> 16) % n;
}

static gc_until until_of(struct player *player)
{
    return draw(player, 2) ? GC_NOW : gc_after_ms(WAIT_MS);
}

/* ---- one call ---- */

static struct order_call *begin(struct player *player, enum order_kind kind, enum order_deed deed, int64_t in)
{
    struct order *order = &player->order[kind];
    struct order_call *call = &order->call[order->n++];

    *call = (struct order_call){.process = player->number, .deed = deed, .in = in};
    call->called_ns = now_ns();
    return call;
}

/* True: it took effect. */
static bool end(struct order_call *call, int r)
{
    call->returned_ns = now_ns();
    if (r < 0 && r != -EAGAIN && r != -ETIMEDOUT && r != -EBUSY)
        errx(1, "call: %s", gc_why());
    call->outcome = r >= 0 ? ORDER_OK : r == -ETIMEDOUT ? ORDER_VOID : ORDER_REFUSED;
    return r >= 0;
}

static void play_read(struct player *player)
{
    const char *name = player->name[ORDER_RWMUTEX];
    struct order_call *call = begin(player, ORDER_RWMUTEX, player->reads ? READ_UNLOCK : READ_LOCK, 0);

    if (player->reads)
        player->reads -= end(call, gc_runlock(player->g, name, GC_FOREVER));
    else
        player->reads += end(call, gc_rlock(player->g, name, until_of(player)));
}

static void play_write(struct player *player)
{
    const char *name = player->name[ORDER_RWMUTEX];
    struct order_call *call = begin(player, ORDER_RWMUTEX, player->token ? WRITE_UNLOCK : WRITE_LOCK, 0);
    uint64_t token = 0;

    if (player->token) {
        end(call, gc_rwunlock(player->g, name, player->token, 0, GC_FOREVER));
        player->token = 0;
    } else if (end(call, gc_rwlock(player->g, name, &token, 0, until_of(player)))) {
        player->token = token;
        call->out = (int64_t)token;
    }
}

/* Who reads does not ask to write, which would wait for its own end. */
static void play_rwmutex(struct player *player)
{
    if (player->reads || (!player->token && draw(player, 2)))
        play_read(player);
    else
        play_write(player);
}

static void play_semaphore(struct player *player)
{
    const char *name = player->name[ORDER_SEMAPHORE];
    int64_t units = player->units ? player->units : 1 + draw(player, UNITS);
    struct order_call *call = begin(player, ORDER_SEMAPHORE, player->units ? RELEASE : ACQUIRE, units);

    if (player->units) {
        end(call, gc_sem_release(player->g, name, (uint64_t)units, GC_FOREVER));
        player->units = 0;
    } else if (end(call, gc_sem_acquire(player->g, name, UNITS, (uint64_t)units, until_of(player)))) {
        player->units = units;
    }
}

static void play_counter(struct player *player)
{
    const char *name = player->name[ORDER_COUNTER];
    bool waits = draw(player, 4) == 0;
    int64_t in = waits ? draw(player, 6) : (int64_t)draw(player, 5) - 2;
    struct order_call *call = begin(player, ORDER_COUNTER, waits ? AT_LEAST : ADD, in);

    if (waits && end(call, gc_counter_wait(player->g, name, in, &call->out, gc_after_ms(WAIT_MS))))
        return;
    if (!waits)
        end(call, gc_counter_add(player->g, name, in, &call->out, GC_FOREVER));
}

static int run(void *arg)
{
    ((struct player *)arg)->ran = true;
    return 0;
}

static void play_once(struct player *player)
{
    const char *name = player->name[ORDER_ONCE];
    bool resets = draw(player, 3) == 0;
    struct order_call *call = begin(player, ORDER_ONCE, resets ? RESET : JOINED, 0);

    player->ran = false;
    if (resets)
        end(call, gc_sync_reset(player->g, GC_SYNC_ONCE, name, GC_FOREVER));
    else if (end(call, gc_once(player->g, name, run, player, GC_FOREVER)) && player->ran)
        call->deed = RAN;
}

static void use_context(struct player *player)
{
    struct order_call *call = begin(player, ORDER_CONTEXT, USE, 0);
    char beside[48];

    snprintf(beside, sizeof(beside), "%s.uses", player->name[ORDER_CONTEXT]);
    int r = gc_counter_add(player->g, beside, 1, NULL, gc_with(player->ctx));
    call->out = r == -ECANCELED;
    end(call, r == -ECANCELED ? 0 : r);
}

static void ask_context(struct player *player)
{
    struct order_call *call = begin(player, ORDER_CONTEXT, CAUSE, 0);
    struct gc_context_info info = {0};

    end(call, gc_context_info(player->ctx, &info, GC_FOREVER));
    call->out = info.status ? info.code : 0;
}

static void play_context(struct player *player)
{
    unsigned what = draw(player, 8);

    if (what == 0) {
        struct order_call *call = begin(player, ORDER_CONTEXT, CANCEL, player->number + 1);
        int r = gc_context_cancel(player->ctx, (int)call->in, "by a player", GC_FOREVER);
        end(call, r);
        call->out = r;
    } else if (what < 5) {
        use_context(player);
    } else {
        ask_context(player);
    }
}

static void *play(void *arg)
{
    static void (*const plays[ORDER_KINDS])(struct player *) = {play_rwmutex, play_semaphore, play_counter,
                                                                play_once, play_context};
    struct player *player = arg;

    for (int i = 0; i < CALLS_EACH * ORDER_KINDS; i++) {
        enum order_kind kind = draw(player, ORDER_KINDS);
        if (player->order[kind].n < CALLS_EACH)
            plays[kind](player);
    }
    while (player->reads || player->token)
        play_rwmutex(player);
    while (player->units)
        play_semaphore(player);
    return NULL;
}

/* ---- a round ---- */

static struct player players[PLAYERS];
static gc_client *observer;

static void set_up(unsigned round, unsigned seed)
{
    for (int i = 0; i < PLAYERS; i++) {
        struct player *player = &players[i];
        gc_client *g = player->g;
        *player = (struct player){.g = g, .number = (uint8_t)i, .seed = seed * PLAYERS + (unsigned)i};
        for (int k = 0; k < ORDER_KINDS; k++)
            snprintf(player->name[k], sizeof(player->name[k]), "order.%u.%s", round, kind_names[k]);
        const char *name = player->name[ORDER_CONTEXT];
        struct gc_context_options options = {
            .size = sizeof(options), .name = name, .flags = GC_CONTEXT_DETACHED};
        int r = i == 0 ? gc_context_derive(g, NULL, &options, &player->ctx, GC_FOREVER)
                       : gc_context_open(g, name, &player->ctx, GC_FOREVER);
        if (r < 0)
            errx(1, "context: %s", gc_why());
    }
}

/* IP11.4: nothing is left of a round. */
static void clear(void)
{
    char beside[48];

    snprintf(beside, sizeof(beside), "%s.uses", players[0].name[ORDER_CONTEXT]);
    gc_sync_reset(observer, GC_SYNC_COUNTER, beside, GC_FOREVER);
    gc_sync_reset(observer, GC_SYNC_COUNTER, players[0].name[ORDER_COUNTER], GC_FOREVER);
    gc_sync_reset(observer, GC_SYNC_ONCE, players[0].name[ORDER_ONCE], GC_FOREVER);
    if (gc_context_drop(players[0].ctx, GC_FOREVER) < 0)
        errx(1, "drop: %s", gc_why());
    for (int i = 0; i < PLAYERS; i++) {
        players[i].ctx = gc_ctx_free(players[i].ctx);
        if (gc_ping(players[i].g, GC_FOREVER) < 0)
            errx(1, "ping: %s", gc_why());
    }
    static const char *const none[] = {"ops.parked", "syncs", "syncs.holds", "contexts", "results.kept"};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        probe_await(observer, none[i], 0);
}

static void record(unsigned round, unsigned seed)
{
    pthread_t threads[PLAYERS];

    set_up(round, seed);
    for (int i = 0; i < PLAYERS; i++)
        if (pthread_create(&threads[i], NULL, play, &players[i]))
            errx(1, "no thread");
    for (int i = 0; i < PLAYERS; i++)
        pthread_join(threads[i], NULL);
}

static struct order gather(enum order_kind kind)
{
    struct order all = {.kind = kind, .units = UNITS};

    for (int i = 0; i < PLAYERS; i++)
        for (int k = 0; k < players[i].order[kind].n; k++) {
            if (all.n == ORDER_CALLS)
                errx(1, "a history of too many calls");
            all.call[all.n++] = players[i].order[kind].call[k];
        }
    return all;
}

/* ---- histories that are wrong ---- */

static const enum order_deed begins[] = {WRITE_LOCK, ACQUIRE, ADD, RAN, CANCEL};

/* Whether another call of this deed took effect, perhaps, between the two times. */
static bool meanwhile(const struct order *order, enum order_deed deed, int64_t from, int64_t to)
{
    for (int i = 0; i < order->n; i++)
        if (order->call[i].deed == deed && order->call[i].called_ns <= to &&
            order->call[i].returned_ns >= from)
            return true;
    return false;
}

/* What must not be, just behind a call that took effect: true when it is sure to be wrong there. */
static bool forbidden(const struct order *order, const struct order_call *first, struct order_call *wrong)
{
    int64_t from = first->returned_ns, to = from + 2;

    *wrong = (struct order_call){
        .called_ns = from + 1, .returned_ns = to, .process = PLAYERS, .deed = first->deed, .in = first->in};
    switch (order->kind) {
    case ORDER_RWMUTEX:
        wrong->deed = READ_LOCK;
        return !meanwhile(order, WRITE_UNLOCK, from, to);
    case ORDER_SEMAPHORE:
        wrong->in = UNITS;
        return !meanwhile(order, RELEASE, from, to);
    case ORDER_COUNTER:
        wrong->deed = AT_LEAST;
        wrong->in = wrong->out = first->out + 1000;
        return true;
    case ORDER_ONCE:
        return !meanwhile(order, RESET, first->called_ns, to);
    default:
        wrong->deed = USE;
        return first->out == 1;
    }
}

static bool doctor(const struct order *order)
{
    struct order wrong = *order;

    for (int i = 0; i < order->n && order->n < ORDER_CALLS; i++) {
        const struct order_call *first = &order->call[i];
        if (first->deed != begins[order->kind] || first->outcome != ORDER_OK ||
            !forbidden(order, first, &wrong.call[order->n]))
            continue;
        wrong.n = order->n + 1;
        if (order_check(&wrong) == 1) {
            order_print(&wrong);
            errx(1, "%s: the last call must not have been, and nobody noticed", kind_names[order->kind]);
        }
        return true;
    }
    return false;
}

static void judge(unsigned seed, unsigned long *doctored, unsigned long *given_up)
{
    for (int kind = 0; kind < ORDER_KINDS; kind++) {
        struct order order = gather((enum order_kind)kind);
        int r = order_check(&order);
        if (r == 0) {
            order_print(&order);
            errx(1, "%s of seed %u cannot be explained", kind_names[kind], seed);
        }
        *given_up += r < 0;
        doctored[kind] += r == 1 && doctor(&order);
    }
}

int main(int argc, char **argv)
{
    char *flags[] = {"--ephemeral", NULL};
    unsigned long doctored[ORDER_KINDS] = {0}, given_up = 0;

    if (argc < 2)
        errx(2, "usage: orders_recorded ROUNDS [SEED]");
    unsigned rounds = (unsigned)atoi(argv[1]),
             seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)time(NULL);
    printf("seed %u\n", seed);
    fflush(stdout);
    node_make(&node);
    node_start(&node, flags);
    observer = probe_client(node.endpoint, 0);
    for (int i = 0; i < PLAYERS; i++)
        players[i].g = probe_client(node.endpoint, 0);
    for (unsigned round = 0; round < rounds; round++) {
        record(round, seed + round);
        judge(seed + round, doctored, &given_up);
        clear();
    }
    for (int i = 0; i < PLAYERS; i++)
        gc_disconnect(players[i].g);
    gc_disconnect(observer);
    node_stop(&node);
    node_remove(&node);
    printf("%u rounds, %lu too hard to search; wrong and found:", rounds, given_up);
    for (int kind = 0; kind < ORDER_KINDS; kind++)
        printf(" %s %lu", kind_names[kind], doctored[kind]);
    printf("\n");
    for (int kind = 0; kind < ORDER_KINDS; kind++)
        if (!doctored[kind] || given_up > rounds / 10)
            errx(1, "that proves little");
    return 0;
}
