/*
 * A plugin whose one function does as it is told over a channel, so that a test can look at a job of which it knows what it
 * does. Each word on the channel is answered with a value on the same channel with ".done" behind its name:
 *
 *     receivers N, senders N    so many goroutines wait, each kind at a place of its own
 *     release                   they end
 *     burn                      a goroutine computes until the release
 *     allocate                  20 allocations of one place, 5 of another
 *     chain                     three goroutines pass ten messages on, and end
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "goplugin.h"
#include "goroutine_host.h"
#include "goroutine_inspect.h"

enum { TEXT_BYTES = 64, MANY = 20, FEW = 5, MESSAGES = 5 /* over each of two channels */ };

struct crowd {
    go_chan *in, *out;
    go_waitgroup members;
    atomic_int waiting;
    atomic_bool burns;
};

/* ---- those who wait ---- */

static void wait_to_receive(void *arg)
{
    struct crowd *crowd = arg;

    go_chan_recv(crowd->in, NULL, GO_FOREVER);
}

static void wait_to_send(void *arg)
{
    struct crowd *crowd = arg;

    go_chan_send(crowd->out, NULL, GO_FOREVER);
}

static int count_parked(const struct go_info *info, void *n)
{
    *(int *)n += info->state == GO_STATE_PARKED && strncmp(info->reason, "chan", 4) == 0;
    return 0;
}

static int start(struct crowd *crowd, void (*fn)(void *arg), int n)
{
    int parked, wanted = atomic_fetch_add(&crowd->waiting, n) + n, r = 0;

    for (int i = 0; i < n && r == 0; i++)
        r = go_waitgroup_go(&crowd->members, fn, crowd, 0);
    do {
        go_yield();
        parked = 0;
        go_each(go_group_current(), count_parked, &parked);
    } while (r == 0 && parked < wanted);
    return r;
}

static int release(struct crowd *crowd)
{
    go_chan_close(crowd->in);
    go_chan_close(crowd->out);
    atomic_store(&crowd->burns, false);
    go_waitgroup_wait(&crowd->members);
    go_chan_unref(crowd->in);
    go_chan_unref(crowd->out);
    atomic_store(&crowd->waiting, 0);
    crowd->in = go_chan_new(0, 0);
    crowd->out = go_chan_new(0, 0);
    return crowd->in && crowd->out ? 0 : -ENOMEM;
}

/* ---- those who work ---- */

static volatile long sink;

static __attribute__((noinline)) void hot(long n)
{
    for (long i = 0; i < n; i++)
        sink = sink + i;
}

static __attribute__((noinline)) void cold(long n)
{
    for (long i = 0; i < n; i++)
        sink = sink - i; /* other code than in `hot`, or the compiler makes one function of both */
}

static void burn(void *arg)
{
    struct crowd *crowd = arg;

    while (atomic_load(&crowd->burns)) {
        hot(450000);
        cold(50000);
        go_checkpoint();
    }
}

static int start_burning(struct crowd *crowd)
{
    atomic_store(&crowd->burns, true);
    return go_waitgroup_go(&crowd->members, burn, crowd, 0);
}

static __attribute__((noinline)) void allocate_here(void **p)
{
    *p = go_alloc(100);
}

static __attribute__((noinline)) void allocate_there(void **p)
{
    *p = go_alloc(10);
}

static int allocate(void)
{
    void *p;

    for (int i = 0; i < MANY; i++) {
        allocate_here(&p);
        go_free(p);
    }
    for (int i = 0; i < FEW; i++) {
        allocate_there(&p);
        go_free(p);
    }
    return 0;
}

/* ---- a chain ---- */

struct link {
    go_chan *from, *to; /* NULL: it is an end of the chain */
};

static void pass_on(void *arg)
{
    const struct link *link = arg;

    for (int i = 0; i < MESSAGES; i++) {
        int message = i;

        if (link->from)
            go_chan_recv(link->from, &message, GO_FOREVER);
        if (link->to)
            go_chan_send(link->to, &message, GO_FOREVER);
    }
}

static int run_chain(struct crowd *crowd)
{
    go_chan *first = go_chan_new(sizeof(int), 0), *second = go_chan_new(sizeof(int), 0);
    const struct link links[] = {{NULL, first}, {first, second}, {second, NULL}};
    int r = first && second ? 0 : -ENOMEM;

    for (int i = 0; i < 3 && r == 0; i++)
        r = go_waitgroup_go(&crowd->members, pass_on, (void *)&links[i], sizeof links[i]);
    go_waitgroup_wait(&crowd->members);
    go_chan_unref(first);
    go_chan_unref(second);
    return r;
}

/* ---- orders ---- */

static int do_as_told(struct crowd *crowd, const char *word)
{
    int n;

    if (sscanf(word, "receivers %d", &n) == 1)
        return start(crowd, wait_to_receive, n);
    if (sscanf(word, "senders %d", &n) == 1)
        return start(crowd, wait_to_send, n);
    if (strcmp(word, "release") == 0)
        return release(crowd);
    if (strcmp(word, "burn") == 0)
        return start_burning(crowd);
    if (strcmp(word, "allocate") == 0)
        return allocate();
    return strcmp(word, "chain") == 0 ? run_chain(crowd) : -EINVAL;
}

static int obey_until_closed(gc_client *g, gc_chan orders, gc_chan done, struct crowd *crowd)
{
    struct gc_value v = {0};
    int r;

    while ((r = gc_range(g, orders, &v, 0, GC_FOREVER)) > 0) {
        char word[TEXT_BYTES];

        snprintf(word, sizeof word, "%.*s", (int)v.size, (const char *)v.data);
        r = do_as_told(crowd, word);
        if (r == 0)
            r = gc_send(g, done, gc_string(word), GC_FOREVER);
        if (r < 0)
            break;
    }
    gc_value_clear(&v);
    return r;
}

/* Argument: the name of the channel. Ends when that is closed. */
static int obey(gp_job *job)
{
    const char *name = gp_argument(job).data;
    struct crowd crowd = {.in = go_chan_new(0, 0), .out = go_chan_new(0, 0)};
    gc_chan orders, done;
    char done_name[TEXT_BYTES];
    int r = gc_open(gp_client(job), name, NULL, &orders, GC_FOREVER);

    snprintf(done_name, sizeof done_name, "%s.done", name);
    if (r == 0)
        r = gc_open(gp_client(job), done_name, NULL, &done, GC_FOREVER);
    if (r == 0)
        r = obey_until_closed(gp_client(job), orders, done, &crowd);
    release(&crowd);
    go_chan_unref(crowd.in);
    go_chan_unref(crowd.out);
    return r;
}

GP_PLUGIN("watched", "1.0", {"obey", "does as it is told over a channel", obey});
