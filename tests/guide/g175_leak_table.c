/*
 * G175 The four ways in which a program grows for ever, each beside its repair: a goroutine that nobody ends, a channel that
 * nobody lets go of, two that hold each other, and a collection that only grows.
 *
 * What shows them: the report of goroutines that wait, and the counter of what the runtime has allocated and not freed.
 * A channel need not be closed to be freed. Nothing looks for circles: whoever builds one opens it again.
 *
 * Pattern: everything has one that ends it, lets go of it, or limits it.
 */
#include <stdio.h>

#include "goroutine_inspect.h"
#include "goroutine_patterns.h"
#include "guide.h"
#include "paper.h"

/* NOISE: what the runtime may keep for itself meanwhile. */
enum { MANY = 1000, NOISE = 100, CACHE_ENTRIES = 10, KEY_BYTES = 32 };

static int64_t allocated(void)
{
    struct go_memory memory;

    go_memory_read(&memory);
    return (int64_t)(memory.allocations - memory.frees);
}

/* By so many since a baseline. */
static bool grown_by(int64_t baseline, int n)
{
    return llabs(allocated() - baseline - n) < NOISE;
}

static void wait_for_more(void *arg)
{
    go_chan_recv(arg, NULL, GO_FOREVER);
}

static void wait_until_ended(void *ctx)
{
    go_ctx_wait(ctx, GO_FOREVER);
}

/* Who has waited for any time is reported. */
static int64_t reported(void)
{
    int fd = paper();
    int64_t n = go_leaks_write(go_group_current(), 0, fd);

    free(paper_read(fd));
    return n;
}

static void goroutines(void)
{
    go_chan *more = go_chan_new(0, 0);
    go_ctx *ctx = go_ctx_new(go_ctx_background());

    must(go_spawn(wait_for_more, more, 0) == 0);
    until_waiting(1);
    /* "a goroutine that nobody ends is in the report: 1" */
    must(reported() == 1);
    must(go_chan_close(more) == 0); /* this program still can */
    until_live(1);

    must(go_spawn(wait_until_ended, ctx, 0) == 0);
    go_ctx_cancel(ctx, 0, NULL);
    until_live(1);
    /* "repaired with a context: 0" */
    must(reported() == 0);
    go_ctx_unref(ctx);
    go_chan_unref(more);
}

static void channels(void)
{
    int64_t baseline = allocated();
    go_chan *kept[MANY];

    for (int i = 0; i < MANY; i++)
        kept[i] = go_chan_new(sizeof(int), 1);
    /* "1000 channels that nobody lets go of are 1000 allocations, closed or not" */
    for (int i = 0; i < MANY / 2; i++)
        must(go_chan_close(kept[i]) == 0);
    must(grown_by(baseline, MANY));
    for (int i = 0; i < MANY; i++)
        go_chan_unref(kept[i]);
    /* "let go of they are none, closed or not" */
    must(grown_by(baseline, 0));
}

/* Either has a reference to the other in it. */
static void hold_each_other(go_chan *a, go_chan *b)
{
    must(go_chan_send(a, &(go_chan *){go_chan_ref(b)}, GO_NOW) == 0);
    must(go_chan_send(b, &(go_chan *){go_chan_ref(a)}, GO_NOW) == 0);
}

static void open_circle(go_chan *a)
{
    go_chan *b;

    must(go_chan_recv(a, &b, GO_NOW) == 1 && go_chan_recv(b, &a, GO_NOW) == 1);
    go_chan_unref(a);
    go_chan_unref(b);
}

static void circles(void)
{
    int64_t baseline = allocated();
    go_chan *first[MANY];

    for (int i = 0; i < MANY; i++) {
        go_chan *second = go_chan_new(sizeof(go_chan *), 1);

        first[i] = go_chan_new(sizeof(go_chan *), 1);
        hold_each_other(first[i], second);
        go_chan_unref(first[i]);
        go_chan_unref(second);
    }
    /* "2000 channels that hold each other stay, though everybody has let go of them" */
    must(grown_by(baseline, 2 * MANY));
    for (int i = 0; i < MANY; i++)
        open_circle(first[i]);
    /* "with the circles opened none is left" */
    must(grown_by(baseline, 0));
}

static go_key key_of(char *text, int number)
{
    snprintf(text, KEY_BYTES, "key %d", number);
    return go_key_text(text);
}

static void collections(void)
{
    go_map *map = go_map_new(sizeof(int));
    go_cache *cache = go_cache_new(sizeof(int), CACHE_ENTRIES, GO_NS_FOREVER);
    int64_t baseline = allocated();
    char text[KEY_BYTES];

    for (int i = 0; i < MANY; i++)
        must(go_cache_put(cache, key_of(text, i), &i) >= 0);
    /* "a bounded cache holds 10 entries after 1000 were put" */
    must(grown_by(baseline, 0) && go_cache_len(cache) == CACHE_ENTRIES);
    for (int i = 0; i < MANY; i++)
        must(go_map_store(map, key_of(text, i), &i) == 0);
    /* "a map that only grows holds all 1000" */
    must(allocated() - baseline >= MANY);
    go_map_unref(map);
    go_cache_unref(cache);
    must(grown_by(baseline, 0));
}

static void leak_table(void)
{
    goroutines();
    channels();
    circles();
    collections();
}

GUIDE_ROW(G175, leak_table);
