/*
 * A select over channels of the daemon and of this process (IP5.3).
 *
 * Two selects cannot be judged in one step, so only one of them may take: the remote one is started, the local cases are
 * watched without being taken. When one of these stirs, the remote select is cancelled and its one answer awaited. If it
 * says that a case took effect, that one has won, and nothing local was touched; if it was aborted, the local
 * cases are tried, and if what stirred is gone, all begins again.
 *
 * Invariants. A round starts one remote select and leaves with its answer. What it received is held until the caller has
 * it; unwound, it goes back to its channel.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "goclient_chan.h"
#include "goclient_go.h"
#include "goroutine_host.h"

/* Two that watch each other's channel both come to take: for so long each of them stays to be met. */
enum { MEET_US = 500 };

/* What ended a wait of a round. */
enum stir { STIR_REMOTE, STIR_LOCAL };

/* One round: held by its goroutine, and until it was told by the remote select. */
struct round {
    pthread_mutex_t lock;
    int holders;
    bool told; /* `end` is there */
    bool left; /* its goroutine is gone: what was received goes back */
    bool waiting;
    go_wait wait; /* to be made ready, while waiting */
    gc_client *g;
    gc_started started;
    struct gc_end end;
    bool doubt;
    char why[GC_WHY_BYTES];
};

static void round_let_go(struct round *round)
{
    pthread_mutex_lock(&round->lock);
    int left = --round->holders;
    pthread_mutex_unlock(&round->lock);
    if (left)
        return;
    pthread_mutex_destroy(&round->lock);
    free(round);
}

static void end_give_back(gc_client *g, struct gc_end *end)
{
    if (end->value.hold_)
        gc_return(g, &end->value);
    gc_value_clear(&end->value);
    gc_result_clear(&end->result);
}

/* On the service thread. */
static void round_told(gc_client *g, struct gc_end *end, void *arg)
{
    struct round *round = arg;
    pthread_mutex_lock(&round->lock);
    bool left = round->left, waiting = round->waiting;
    go_wait wait = round->wait;
    round->told = true;
    round->waiting = false;
    round->end = *end;
    round->doubt = end->index < 0 && gc_in_doubt();
    snprintf(round->why, sizeof round->why, "%s", end->index < 0 ? gc_why() : "");
    pthread_mutex_unlock(&round->lock);
    if (left)
        end_give_back(g, end);
    if (waiting)
        go_ready(wait, STIR_REMOTE);
    round_let_go(round);
}

static int round_new(gc_client *g, const struct gc_case *cases, size_t n, struct round **out)
{
    struct round *round = calloc(1, sizeof *round);
    if (!round)
        return gc_failed(-ENOMEM, NULL, false);
    pthread_mutex_init(&round->lock, NULL);
    round->holders = 2;
    round->g = g;
    int r = gc_start(g, cases, n, GC_HOLD, round_told, round, &round->started, GC_FOREVER);
    if (r < 0) {
        round->holders = 1;
        round_let_go(round);
        return r;
    }
    *out = round;
    return 0;
}

/* Its goroutine leaves it, unwound or not. */
static void round_leave(struct round **of)
{
    struct round *round = *of;
    if (!round)
        return;
    pthread_mutex_lock(&round->lock);
    bool told = round->told;
    round->left = true;
    pthread_mutex_unlock(&round->lock);
    if (told)
        end_give_back(round->g, &round->end);
    else
        gc_start_cancel(round->g, round->started);
    round_let_go(round);
}

/* ---- waiting ---- */

static bool round_is_told(struct round *round)
{
    pthread_mutex_lock(&round->lock);
    round->waiting = false;
    bool told = round->told;
    pthread_mutex_unlock(&round->lock);
    return told;
}

/* False: it was told already, and the wait is over. */
static bool round_publish(struct round *round, go_wait wait)
{
    pthread_mutex_lock(&round->lock);
    bool told = round->told;
    round->wait = wait;
    round->waiting = !told;
    pthread_mutex_unlock(&round->lock);
    if (told)
        go_wait_cancel(wait);
    return !told;
}

static void watch_end(go_watch **watch)
{
    go_watch_end(*watch);
}

/* STIR_LOCAL: a local case may be ready. STIR_REMOTE: told. Negative: `until` is over, or memory. */
static int round_wait(struct round *round, const struct go_case *local, int n, go_until until)
{
    _cleanup_(watch_end) go_watch *watch = NULL;
    go_wait wait = go_wait_begin();
    if (!round_publish(round, wait))
        return STIR_REMOTE;
    int r = go_watch_begin(wait, local, n, STIR_LOCAL, &watch);
    if (r == 0)
        r = go_park(wait, "select, mixed", 0, until);
    else
        go_wait_cancel(wait);
    return round_is_told(round) ? STIR_REMOTE : r == 1 ? STIR_LOCAL : r;
}

/* Its one answer is awaited, whatever becomes of the caller's scope (IP1.1). */
static void round_end(struct round *round)
{
    gc_start_cancel(round->g, round->started);
    while (!round_is_told(round)) {
        go_wait wait = go_wait_begin();
        if (round_publish(round, wait))
            go_park(wait, "goroutined", GO_PARK_MASKED, GO_FOREVER);
    }
}

/* ---- what it brought ---- */

static int take_value(struct round *round, struct gc_case *k, bool hold)
{
    struct gc_value *v = &round->end.value;
    int r = !hold && v->hold_ ? gc_ack(round->g, v) : 0;
    if (r < 0)
        return r; /* its session is over: the value is somebody else's */
    if (!hold)
        v->hold_ = 0;
    *k->recv = *v;
    *v = (struct gc_value){0};
    return 0;
}

/* The remote case that took effect: its index, or why it is lost. */
static int round_take(struct round *round, struct gc_case *cases, unsigned flags)
{
    struct gc_case *k = &cases[round->end.index];
    if (round->end.doubt)
        cases[round->end.doubt - 1].doubt = true;
    int r = k->kind == GC_CASE_RECV ? take_value(round, k, flags & GC_HOLD) : 0;
    if (r < 0)
        return r;
    k->status = round->end.status;
    if (k->kind == GC_CASE_JOB && k->result) {
        *k->result = round->end.result;
        round->end.result = (struct gc_result){0};
    }
    return round->end.index;
}

enum { ROUND_ABORTED = -1000000 }; /* no errno value: nothing remote has happened */

/* One round to its end: the index of the remote case that won, ROUND_ABORTED with *stir, or a failure. */
static int round_run(gc_client *g, struct gc_case *remote, size_t n, const struct go_case *local, int local_n,
                     unsigned flags, go_until until, int *stir)
{
    _cleanup_(round_leave) struct round *round = NULL;
    int r = round_new(g, remote, n, &round);
    if (r < 0)
        return r;
    *stir = round_wait(round, local, local_n, until);
    if (*stir != STIR_REMOTE)
        round_end(round);
    if (round->end.index >= 0)
        return round_take(round, remote, flags);
    bool aborted = *stir != STIR_REMOTE && round->end.index == -ECANCELED && !round->doubt;
    return aborted ? ROUND_ABORTED : gc_failed(round->end.index, round->why, round->doubt);
}

/* ---- the select ---- */

/* The local cases are tried, and stayed at for a moment. -EAGAIN: what stirred is gone. */
static int local_take(struct go_case *local, int n, go_until until)
{
    go_until meet = go_both(go_after_us(MEET_US), until.ctx);
    int r = go_select(local, n, until.ns < meet.ns ? until : meet);
    return r == -ETIMEDOUT ? -EAGAIN : r;
}

static bool draw(void)
{
    static atomic_ulong draws;
    uint64_t x = (atomic_fetch_add(&draws, 1) + 1) * 0x9e3779b97f4a7c15u;
    return (x ^ x >> 31) >> 60 & 1;
}

/* Both as they are now, in either order (S2). -EAGAIN: nothing is ready. */
static int try_both(gc_client *g, struct gc_case *remote, size_t n, struct go_case *local, int local_n,
                    unsigned flags)
{
    bool local_first = draw();
    int r = local_first ? go_select(local, local_n, GO_NOW) : -EAGAIN;
    if (r >= 0)
        return (int)n + r;
    if (r == -EAGAIN)
        r = gc_select(g, remote, n, flags, GC_NOW);
    if (r != -EAGAIN || local_first)
        return r;
    r = go_select(local, local_n, GO_NOW);
    return r >= 0 ? (int)n + r : r;
}

GC_API int gc_go_select(gc_client *g, struct gc_case *remote, size_t n, struct go_case *local, int local_n,
                        unsigned flags, go_until until)
{
    int stir, r;
    if (local_n < 1 || n < 1)
        return gc_failed(-EINVAL, "a mixed select has local and remote cases", false);
    for (size_t i = 0; i < n; i++)
        remote[i].doubt = false;
    r = try_both(g, remote, n, local, local_n, flags);
    if (r != -EAGAIN || until.ns == GO_NS_NOW)
        return r;
    for (;;) {
        r = round_run(g, remote, n, local, local_n, flags, until, &stir);
        if (r != ROUND_ABORTED)
            return r;
        if (stir < 0)
            return gc_failed(stir, NULL, false);
        r = local_take(local, local_n, until);
        if (r != -EAGAIN)
            return r >= 0 ? (int)n + r : gc_failed(r, NULL, false);
    }
}
