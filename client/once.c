/*
 * What one caller of all processes runs, and the others wait for: onces and flights.
 *
 * Whoever runs is known here by the goroutine or thread, so that it does not wait for itself (O3). However the function
 * ends, by a return or by unwinding, the daemon is told.
 */
#include <errno.h>
#include <pthread.h>

#include "cleanup.h"
#include "last.h"
#include "taking.h"

/* One run of this process. */
struct running {
    struct list link; /* of `runs` */
    gc_client *g;
    const void *who;
    enum sync_kind kind;
    const char *name;
    uint64_t token;
    bool ended; /* the daemon has been told */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list runs = LIST_INIT(runs);

static const void *caller(gc_client *g)
{
    return g->waiting->begin().who;
}

static bool runs_it(gc_client *g, enum sync_kind kind, const char *name)
{
    const void *who = caller(g);
    const struct running *run;
    bool found = false;

    pthread_mutex_lock(&lock);
    list_each (run, &runs, link)
        found |= run->g == g && run->who == who && run->kind == kind && name && strcmp(run->name, name) == 0;
    pthread_mutex_unlock(&lock);
    return found;
}

static void run_enter(struct running *run)
{
    pthread_mutex_lock(&lock);
    list_append(&runs, &run->link);
    pthread_mutex_unlock(&lock);
}

static void run_leave(struct running *run)
{
    pthread_mutex_lock(&lock);
    list_remove(&run->link);
    pthread_mutex_unlock(&lock);
}

/* Tells the daemon how it ended. */
static int run_end(struct running *run, uint32_t flags, int error, struct bytes value, uint64_t *shared)
{
    struct request request = give_of(run->kind, run->name);
    struct answer answer;

    run_leave(run);
    run->ended = true;
    request.sync_give.token = run->token;
    request.sync_give.flags = flags;
    request.sync_give.error = error;
    request.sync_give.value = value;
    int r = call_run(run->g, &request, GC_FOREVER, CALL_MASKED, &answer);
    if (shared)
        *shared = answer.result.handle;
    answer_end(&answer);
    return r;
}

/* The function was unwound. */
static void run_unwound(struct running *run)
{
    if (!run->ended)
        run_end(run, GIVE_FAILED, 0, (struct bytes){NULL, 0}, NULL);
}

/* ---- once ---- */

static int once_run(gc_client *g, const char *name, uint64_t token, int (*fn)(void *arg), void *arg)
{
    _cleanup_(run_unwound) struct running run = {
        .g = g, .who = caller(g), .kind = SYNC_ONCE, .name = name, .token = token};
    list_init(&run.link);
    run_enter(&run);
    int r = fn(arg);
    int told = run_end(&run, r < 0 ? GIVE_FAILED : 0, 0, (struct bytes){NULL, 0}, NULL);
    return r < 0 ? last_failed(r, NULL, false) : told;
}

GC_API int gc_once(gc_client *g, const char *name, int (*fn)(void *arg), void *arg, gc_until until)
{
    struct request request = take_of(SYNC_ONCE, name);
    uint64_t token;

    if (runs_it(g, SYNC_ONCE, name))
        return last_failed(-EDEADLK, "the function waits for its own end", false);
    int r = sync_take(g, &request, &token, until);
    return r == GRANT_RUN ? once_run(g, name, token, fn, arg) : r;
}

/* ---- flights ---- */

/* A follower's part of the answer. */
static int follow(const struct answer *answer, struct gc_value *out)
{
    int error = -(int)answer->result.handle;

    if (answer->block) {
        result_ref(answer->block, 1);
        *out = (struct gc_value){
            .data = answer->result.output.data, .size = answer->result.output.size, .memory_ = answer->block};
    }
    return error < 0 ? last_failed(error, "the flight ended with an error", false) : 0;
}

static int flight_run(gc_client *g, const char *key, uint64_t token, const struct gc_flight *flight,
                      struct gc_value *out, bool *shared)
{
    _cleanup_(run_unwound) struct running run = {
        .g = g, .who = caller(g), .kind = SYNC_FLIGHT, .name = key, .token = token};
    uint64_t others;

    list_init(&run.link);
    run_enter(&run);
    int r = flight->fn(flight->arg, out);
    int told = run_end(&run, 0, r < 0 ? r : 0, (struct bytes){out->data, out->size}, &others);
    if (told == 0)
        *shared = others;
    if (told == -E2BIG || told == -ENOMEM) { /* the others must not wait for ever */
        run.ended = false;
        return told;
    }
    return r < 0 ? last_failed(r, NULL, false) : told;
}

GC_API int gc_flight_do(gc_client *g, const char *key, const struct gc_flight *flight, struct gc_value *out,
                        bool *shared, gc_until until)
{
    struct request request = take_of(SYNC_FLIGHT, key);
    struct answer answer;
    bool ignored;

    memset(out, 0, sizeof *out);
    shared = shared ? shared : &ignored;
    *shared = false;
    if (runs_it(g, SYNC_FLIGHT, key))
        return last_failed(-EDEADLK, "the function waits for its own end", false);
    int r = call_run(g, &request, until, 0, &answer);
    uint64_t token = answer.result.handle;
    if (r == 0) {
        *shared = true;
        r = follow(&answer, out);
    }
    answer_end(&answer);
    return r == GRANT_RUN ? flight_run(g, key, token, flight, out, shared) : r;
}
