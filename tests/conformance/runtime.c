/* The channels of libgoroutine; actors are goroutines. The tests call from a plain thread. */
#include "conform.h"

#include <errno.h>
#include <stdlib.h>

#include "goroutine_host.h"

static bool start(void)
{
    return go_start(conform_procs) == 0;
}

static void stop(void)
{
    while (go_live() > 0)
        go_yield();
    assert_int_equal(go_stop(), 0);
}

static go_until until_of(struct wait wait)
{
    switch (wait.kind) {
    case WAIT_NOW:
        return GO_NOW;
    case WAIT_PAST:
        return go_after_ns(0);
    case WAIT_STOP:
        return go_with(wait.stop);
    case WAIT_SOON:
        return go_after_us(20);
    default:
        return GO_FOREVER;
    }
}

struct making {
    uint64_t capacity;
    size_t value_bytes;
    go_chan *made;
};

static void make_inside(void *arg)
{
    struct making *making = arg;

    making->made = go_chan_new(making->value_bytes, making->capacity);
}

static void forgive(void *arg)
{
    (void)arg;
    (void)go_recover();
}

static void make_guarded(void *arg)
{
    go_defer(forgive, NULL);
    make_inside(arg);
}

static void make_recovering(void *arg)
{
    go_call(make_guarded, arg);
}

/* In a goroutine, since a size that no memory can hold panics (B5). */
static void *make(uint64_t capacity, size_t value_bytes)
{
    struct making making = {.capacity = capacity, .value_bytes = value_bytes};

    finish(run_later(make_recovering, &making), NULL);
    return making.made;
}

static void *dup_chan(void *chan)
{
    return go_chan_ref(chan);
}

static void drop(void *chan)
{
    go_chan_unref(chan);
}

static int send(void *chan, const void *value, struct wait wait)
{
    return go_chan_send(chan, value, until_of(wait));
}

static int recv(void *chan, void *value, struct wait wait)
{
    return go_chan_recv(chan, value, until_of(wait));
}

static int send_many(void *chan, const uint64_t *values, int n, struct wait wait)
{
    return go_chan_send_many(chan, values, (size_t)n, until_of(wait));
}

static int recv_many(void *chan, uint64_t *values, int n, struct wait wait)
{
    return go_chan_recv_many(chan, values, (size_t)n, until_of(wait));
}

/* The value holds the channel. */
static int send_chan(void *chan, void *value, struct wait wait)
{
    void *held = go_chan_ref(value);
    int r = go_chan_send(chan, &held, until_of(wait));

    if (r < 0)
        go_chan_unref(held);
    return r;
}

static int recv_chan(void *chan, void **value, struct wait wait)
{
    return go_chan_recv(chan, value, until_of(wait));
}

static int close_chan(void *chan)
{
    return go_chan_close(chan);
}

static int select_cases(struct choice *choices, int n, struct wait wait)
{
    struct go_case *cases = malloc(sizeof(*cases) * (size_t)(n + 1));

    for (int i = 0; i < n; i++)
        cases[i] = choices[i].way == WAY_SEND ? GO_SEND(choices[i].chan, choices[i].value)
                                              : GO_RECV(choices[i].chan, choices[i].value);
    int index = go_select(cases, n, until_of(wait));
    if (index >= 0)
        choices[index].status = cases[index].result;
    free(cases);
    return index;
}

static int64_t len(void *chan)
{
    return (int64_t)go_chan_len(chan);
}

static int64_t cap(void *chan)
{
    return (int64_t)go_chan_cap(chan);
}

static int cases_max(void)
{
    return GO_CASES_MAX;
}

static void spawn(void (*fn)(void *arg), void *arg)
{
    assert_int_equal((go_spawn)(fn, arg, 0), 0);
}

static int count_parked(const struct go_info *info, void *arg)
{
    *(int *)arg += info->state == GO_STATE_PARKED;
    return 0;
}

/* All goroutines here are actors, and they park nowhere but in channel operations. */
static bool parked(int n)
{
    int found = 0;

    go_each(NULL, count_parked, &found);
    return found == n;
}

static void *stop_new(void)
{
    return go_ctx_new(go_ctx_background());
}

static void stop_cancel(void *ctx)
{
    go_ctx_cancel(ctx, 0, NULL);
}

static void stop_free(void *ctx)
{
    go_ctx_unref(ctx);
}

const struct channels channels = {
    .name = "runtime",
    .rounds = 5000,
    .start = start,
    .stop = stop,
    .make = make,
    .dup = dup_chan,
    .drop = drop,
    .send = send,
    .recv = recv,
    .send_many = send_many,
    .recv_many = recv_many,
    .send_chan = send_chan,
    .recv_chan = recv_chan,
    .close = close_chan,
    .select = select_cases,
    .len = len,
    .cap = cap,
    .cases_max = cases_max,
    .spawn = spawn,
    .parked = parked,
    .stop_new = stop_new,
    .stop_cancel = stop_cancel,
    .stop_free = stop_free,
};
