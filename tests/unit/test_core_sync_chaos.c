/*
 * Named sync objects of all kinds under random operations of clients that are cut, cancelled, late and killed. After each
 * step core_check holds each kind to its invariants; at the end nothing may be left. SEEDS runs, each repeatable.
 */
#include <stdio.h>

#include "sync_fixture.h"

enum { SEEDS = 60, STEPS = 400, CLIENTS = 5, NAMES = 2, KEPT = 8, DAY = 86400 };

/* Something a client was granted, or asked for and may get. */
struct kept {
    uint32_t kind, name, flags;
    uint64_t op, units;
};

struct player {
    struct client *client;
    struct kept kept[KEPT];
    unsigned kept_n;
};

static uint64_t dice;
static struct player players[CLIENTS];

static uint64_t draw(uint64_t below)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (dice >> 33) % below;
}

static const char *name_of(uint32_t kind, uint32_t i)
{
    static char name[8];

    snprintf(name, sizeof name, "k%u.%u", kind, i);
    return name;
}

/* Most names are used with one kind. */
static struct bytes draw_name(uint32_t kind, uint32_t i)
{
    return named(name_of(draw(50) ? kind : 1 + (uint32_t)draw(SYNC_KINDS - 1), i));
}

static struct client *draw_until(struct player *p)
{
    if (draw(6) == 0)
        return at_once(p->client);
    return draw(3) ? p->client : within(p->client, 1 + (int64_t)draw(20) * MS);
}

static void keep(struct player *p, struct kept what)
{
    p->kept[p->kept_n++ % KEPT] = what;
}

static const struct kept *draw_kept(struct player *p)
{
    return &p->kept[draw(KEPT)];
}

static uint64_t token_if(struct player *p, const struct kept *kept)
{
    const struct got *result = kept->op ? got(p->client, kept->op) : NULL;

    return result ? result->handle : 0;
}

/* ---- one operation ---- */

static void take(struct player *p)
{
    static const uint32_t kinds[] = {SYNC_RWMUTEX, SYNC_SEMAPHORE, SYNC_WAITGROUP, SYNC_ONCE,
                                     SYNC_FLIGHT,  SYNC_ERRGROUP,  SYNC_LIMITER,   SYNC_BREAKER};
    struct kept what = {.kind = kinds[draw(sizeof kinds / sizeof *kinds)], .name = (uint32_t)draw(NAMES)};
    struct request_sync_take request = {.kind = what.kind, .name = draw_name(what.kind, what.name)};

    what.units = request.units = 1 + draw(3);
    request.size = what.kind == SYNC_ERRGROUP ? 2 : 3;
    request.period_ns = 5 * MS;
    if (what.kind == SYNC_RWMUTEX)
        request.flags = (uint32_t)draw(3);
    what.flags = request.flags & TAKE_READ ? GIVE_READ : 0;
    what.op = take_of(draw_until(p), request);
    keep(p, what);
}

static void give(struct player *p)
{
    static const uint32_t flags[] = {0, 0, GIVE_CONSISTENT, GIVE_UNSEEN, GIVE_FAILED};
    const struct kept *kept = draw_kept(p);
    struct request_sync_give request = {.kind = kept->kind,
                                        .name = named(name_of(kept->kind, kept->name)),
                                        .units = kept->units,
                                        .token = token_if(p, kept),
                                        .flags = kept->flags | flags[draw(5)],
                                        .error = -(int32_t)draw(2),
                                        .value = named("value")};

    if (kept->kind)
        give_of(p->client, request);
}

static void lock(struct player *p)
{
    struct kept what = {.kind = SYNC_MUTEX, .name = (uint32_t)draw(NAMES)};
    struct request request = {.verb = VERB_LOCK, .lock = {draw_name(SYNC_MUTEX, what.name), draw(4) == 0}};

    what.op = client_do(draw_until(p), request);
    keep(p, what);
}

static void unlock(struct player *p)
{
    const struct kept *kept = draw_kept(p);
    struct request request = {
        .verb = VERB_UNLOCK,
        .unlock = {named(name_of(SYNC_MUTEX, kept->name)), token_if(p, kept), (uint32_t)draw(4)}};

    client_do(p->client, request);
}

static void cond_wait(struct player *p)
{
    const struct kept *kept = draw_kept(p);
    struct kept what = {.kind = SYNC_MUTEX, .name = kept->name};
    char lock[8];

    snprintf(lock, sizeof lock, "%s", name_of(SYNC_MUTEX, kept->name));
    what.op = client_do(draw_until(p),
                        (struct request){.verb = VERB_COND_WAIT,
                                         .cond_wait = {draw_name(SYNC_COND, (uint32_t)draw(NAMES)),
                                                       named(lock), token_if(p, kept), (uint32_t)draw(2)}});
    keep(p, what);
}

static void cond_signal(struct player *p)
{
    client_do(p->client, (struct request){.verb = VERB_COND_SIGNAL,
                                          .cond_signal = {draw_name(SYNC_COND, (uint32_t)draw(NAMES)),
                                                          (uint32_t)draw(2)}});
}

static void add(struct player *p)
{
    uint32_t kind = draw(2) ? SYNC_WAITGROUP : SYNC_COUNTER, i = (uint32_t)draw(NAMES);
    struct kept what = {.kind = SYNC_WAITGROUP, .name = i, .units = 1 + draw(2)};
    int64_t delta = kind == SYNC_COUNTER ? (int64_t)draw(5) - 2 : (int64_t)what.units;

    add_of(p->client, (struct request_sync_add){kind, draw_name(kind, i), delta, (uint32_t)draw(2)});
    if (kind == SYNC_WAITGROUP)
        keep(p, what);
}

static void wait(struct player *p)
{
    static const uint32_t kinds[] = {SYNC_WAITGROUP, SYNC_COUNTER, SYNC_BARRIER, SYNC_ERRGROUP};
    uint32_t kind = kinds[draw(4)];

    wait_of(draw_until(p), (struct request_sync_wait){.kind = kind,
                                                      .name = draw_name(kind, (uint32_t)draw(NAMES)),
                                                      .value = kind == SYNC_BARRIER ? 3 : (int64_t)draw(4)});
}

static void reset(struct player *p)
{
    uint32_t kind = 1 + (uint32_t)draw(SYNC_KINDS - 1);

    reset_of(p->client, kind, name_of(kind, (uint32_t)draw(NAMES)));
}

/* ---- what happens to clients ---- */

static void begin(struct rig *rig, struct player *p)
{
    *p = (struct player){.client = client_of(rig, 1000 + (uint32_t)draw(2))};
}

static void trouble(struct rig *rig, struct player *p)
{
    switch (draw(8)) {
    case 0:
        client_die(p->client);
        begin(rig, p);
        break;
    case 1:
        client_bye(p->client);
        begin(rig, p);
        break;
    case 2:
        client_cut(p->client);
        client_resume(p->client, 0);
        break;
    case 3:
    case 4:
        if (p->client->op)
            cancel(p->client, 1 + draw(p->client->op));
        break;
    case 5:
        if (p->client->op)
            ack(p->client, 1 + draw(p->client->op), 0);
        break;
    default:
        rig_after(rig, (int64_t)draw(8) * MS);
    }
}

static void play(struct rig *rig, struct player *p)
{
    static void (*const deeds[])(struct player *) = {take,        take, take,   give,   give,      give,
                                                     lock,        lock, unlock, unlock, cond_wait, cond_wait,
                                                     cond_signal, add,  wait,   reset};
    const size_t n = sizeof deeds / sizeof *deeds;
    uint64_t which = draw(n + 4);

    if (which < n)
        deeds[which](p);
    else
        trouble(rig, p);
}

/* ---- the end ---- */

/* What is broken, or has news, is made right by somebody. */
static void repair(struct client *c, uint32_t i)
{
    uint64_t op = client_do(
        c, (struct request){.verb = VERB_LOCK, .lock = {named(name_of(SYNC_MUTEX, i)), LOCK_RECOVER}});

    if (status_if(c, op) >= 0)
        client_do(c, (struct request){
                         .verb = VERB_UNLOCK,
                         .unlock = {named(name_of(SYNC_MUTEX, i)), token_of(c, op), UNLOCK_CONSISTENT}});
    op =
        take_of(c, (struct request_sync_take){
                       .kind = SYNC_RWMUTEX, .name = named(name_of(SYNC_RWMUTEX, i)), .flags = TAKE_RECOVER});
    if (status_if(c, op) >= 0)
        give_of(c, (struct request_sync_give){.kind = SYNC_RWMUTEX,
                                              .name = named(name_of(SYNC_RWMUTEX, i)),
                                              .token = token_of(c, op),
                                              .flags = GIVE_CONSISTENT});
}

/* A name may have been used with any kind. */
static void repair_all(struct client *c)
{
    for (uint32_t kind = 1; kind < SYNC_KINDS; kind++)
        for (uint32_t i = 0; i < NAMES; i++)
            for (uint32_t as = 1; as < SYNC_KINDS; as++)
                reset_of(c, as, name_of(kind, i));
}

static void play_seed(uint64_t seed)
{
    struct rig *rig = rig_with(&(struct limits)LIMITS_DEFAULT, seed);
    struct client *last;

    dice = seed;
    for (int i = 0; i < CLIENTS; i++)
        begin(rig, &players[i]);
    for (int i = 0; i < STEPS; i++)
        play(rig, &players[draw(CLIENTS)]);
    for (int i = 0; i < CLIENTS; i++)
        client_die(players[i].client);
    rig_after(rig, 2LL * DAY * SECOND);
    last = client_new(rig);
    repair_all(last);
    for (uint32_t i = 0; i < NAMES; i++)
        repair(last, i);
    assert_int_equal(rig_stat(rig, "syncs.holds"), 0);
    assert_int_equal(rig_stat(rig, "ops.parked"), 0);
    rig_delete(rig);
}

static void test_IP11_random_use_of_all_kinds_keeps_every_invariant_and_leaves_no_hold(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play_seed(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP11_random_use_of_all_kinds_keeps_every_invariant_and_leaves_no_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
