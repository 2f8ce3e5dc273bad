/* Many sleepers, and timers that are set and cancelled beside a million others. */
#include <stdlib.h>

#include "bench.h"

#define HOUR_NS INT64_C(3600000000000)

enum { SLEEP_MS_MAX = 10 };

struct sleeper {
    go_waitgroup *done;
    int64_t ms;
    _Atomic uint64_t *woken;
};

static void sleeper_run(void *arg)
{
    struct sleeper *s = arg;

    if (go_sleep(go_after_ms(s->ms)) == 0)
        ++*s->woken;
    go_waitgroup_done(s->done);
}

uint64_t sleepers(struct run *r)
{
    _Atomic uint64_t woken = 0;
    go_waitgroup done = {0};
    struct sleeper s = {&done, 0, &woken};

    go_waitgroup_add(&done, (int)r->n);
    run_begin(r);
    for (int64_t i = 0; i < r->n; i++) {
        s.ms = i % SLEEP_MS_MAX + 1;
        must_spawn(sleeper_run, &s, sizeof s);
    }
    go_waitgroup_wait(&done);
    run_end(r);
    return woken;
}

/* From one to two hours, scattered. */
static int64_t scattered_ns(int64_t i)
{
    return HOUR_NS + (int64_t)((uint64_t)i * 0x9e3779b97f4a7c15u % (uint64_t)HOUR_NS);
}

static go_timer *must_timer(int64_t ns)
{
    go_timer *t = go_timer_new(ns);

    must(t ? 0 : -12, "go_timer_new");
    return t;
}

/* n more, one after the other, while n live. */
uint64_t timer_churn(struct run *r)
{
    go_timer **live = malloc((size_t)r->n * sizeof *live);
    uint64_t stopped = 0;

    must(live ? 0 : -12, "timers");
    for (int64_t i = 0; i < r->n; i++)
        live[i] = must_timer(scattered_ns(i));
    run_begin(r);
    for (int64_t i = 0; i < r->n; i++) {
        go_timer *t = must_timer(scattered_ns(~i));

        stopped += (uint64_t)go_timer_stop(t);
        go_timer_unref(t);
    }
    run_end(r);
    for (int64_t i = 0; i < r->n; i++)
        go_timer_unref(live[i]);
    free(live);
    return stopped;
}
