/* The highest id that a job ever had is known to the store, whatever became of the job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "layered.h"
#include "store_fixture.h"

static int set_up(void **state)
{
    struct store_fixture *fixture = store_fixture_new(*state);

    store_fixture_open(fixture, 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fault_disarm_all();
    store_fixture_free(*state);
    return 0;
}

/* The highest of all jobs, and of what the store tells beside them. */
static int see_job(void *context, const struct job_row *row)
{
    *(uint64_t *)context = row->id;
    return 0;
}

static int see_ids(void *context, uint64_t last)
{
    uint64_t *highest = context;

    if (*highest < last)
        *highest = last;
    return 0;
}

static void assert_highest(struct store_fixture *fixture, uint64_t id)
{
    uint64_t highest = 0;
    const struct store_load load = {.job = see_job, .context = &highest, .job_ids = see_ids};

    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    assert_int_equal(highest, id);
}

static void put(struct store_fixture *fixture, enum record_kind kind, uint64_t id, enum durability durability)
{
    struct job_row row = row_ready(id);

    row.flags |= (uint32_t)durability << DURABILITY_SHIFT;
    assert_int_equal(apply_one(fixture, kind, &row, TEXT("")), 0);
}

static void test_the_id_of_the_newest_job_outlives_it(void **state)
{
    struct store_fixture *fixture = *state;

    assert_highest(fixture, 0);
    for (uint64_t id = 5; id <= 8; id++)
        put(fixture, RECORD_JOB_NEW, id, DURABLE_FULL);
    put(fixture, RECORD_JOB_DELETE, 5, DURABLE_FULL);
    assert_highest(fixture, 8);
    put(fixture, RECORD_JOB_DELETE, 8, DURABLE_FULL);
    put(fixture, RECORD_JOB_DELETE, 7, DURABLE_FULL);
    assert_highest(fixture, 8);
    put(fixture, RECORD_JOB_DELETE, 6, DURABLE_FULL);
    assert_highest(fixture, 8);
}

static void test_ids_that_count_as_given_do(void **state)
{
    struct store_fixture *fixture = *state;

    put(fixture, RECORD_JOB_NEW, 5, DURABLE_FULL);
    put(fixture, RECORD_JOB_IDS, 9, DURABLE_FULL);
    put(fixture, RECORD_JOB_IDS, 7, DURABLE_FULL);
    assert_highest(fixture, 9);
}

static void test_what_goes_with_the_daemon_leaves_no_id(void **state)
{
    struct store_fixture *fixture = *state;

    put(fixture, RECORD_JOB_NEW, 5, DURABLE_NONE);
    put(fixture, RECORD_JOB_DELETE, 5, DURABLE_NONE);
    assert_highest(fixture, 0);
}

static void test_a_transaction_that_did_not_happen_has_deleted_no_id(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row = row_ready(9);

    fault_arm(FAULT_STORE_BEFORE_COMMIT, 1, 0, -28);
    assert_int_equal(apply_one(fixture, RECORD_JOB_DELETE, &row, TEXT("")), -28);
    put(fixture, RECORD_JOB_NEW, 5, DURABLE_FULL);
    assert_highest(fixture, 5);
}

static void test_ids_survive_the_daemon(void **state)
{
    struct store_fixture *fixture = *state;

    put(fixture, RECORD_JOB_NEW, 5, DURABLE_FULL);
    put(fixture, RECORD_JOB_DELETE, 5, DURABLE_FULL);
    store_fixture_close(fixture);
    store_fixture_open(fixture, 0);
    assert_highest(fixture, 5);
}

#define ON(name, test)                                                                                       \
    {                                                                                                        \
#name ": " #test, test, set_up, tear_down, (void *)&store_##name                                     \
    }
#define ALL(test) ON(sqlite, test), ON(memory, test), ON(layered, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(test_the_id_of_the_newest_job_outlives_it),
        ALL(test_ids_that_count_as_given_do),
        ALL(test_what_goes_with_the_daemon_leaves_no_id),
        ON(sqlite, test_a_transaction_that_did_not_happen_has_deleted_no_id),
        ON(memory, test_a_transaction_that_did_not_happen_has_deleted_no_id),
        ON(sqlite, test_ids_survive_the_daemon),
        ON(layered, test_ids_survive_the_daemon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
