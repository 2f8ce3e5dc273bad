/*
 * A run that is to end when there is no memory for the record of that: it is lost, nobody gets it any more, and its job ends
 * once there is some. Records are not made by the allocator of the core; the test's stand in for them, linked by --wrap.
 */
#include <errno.h>
#include <string.h>

#include "record.h"
#include "worker_fixture.h"

static bool none; /* no memory for a record */

struct record *__real_record_new_of(enum record_kind kind, const struct job_row *row,
                                    const struct schedule_row *schedule, struct bytes body);
struct record *__wrap_record_new_of(enum record_kind kind, const struct job_row *row,
                                    const struct schedule_row *schedule, struct bytes body);

struct record *__wrap_record_new_of(enum record_kind kind, const struct job_row *row,
                                    const struct schedule_row *schedule, struct bytes body)
{
    return none ? NULL : __real_record_new_of(kind, row, schedule, body);
}

static void drain(struct jobs_fixture *f, enum drain_what what)
{
    ask(f, client_new(f, 0), (struct request){.verb = VERB_DRAIN, .drain = {what}});
}

static void test_a_run_that_is_lost_on_its_way_goes_to_nobody(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.arguments_kept_bytes = sizeof("argument") - 1;
    restart(f);
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t late = submit(f, c, WORK(.deadline_in_ns = SECOND_NS)), job = submit(f, c, WORK());
    f->hold = true;
    uint64_t op = ask(f, worker, RESERVE(.max = 2)); /* one argument is there, the other is not */
    none = true;
    advance_ms(f, 1000);
    drain(f, DRAIN_FORCE);
    none = false;
    f->hold = false;
    store_go_on(f, 0);
    assert_state(f, c, late, JOB_RUNNING, CAUSE_NONE);
    advance_ms(f, 1000);
    assert_state(f, c, late, JOB_FAILED, CAUSE_TIMEOUT);
    drain(f, DRAIN_END);
    assert_int_equal(held_of(answer(f, worker, op)).job, job);
}

static void test_a_lease_that_ends_without_memory_ends_later(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    struct held held = held_of(answer(f, c, ask(f, c, RESERVE(.lease_ns = SECOND_NS))));

    none = true;
    advance_ms(f, 1000);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
    none = false;
    advance_ms(f, 1000);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, c, job).crashes, 1);
    assert_int_equal(end(f, c, held, CAUSE_NONE, false), -ESTALE);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_run_that_is_lost_on_its_way_goes_to_nobody),
        TEST(test_a_lease_that_ends_without_memory_ends_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
