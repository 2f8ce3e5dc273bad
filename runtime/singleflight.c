/*
 * Flights: calls of a function under a key, each flown by one caller while others with that key wait for its answer.
 *
 * Invariants, under the group's lock: a flight in the table has not landed; a flight lives while somebody uses it: the one
 * who flies it, and each who waits for it without a channel. `end`, `answer` and `panic` are set once, at the landing, and read only
 * after it. A flight that was forgotten lands unseen by those that came later (SF2).
 */
#define HASH_NONFATAL_OOM 1 /* a refused insert is an outcome (-ENOMEM), not an exit */
#include <uthash.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "goroutine_sync.h"
#include "launch.h"
#include "queue.h"

struct flights {
    size_t value_bytes;
    struct flight *table; /* lock */
    struct lock lock;
    _Atomic(const void *) self;
};

static_assert(sizeof(struct flights) <= sizeof(go_singleflight), "go_singleflight has room for it");
static_assert(offsetof(struct flights, value_bytes) == offsetof(go_singleflight, value_bytes),
              "set by the user");

enum flight_end { FLIGHT_EXITED, FLIGHT_RETURNED, FLIGHT_PANICKED };

struct flight {
    UT_hash_handle hh;
    struct flights *flights;
    int (*fn)(void *value, void *arg);
    void *arg;
    int users, callers;           /* lock */
    bool listed;                  /* lock */
    struct list waiters, chans;   /* lock; struct waiter, struct chan_caller */
    const struct go_group *group; /* of who flies it, as the bubble; compared, never followed */
    const struct bubble *bubble;
    bool returned; /* the flier's own */
    enum flight_end end;
    char *panic;
    struct go_flight *answer; /* and the value behind it; then the key */
};

/* One call of the form with a channel, and behind it the copy of the argument: that of the first is what flies. */
struct chan_caller {
    struct list link;
    go_chan *c;
};

/* ---- the table: under the lock ---- */

static size_t answer_bytes(const struct flights *s)
{
    return sizeof(struct go_flight) + s->value_bytes;
}

static struct flight *flight_find(struct flights *s, go_key key)
{
    struct flight *f;

    HASH_FIND(hh, s->table, key.data, key.bytes, f);
    return f;
}

static struct flight *flight_delete(struct flight *f)
{
    free(f->answer);
    free(f->panic);
    free(f);
    return NULL;
}

static struct flight *flight_new(struct flights *s, go_key key)
{
    const struct g *g = g_self();
    struct flight *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->flights = s;
    f->users = f->callers = 1;
    list_init(&f->waiters);
    list_init(&f->chans);
    f->group = g->group;
    f->bubble = g->bubble;
    f->answer = calloc(1, answer_bytes(s) + key.bytes);
    if (!f->answer)
        return flight_delete(f);
    memcpy((unsigned char *)f->answer + answer_bytes(s), key.data, key.bytes);
    HASH_ADD_KEYPTR(hh, s->table, (unsigned char *)f->answer + answer_bytes(s), key.bytes, f);
    if (!f->hh.tbl)
        return flight_delete(f);
    f->listed = true;
    return f;
}

static void flight_unlist(struct flight *f)
{
    if (f->listed)
        HASH_DELETE(hh, f->flights->table, f);
    f->listed = false;
}

/* ---- landing ---- */

static void flight_leave(struct flight *f)
{
    struct flights *s = f->flights;
    bool last;

    lock_take(&s->lock, RANK_CHAN);
    last = --f->users == 0;
    lock_drop(&s->lock);
    if (last)
        flight_delete(f);
}

DEFINE_CLEANUP(struct flight *, flight_leave)

/* Nobody waits: each channel has room for one. After a panic they get nothing. */
static void chans_answer(const struct flight *f, struct list *chans)
{
    struct chan_caller *caller;

    while ((caller = list_first(chans, struct chan_caller, link))) {
        list_remove(&caller->link);
        if (f->end != FLIGHT_PANICKED)
            go_chan_send(caller->c, f->answer, GO_NOW);
        go_chan_unref(caller->c);
        free(caller);
    }
}

/* True: somebody waits on a channel. */
static bool flight_land(struct flight *f, enum flight_end end, const char *panic)
{
    struct flights *s = f->flights;
    struct wake_list wakes;
    struct list chans;
    struct waiter *w;
    bool watched;

    wake_list_init(&wakes);
    list_init(&chans);
    lock_take(&s->lock, RANK_CHAN);
    flight_unlist(f);
    f->end = end;
    f->panic = panic ? strdup(panic) : NULL;
    f->answer->shared = f->callers > 1;
    if (end == FLIGHT_EXITED)
        f->answer->result = -ECANCELED;
    list_splice(&chans, &f->chans);
    while ((w = waiter_claim(&f->waiters)))
        wake_later(&wakes, w->g);
    lock_drop(&s->lock);
    wake_all(&wakes);
    watched = !list_empty(&chans);
    chans_answer(f, &chans);
    return watched;
}

/* ---- flying ---- */

/* After what the function has deferred. The flier's panic is that of every caller, in flight_answer; but nobody may recover
 * it who would leave a channel without its answer (SF3). */
static void flight_end(void *p)
{
    struct flight *f = p;
    const char *panic = go_recover();
    bool watched;

    if (panic)
        watched = flight_land(f, FLIGHT_PANICKED, panic);
    else
        watched = flight_land(f, f->returned ? FLIGHT_RETURNED : FLIGHT_EXITED, NULL);
    if (panic && watched)
        panic_fatal("%s", f->panic);
}

static void flight_frame(void *p)
{
    struct flight *f = p;

    go_defer(flight_end, f);
    f->answer->result = f->fn(f->answer + 1, f->arg);
    f->returned = true;
}

/* ---- calls ---- */

/* Lock held and dropped: waits until the flight has landed. Those beside the flier alone can end that. */
static void flight_wait(struct flight *f)
{
    struct g *g = g_self();
    struct waiter w = {.outcome = 0};
    bool near = scope_has(g) && f->group == g->group && f->bubble == g->bubble;

    wait_check(g, queue_wait(&f->waiters, &f->flights->lock, &w, false, "singleflight",
                             near ? WAIT_BUBBLE | WAIT_GROUP : 0));
}

/* What every caller does with a flight that has landed. */
static int flight_answer(const struct flight *f, void *value, int *shared)
{
    if (f->end == FLIGHT_PANICKED)
        go_panic("%s", f->panic);
    if (f->end == FLIGHT_EXITED)
        go_exit();
    if (value)
        memcpy(value, f->answer + 1, f->flights->value_bytes);
    if (shared)
        *shared = f->answer->shared;
    return f->answer->result;
}

static struct flights *flights_of(go_singleflight *flights)
{
    struct flights *s = (struct flights *)flights;

    copy_check(&s->self, s, "singleflight");
    return s;
}

int go_singleflight_do(go_singleflight *flights, go_key key, int (*fn)(void *value, void *arg), void *arg,
                       void *value, int *shared)
{
    struct flights *s = flights_of(flights);
    _cleanup_(flight_leavep) struct flight *f = NULL;

    if (key.bytes > GO_KEY_BYTES_MAX)
        return -EINVAL;
    lock_take(&s->lock, RANK_CHAN);
    f = flight_find(s, key);
    if (f) {
        f->users++;
        f->callers++;
        flight_wait(f);
        return flight_answer(f, value, shared);
    }
    f = flight_new(s, key);
    lock_drop(&s->lock);
    if (!f)
        return -ENOMEM;
    f->fn = fn;
    f->arg = arg;
    go_call(flight_frame, f);
    return flight_answer(f, value, shared);
}

static void flight_goroutine(void *p)
{
    _cleanup_(flight_leavep) struct flight *f = p;

    go_call(flight_frame, f);
}

/* Those that joined meanwhile get the error, too. */
static void flight_start(struct flight *f, void *pc)
{
    int r = spawn_for(flight_goroutine, f, "go_singleflight_chan", pc);

    if (r == 0)
        return;
    f->answer->result = r;
    flight_land(f, FLIGHT_RETURNED, NULL);
    flight_leave(f);
}

/* Adds the caller to the flight that there is, or to a new one. 1 it has to be started, 0, -ENOMEM. */
static int chan_join(struct flights *s, go_key key, struct chan_caller *caller, struct flight **joined)
{
    struct flight *f;
    bool fresh;

    lock_take(&s->lock, RANK_CHAN);
    f = flight_find(s, key);
    fresh = !f;
    if (f)
        f->callers++;
    else
        f = flight_new(s, key);
    if (f)
        list_append(&f->chans, &caller->link);
    lock_drop(&s->lock);
    *joined = f;
    return f ? fresh : -ENOMEM;
}

go_receiver go_singleflight_chan(go_singleflight *flights, go_key key, int (*fn)(void *value, void *arg),
                                 const void *arg, size_t arg_bytes)
{
    struct flights *s = flights_of(flights);
    go_chan *c = go_chan_new(answer_bytes(s), 1);
    bool fits = c && key.bytes <= GO_KEY_BYTES_MAX && arg_bytes <= GO_ARG_BYTES_MAX;
    void *copy;
    struct chan_caller *caller = fits ? arg_block(sizeof *caller, arg, arg_bytes, &copy) : NULL;
    struct flight *f;
    int joined;

    if (!caller)
        return go_chan_receiver(go_chan_unref(c));
    caller->c = go_chan_ref(c);
    joined = chan_join(s, key, caller, &f);
    if (joined == 1) {
        f->fn = fn;
        f->arg = copy;
        flight_start(f, __builtin_return_address(0));
    } else if (joined < 0) {
        go_chan_unref(caller->c);
        free(caller);
        c = go_chan_unref(c);
    }
    return go_chan_receiver(c);
}

void go_singleflight_forget(go_singleflight *flights, go_key key)
{
    struct flights *s = flights_of(flights);
    struct flight *f;

    if (key.bytes > GO_KEY_BYTES_MAX)
        return;
    lock_take(&s->lock, RANK_CHAN);
    f = flight_find(s, key);
    if (f)
        flight_unlist(f);
    lock_drop(&s->lock);
}
