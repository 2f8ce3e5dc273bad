/* Memory runs out at each allocation of a life with a durable channel, for one and for all from there on: no change is half
 * done (core_check after each step), nothing leaks. */
#include "durable_rig.h"

static void life(void)
{
    meet();

    chan_flags(a, "d", 3, OPEN_DURABLE, FULL_BLOCK);
    stored(d);
    struct got *opened = got(a, a->op);
    ha = opened ? opened->handle : 0;
    hb = chan_flags(b, "d", 3, OPEN_DURABLE, FULL_BLOCK);

    send_many(a, ha, "1 2 3 4");
    uint64_t r = recv_many(b, hb, 2);
    stored(d);
    ack(b, r, 1);
    send_many(a, ha, "5");
    store_full(d);
    SELECT(within(a, 9 * MS), CASE_S(ha, "6"), CASE_R(ha));
    give_back(b, r, 1);
    recv1(b, hb);
    stored(d);
    chan_close(a, ha);
    client_die(b);
    stored(d);
    client_do(a, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {"d", 1}});
    stored(d);
    rig_sweep(d->rig);
}

static long run(long from, long to)
{
    d = durable_rig_new(&(struct limits)LIMITS_DEFAULT);
    long begun = d->rig->allocs;

    d->rig->fail_from = begun + from;
    d->rig->fail_to = to;
    life();
    long n = d->rig->allocs - begun;
    durable_rig_delete(d);
    return n;
}

static void test_memory_may_run_out_once(void **state)
{
    long n = run(0, 0);

    assert_true(n > 50);
    for (long at = 12; at < n; at++) { /* the first ones are the sessions' */
        d = durable_rig_new(&(struct limits)LIMITS_DEFAULT);

        d->rig->fail_from = d->rig->allocs + at;
        d->rig->fail_to = d->rig->fail_from + 1;
        life();
        durable_rig_delete(d);
    }
}

static void test_memory_may_run_out_for_good(void **state)
{
    long n = run(0, 0);

    for (long at = 12; at < n; at++)
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
