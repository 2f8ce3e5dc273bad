/* What processes count and wait for by name, and what is left of it when they are killed: A, E, counters, barriers. */
#include <signal.h>

#include "client_node.h"
#include "goclient_context.h"

static uint64_t stat_of(gc_client *g, const char *name)
{
    struct gc_stats stats;
    assert_true(gc_stats(g, name, &stats, GC_FOREVER) >= 1);
    uint64_t value = stats.items[0].value;
    gc_stats_clear(&stats);
    return value;
}

static void wait_until_parked(gc_client *g, uint64_t n)
{
    while (stat_of(g, "ops.parked") != n)
        ;
}

/* A process that does one thing, says `d`, and ends when it is told to or killed. */
static int stays(int to, int from)
{
    peer_say(to, 'd');
    peer_hear(from, 'x');
    return 0;
}

static void peer_kill(struct peer *peer)
{
    kill(peer->pid, SIGKILL);
    assert_int_equal(peer_wait(peer), 128 + SIGKILL);
}

/* ---- wait groups ---- */

static int adds_two_units(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    return gc_wg_add(g, "crew", 2, 0, NULL, GC_FOREVER) || stays(to, from);
}

static void test_A4_wait_returns_with_the_number_of_units_of_a_killed_process(void **state)
{
    struct peer peer = peer_start(node, adds_two_units);
    uint64_t round, dead;
    peer_hear(peer.from, 'd');
    gc_client *g = node_connect(node);
    assert_ok(gc_wg_add(g, "crew", 1, 0, &round, GC_FOREVER));
    assert_fails(gc_wg_done(g, "crew", 4, GC_FOREVER), -EINVAL);
    assert_fails(gc_wg_done(g, "crew", 2, GC_FOREVER), -EPERM);
    assert_ok(gc_wg_done(g, "crew", 1, GC_FOREVER));
    assert_fails(gc_wg_wait(g, "crew", 0, &dead, GC_NOW), -EAGAIN);
    assert_fails(gc_wg_wait(g, "crew", 0, &dead, gc_after_ms(1)), -ETIMEDOUT);
    peer_kill(&peer);
    assert_fails(gc_wg_wait(g, "crew", round, &dead, GC_FOREVER), -EOWNERDEAD);
    assert_int_equal(dead, 2);
    assert_ok(gc_sync_reset(g, GC_SYNC_WAITGROUP, "crew", GC_FOREVER));
    assert_ok(gc_wg_wait(g, "crew", 0, &dead, GC_FOREVER));
    gc_disconnect(g);
}

static int claims_and_is_done(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    peer_hear(from, 's');
    if (gc_wg_claim(g, "work", 1, GC_FOREVER) != 0)
        return 1;
    peer_say(to, 'd');
    peer_hear(from, 'g');
    return gc_wg_done(g, "work", 1, GC_FOREVER) || stays(to, from);
}

static void test_A3_units_are_passed_on_with_the_work_round_after_round(void **state)
{
    struct peer peers[] = {peer_start(node, claims_and_is_done), peer_start(node, claims_and_is_done)};
    uint64_t first, second;
    gc_client *g = node_connect(node);
    assert_ok(gc_wg_add(g, "work", 2, GC_DETACHED_UNITS, &first, GC_FOREVER));
    for (int i = 0; i < 2; i++) {
        peer_say(peers[i].to, 's');
        peer_hear(peers[i].from, 'd');
    }
    assert_fails(gc_wg_claim(g, "work", 1, GC_FOREVER), -EAGAIN);
    assert_fails(gc_wg_done(g, "work", 1, GC_FOREVER), -EPERM);
    for (int i = 0; i < 2; i++)
        peer_say(peers[i].to, 'g');
    assert_ok(gc_wg_wait(g, "work", first, NULL, GC_FOREVER));
    assert_ok(gc_wg_add(g, "work", 1, 0, &second, GC_FOREVER));
    assert_true(second > first);
    assert_ok(gc_wg_wait(g, "work", first, NULL, GC_FOREVER));
    assert_ok(gc_wg_done(g, "work", 1, GC_FOREVER));
    for (int i = 0; i < 2; i++) {
        peer_hear(peers[i].from, 'd');
        peer_kill(&peers[i]);
    }
    assert_ok(gc_wg_wait(g, "work", 0, NULL, GC_FOREVER));
    gc_disconnect(g);
}

/* ---- counters ---- */

static int counts_to_five(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    int64_t value = 0;
    for (int i = 0; i < 5; i++)
        if (gc_counter_add(g, "tally", 1, &value, GC_FOREVER) != 0)
            return 1;
    return stays(to, from);
}

static void test_a_counter_outlives_who_counted(void **state)
{
    struct peer peers[] = {peer_start(node, counts_to_five), peer_start(node, counts_to_five)};
    int64_t value;
    gc_client *g = node_connect(node);
    assert_ok(gc_counter_wait(g, "tally", 10, &value, GC_FOREVER));
    assert_int_equal(value, 10);
    for (int i = 0; i < 2; i++) {
        peer_hear(peers[i].from, 'd');
        peer_kill(&peers[i]);
    }
    assert_fails(gc_counter_wait(g, "tally", 11, NULL, GC_NOW), -EAGAIN);
    assert_ok(gc_counter_add(g, "tally", -12, &value, GC_FOREVER));
    assert_int_equal(value, -2);
    assert_ok(gc_sync_reset(g, GC_SYNC_COUNTER, "tally", GC_FOREVER));
    assert_ok(gc_counter_add(g, "tally", 0, &value, GC_FOREVER));
    assert_int_equal(value, 0);
    gc_disconnect(g);
}

/* ---- barriers ---- */

enum { PARTIES = 4, ROUNDS = 50 };

/* Its number in each round is the same for all, or somebody ran ahead. */
static int meets(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    int last = 0;
    for (int i = 1; i <= ROUNDS; i++) {
        int64_t value;
        if (gc_counter_add(g, "arrived", 1, NULL, GC_FOREVER) != 0)
            return 1;
        int r = gc_barrier_wait(g, "meeting", PARTIES, GC_FOREVER);
        last += r == GC_BARRIER_LAST;
        if (r < 0 || gc_counter_add(g, "arrived", 0, &value, GC_FOREVER) != 0)
            return 2;
        if (value < (int64_t)i * PARTIES || value > ((int64_t)i + 1) * PARTIES)
            return 3;
    }
    return gc_counter_add(g, "lasts", last, NULL, GC_FOREVER) != 0;
}

static void test_nobody_leaves_a_barrier_before_all_have_come(void **state)
{
    struct peer peers[PARTIES];
    int64_t lasts;
    for (int i = 0; i < PARTIES; i++)
        peers[i] = peer_start(node, meets);
    for (int i = 0; i < PARTIES; i++)
        assert_int_equal(peer_wait(&peers[i]), 0);
    gc_client *g = node_connect(node);
    assert_ok(gc_counter_add(g, "lasts", 0, &lasts, GC_FOREVER));
    assert_int_equal(lasts, ROUNDS);
    gc_disconnect(g);
}

static int waits_at_the_barrier(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    peer_say(to, 'd');
    return gc_barrier_wait(g, "trap", 2, GC_FOREVER);
}

static void test_a_killed_party_of_a_barrier_does_not_count(void **state)
{
    struct peer peer = peer_start(node, waits_at_the_barrier);
    peer_hear(peer.from, 'd');
    gc_client *g = node_connect(node);
    wait_until_parked(g, 1);
    assert_fails(gc_barrier_wait(g, "trap", 3, GC_FOREVER), -EEXIST);
    peer_kill(&peer);
    wait_until_parked(g, 0);
    assert_fails(gc_barrier_wait(g, "trap", 2, GC_NOW), -EAGAIN);
    gc_disconnect(g);
}

/* ---- error groups ---- */

static int is_a_member(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    return gc_group_start(g, "team", 2, GC_FOREVER) || stays(to, from);
}

static void test_E1_E3_a_killed_member_is_an_error_and_frees_its_slot(void **state)
{
    struct peer peers[] = {peer_start(node, is_a_member), peer_start(node, is_a_member)};
    int error;
    for (int i = 0; i < 2; i++)
        peer_hear(peers[i].from, 'd');
    gc_client *g = node_connect(node);
    assert_fails(gc_group_start(g, "team", 2, GC_NOW), -EAGAIN);
    assert_fails(gc_group_start(g, "team", 0, GC_FOREVER), -EAGAIN);
    assert_fails(gc_group_start(g, "team", 3, GC_FOREVER), -EEXIST);
    assert_fails(gc_group_end(g, "team", 0, GC_FOREVER), -EPERM);
    peer_kill(&peers[0]);
    assert_ok(gc_group_start(g, "team", 2, GC_FOREVER));
    assert_ok(gc_group_end(g, "team", -EIO, GC_FOREVER));
    assert_fails(gc_group_wait(g, "team", &error, GC_NOW), -EAGAIN);
    peer_kill(&peers[1]);
    assert_fails(gc_group_wait(g, "team", &error, GC_FOREVER), GC_MEMBER_FAILED);
    assert_int_equal(error, -EOWNERDEAD);
    assert_ok(gc_group_start(g, "team", -1, GC_FOREVER));
    assert_ok(gc_group_end(g, "team", 0, GC_FOREVER));
    assert_ok(gc_group_wait(g, "team", &error, GC_FOREVER));
    assert_int_equal(error, 0);
    gc_disconnect(g);
}

/* Waits for work that never comes, below the context of the group, and ends with why it stopped. */
static int works_below(const struct node *n, int to, int from)
{
    peer_hear(from, 'g');
    gc_client *g = node_connect(n);
    struct gc_context_cause why;
    struct gc_value v;
    gc_chan c;
    gc_ctx *ctx;
    if (gc_group_start(g, "crew", -1, GC_FOREVER) || gc_context_open(g, "crew", &ctx, GC_FOREVER) ||
        gc_make(g, "work", 0, &c, GC_FOREVER))
        return 1;
    if (gc_recv(g, c, &v, 0, gc_with(ctx)) != -ECANCELED || gc_context_cause(ctx, &why) != 1 ||
        why.code != -EIO)
        return 2;
    return gc_group_end(g, "crew", -ECANCELED, GC_FOREVER) ? 3 : 0;
}

static void test_E2_the_first_error_ends_what_members_in_other_processes_wait_for(void **state)
{
    struct peer peers[] = {peer_start(node, works_below), peer_start(node, works_below)};
    gc_client *g = node_connect(node);
    struct gc_context_options options = {.size = sizeof options, .name = "crew", .group = "crew"};
    gc_chan work = make(g, "work", 0);
    gc_ctx *ctx, *second;
    int error;
    assert_ok(gc_context_derive(g, NULL, &options, &ctx, GC_FOREVER));
    options.name = "other";
    assert_fails(gc_context_derive(g, NULL, &options, &second, GC_FOREVER), -EEXIST);
    peer_say(peers[0].to, 'g');
    peer_say(peers[1].to, 'g');
    wait_parked(g, work, 0, 2);
    assert_ok(gc_group_start(g, "crew", -1, GC_FOREVER));
    assert_ok(gc_group_end(g, "crew", -EIO, GC_FOREVER));
    assert_true(gc_ctx_done(ctx)); /* X1: when the call returns */
    for (int i = 0; i < 2; i++)
        assert_int_equal(peer_wait(&peers[i]), 0);
    assert_fails(gc_group_wait(g, "crew", &error, GC_FOREVER), GC_MEMBER_FAILED);
    assert_int_equal(error, -EIO);
    gc_ctx_free(ctx);
    gc_disconnect(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_A4_wait_returns_with_the_number_of_units_of_a_killed_process),
        cmocka_unit_test(test_A3_units_are_passed_on_with_the_work_round_after_round),
        cmocka_unit_test(test_a_counter_outlives_who_counted),
        cmocka_unit_test(test_nobody_leaves_a_barrier_before_all_have_come),
        cmocka_unit_test(test_a_killed_party_of_a_barrier_does_not_count),
        cmocka_unit_test(test_E1_E3_a_killed_member_is_an_error_and_frees_its_slot),
        cmocka_unit_test(test_E2_the_first_error_ends_what_members_in_other_processes_wait_for),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
