/*
 * G06 The states of a goroutine, as a dump shows them.
 *
 * Pattern: lifecycle. Created, running, blocked, running again, ended: and then its memory serves the next one.
 */
#include "goroutine_host.h"
#include "guide.h"

enum { NEXT_ONES = 1000 };

struct counted {
    go_chan *go_on;
    atomic_uint_fast64_t id;
    enum go_state seen_by_itself[2];
};

struct look {
    uint64_t id;
    bool there;
    struct go_info info;
};

static int look_at(const struct go_info *info, void *arg)
{
    struct look *look = arg;

    if (info->id != look->id)
        return 0;
    look->there = true;
    look->info = *info;
    return 1;
}

static struct look look_up(uint64_t id)
{
    struct look look = {.id = id};

    go_each(go_group_current(), look_at, &look);
    return look;
}

static void count_to_three(void *arg)
{
    struct counted *me = arg;

    me->seen_by_itself[0] = look_up(go_id()).info.state;
    atomic_store(&me->id, go_id());
    say("1.");
    go_chan_recv(me->go_on, NULL, GO_FOREVER);
    say("2.");
    go_chan_recv(me->go_on, NULL, GO_FOREVER);
    me->seen_by_itself[1] = look_up(go_id()).info.state;
    say("3.");
}

static void until_gone(uint64_t id)
{
    while (look_up(id).there)
        go_yield();
}

static void follow_one(go_chan *go_on)
{
    struct counted counted = {.go_on = go_on};
    struct look look;

    must(go_spawn(count_to_three, &counted, 0) == 0);
    for (int parks = 0; parks < 2; parks++) {
        until_parked(1, "chan receive");
        look = look_up(atomic_load(&counted.id));
        /* "blocked with its reason" */
        must(look.there && look.info.state == GO_STATE_PARKED &&
             strcmp(look.info.reason, "chan receive") == 0);
        must(go_chan_send(go_on, NULL, GO_FOREVER) == 0);
    }
    until_gone(atomic_load(&counted.id));
    /* "running before and after it" */
    must(counted.seen_by_itself[0] == GO_STATE_RUNNING && counted.seen_by_itself[1] == GO_STATE_RUNNING);
    /* "ended: gone from the dump" */
    must(!look_up(atomic_load(&counted.id)).there);
    /* "lines 1, 2, 3 in order" */
    must(said(LINES("1.", "2.", "3.")));
}

static int look_for_new(const struct go_info *info, void *ready)
{
    if (info->state == GO_STATE_READY)
        *(bool *)ready = true;
    return 0;
}

static void do_nothing(void *unused)
{
}

/* A new goroutine runs as soon as a processor has time; we look until one was caught before. */
static void see_created(void)
{
    bool ready = false;

    while (!ready) {
        must(go_spawn(do_nothing, NULL, 0) == 0);
        go_each(go_group_current(), look_for_new, &ready);
        until_live(1);
    }
    /* "states seen in order: created" */
    must(ready);
}

static void states(void)
{
    go_chan *go_on = go_chan_new(0, 0);
    struct go_stats before, after;

    see_created();
    follow_one(go_on);
    go_stats_read(&before);
    for (int i = 0; i < NEXT_ONES; i++) {
        must(go_spawn(do_nothing, NULL, 0) == 0);
        until_live(1);
    }
    go_stats_read(&after);
    /* "and its memory is used again" */
    must(after.stacks_bytes - before.stacks_bytes < NEXT_ONES * 16384 / 2);
    go_chan_unref(go_on);
}

GUIDE_ROW(G06, states);
