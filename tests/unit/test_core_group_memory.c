/* Memory runs out at each allocation of a life with groups, for one and for all from there on: no change is half done
 * (core_check after each step), nothing leaks. */
#include "kept_fixture.h"

static uint64_t join(struct client *c, const char *settings)
{
    uint64_t op = subscribe_as(c, (struct request_subscribe){.pattern = {"k.x", 3},
                                                             .group = {"g", 1},
                                                             .settings = {settings, strlen(settings)},
                                                             .capacity = 2});

    stored(d);
    return status_if(c, op) ? 0 : got(c, op)->handle;
}

static void settle(struct client *c, uint64_t handle, uint64_t sequence, uint32_t what, int64_t delay_ns)
{
    client_do(c, (struct request){.verb = VERB_SETTLE,
                                  .settle = {.handle = handle,
                                             .sequences = &sequence,
                                             .sequences_n = 1,
                                             .what = what,
                                             .delay_ns = delay_ns}});
    stored(d);
}

/* The rule and the clients had memory. */
static void life(void)
{
    uint64_t x = join(a, "ack_wait=1000 tries=2 dead=k.dead ordered=yes"), y = join(b, ""), op;

    publish(a, "k.x", "1 2 3");
    stored(d);
    op = recv_many(a, x, 2);
    stored(d);
    give_back(a, op, 1);
    op = recv_many(b, y, 2);
    stored(d);
    kept_after(SECOND);
    settle(b, y, 2, SETTLE_RETRY, SECOND);
    settle(a, x, 3, SETTLE_DEAD, 0);
    ack(b, op, 1);
    stored(d);
    client_do(a,
              (struct request){.verb = VERB_GROUP_SET, .group_set = {{"g", 1}, {"from=start window=2", 19}}});
    stored(d);
    recv_many(a, x, 2);
    stored(d);
    client_do(a, (struct request){.verb = VERB_GROUP_LIST, .group_list = {.prefix = {"g", 1}}});
    client_die(a);
    stored(d);
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {y}});
    stored(d);
    y = join(b, "");
    recv_many(b, y, 2);
    stored(d);
    kept_after(2 * (int64_t)SECOND);
    client_do(b, (struct request){.verb = VERB_GROUP_REMOVE, .group_remove.group = {"g", 1}});
    stored(d);
    rig_sweep(d->rig);
}

/* How many allocations there were. */
static long run(long from, long n)
{
    kept_setup_with(&(struct limits)LIMITS_DEFAULT);
    long begun = d->rig->allocs;

    d->rig->fail_from = begun + from;
    d->rig->fail_to = n == LONG_MAX ? LONG_MAX : d->rig->fail_from + n;
    life();
    long made = d->rig->allocs - begun;
    durable_rig_delete(d);
    return made;
}

static void test_memory_may_run_out_once(void **state)
{
    long n = run(0, 0);

    assert_true(n > 50);
    for (long at = 0; at < n; at++)
        run(at, 1);
}

static void test_memory_may_run_out_for_good(void **state)
{
    long n = run(0, 0);

    for (long at = 0; at < n; at++)
        run(at, LONG_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_may_run_out_once),
        cmocka_unit_test(test_memory_may_run_out_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
