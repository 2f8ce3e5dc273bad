/*
 * How safely each job is kept: what waits for the disk and what does not, what is in memory alone, and batches of both.
 * The syncs of libc are replaced and counted.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault.h"
#include "fetched.h"
#include "layered.h"
#include "store_fixture.h"

static atomic_int syncs;

/* The library of SQLite is to find them. */
__attribute__((visibility("default"))) int fsync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fsync, fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

static int set_up(void **state)
{
    struct store_fixture *fixture = *state = store_fixture_new(&store_layered);
    struct store_options options = {.directory = fixture->directory, .sync = true};

    return store_layered.open(&options, &fixture->store, &fixture->incarnation, NULL);
}

static int tear_down(void **state)
{
    fault_disarm_all();
    store_fixture_free(*state);
    return 0;
}

static struct job_row row_of(uint64_t id, enum durability durability)
{
    struct job_row row = row_ready(id);

    row.flags |= (uint32_t)durability << DURABILITY_SHIFT;
    return row;
}

static void add(struct batch *batch, enum record_kind kind, uint64_t id, enum durability durability)
{
    struct job_row row = row_of(id, durability);

    batch_append(batch, record_new(kind, &row, TEXT("body")));
}

/* One batch with a new job of each of these. */
static int apply_new(struct store_fixture *fixture, uint64_t id, const enum durability *of, size_t n)
{
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(++fixture->last_batch);

    for (size_t i = 0; i < n; i++)
        add(batch, RECORD_JOB_NEW, id + i, of[i]);
    list_append(&batches, &batch->link);
    return apply_list(fixture, &batches);
}

static int syncs_of(struct store_fixture *fixture, uint64_t id, const enum durability *of, size_t n)
{
    int before = syncs;

    assert_int_equal(apply_new(fixture, id, of, n), 0);
    return syncs - before;
}

#define SYNCS(id, ...)                                                                                       \
    syncs_of(fixture, id, (const enum durability[]){__VA_ARGS__},                                            \
             sizeof((const enum durability[]){__VA_ARGS__}) / sizeof(enum durability))

static void test_only_what_is_to_outlive_the_machine_waits_for_the_disk(void **state)
{
    struct store_fixture *fixture = *state;

    assert_true(SYNCS(1, DURABLE_FULL) > 0);
    assert_int_equal(SYNCS(2, DURABLE_PROCESS), 0);
    assert_int_equal(SYNCS(3, DURABLE_NONE), 0);
    assert_true(SYNCS(4, DURABLE_FULL) > 0);
    assert_int_equal(SYNCS(5, DURABLE_PROCESS, DURABLE_NONE), 0);
}

static void test_a_batch_is_as_safe_as_the_safest_of_its_records(void **state)
{
    struct store_fixture *fixture = *state;

    assert_true(SYNCS(1, DURABLE_NONE, DURABLE_PROCESS, DURABLE_FULL) > 0);
    assert_true(SYNCS(4, DURABLE_FULL, DURABLE_NONE) > 0);
}

static int fetch(struct store_fixture *fixture, enum fetch_kind kind, uint64_t id)
{
    struct fetch what = {.kind = kind, .job = id, .limit = 100};
    struct fetched out;
    int r = store_layered.fetch(fixture->store, &what, &out);

    if (r == 0 && kind == FETCH_ARGUMENT)
        assert_bytes(out.body, "body");
    if (r == 0)
        fetched_clear(&out);
    return r;
}

static void test_what_is_in_memory_is_found_and_goes_with_it(void **state)
{
    struct store_fixture *fixture = *state;

    SYNCS(1, DURABLE_FULL, DURABLE_PROCESS, DURABLE_NONE);
    for (uint64_t id = 1; id <= 3; id++) {
        assert_int_equal(fetch(fixture, FETCH_ARGUMENT, id), 0);
        assert_int_equal(fetch(fixture, FETCH_JOB, id), 0);
    }
    store_fixture_close(fixture);
    store_fixture_open(fixture, 0);
    assert_int_equal(load_count(fixture), 2);
    assert_int_equal(fetch(fixture, FETCH_ARGUMENT, 2), 0);
    assert_int_equal(fetch(fixture, FETCH_ARGUMENT, 3), -ENOENT);
}

static void test_news_of_a_job_go_where_it_is(void **state)
{
    struct store_fixture *fixture = *state;
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(++fixture->last_batch);
    struct fetch what = {.kind = FETCH_OUTPUT, .job = 2, .limit = 100};
    struct fetched out;

    SYNCS(1, DURABLE_FULL, DURABLE_NONE);
    for (uint64_t id = 1; id <= 2; id++) {
        struct job_row row = row_of(id, id == 1 ? DURABLE_FULL : DURABLE_NONE);
        row.output_bytes = 0;
        batch_append(batch, record_new(RECORD_JOB_OUTPUT, &row, id == 1 ? TEXT("disk") : TEXT("memory")));
        row.state = JOB_DONE;
        batch_append(batch, record_new(RECORD_JOB_END, &row, TEXT("result")));
    }
    list_append(&batches, &batch->link);
    assert_int_equal(apply_list(fixture, &batches), 0);
    assert_int_equal(store_layered.fetch(fixture->store, &what, &out), 0);
    assert_bytes(out.body, "memory");
    fetched_clear(&out);
    what.job = 1;
    assert_int_equal(store_layered.fetch(fixture->store, &what, &out), 0);
    assert_bytes(out.body, "disk");
    fetched_clear(&out);
    struct job_row gone = row_of(2, DURABLE_NONE);
    int before = syncs;
    assert_int_equal(apply_one(fixture, RECORD_JOB_DELETE, &gone, (struct bytes){0}), 0);
    assert_int_equal(syncs, before);
    assert_int_equal(fetch(fixture, FETCH_JOB, 2), -ENOENT);
    assert_int_equal(fetch(fixture, FETCH_JOB, 1), 0);
}

static void test_a_list_has_both_in_order_and_in_pages(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t after = 0, expected = 1;

    for (uint64_t id = 1; id <= 20; id++) /* runs of one and of several */
        SYNCS(id, id % 5 == 0 || id > 14 ? DURABLE_NONE : DURABLE_FULL);
    for (bool more = true; more;) {
        struct fetch what = {.kind = FETCH_JOBS, .job = after, .limit = 3};
        struct fetched out;
        assert_int_equal(store_layered.fetch(fixture->store, &what, &out), 0);
        for (size_t i = 0; i < out.rows_n; i++) {
            assert_int_equal(out.rows[i].id, expected++);
            assert_bytes(out.rows[i].queue, "q");
            after = out.rows[i].id;
        }
        more = out.more;
        fetched_clear(&out);
    }
    assert_int_equal(expected, 21);
}

static void test_all_of_a_batch_happens_or_nothing(void **state)
{
    static const enum durability both[] = {DURABLE_NONE, DURABLE_FULL};
    struct store_fixture *fixture = *state;

    fault_arm(FAULT_STORE_COMMIT, 1, 0, -ENOSPC);
    assert_int_equal(apply_new(fixture, 1, both, 2), -ENOSPC);
    assert_int_equal(fetch(fixture, FETCH_JOB, 1), -ENOENT);
    assert_int_equal(fetch(fixture, FETCH_JOB, 2), -ENOENT);
    assert_int_equal(apply_new(fixture, 1, both, 2), 0);
    assert_int_equal(fetch(fixture, FETCH_JOB, 1), 0);
    assert_int_equal(fetch(fixture, FETCH_JOB, 2), 0);
}

static void test_what_needs_no_disk_is_stored_at_once(void **state)
{
    struct list batches = LIST_INIT(batches);
    struct batch *first = batch_new(1), *second = batch_new(2);

    add(first, RECORD_JOB_NEW, 1, DURABLE_NONE);
    list_append(&batches, &first->link);
    assert_true(store_layered.at_once(&batches));
    add(second, RECORD_JOB_NEW, 2, DURABLE_PROCESS);
    list_append(&batches, &second->link);
    assert_false(store_layered.at_once(&batches));
    batch_delete(first);
    batch_delete(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_only_what_is_to_outlive_the_machine_waits_for_the_disk),
        TEST(test_a_batch_is_as_safe_as_the_safest_of_its_records),
        TEST(test_what_is_in_memory_is_found_and_goes_with_it),
        TEST(test_news_of_a_job_go_where_it_is),
        TEST(test_a_list_has_both_in_order_and_in_pages),
        TEST(test_all_of_a_batch_happens_or_nothing),
        TEST(test_what_needs_no_disk_is_stored_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
