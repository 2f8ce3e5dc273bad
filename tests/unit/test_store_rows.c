/* What every store keeps and gives back: the same tests against SQLite and memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
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

static int fetch(struct store_fixture *fixture, struct fetch what, struct fetched *out)
{
    return fixture->ops->fetch(fixture->store, &what, out);
}

static void add(struct store_fixture *fixture, uint64_t id, struct bytes argument)
{
    struct job_row row = row_ready(id);

    assert_int_equal(apply_one(fixture, RECORD_JOB_NEW, &row, argument), 0);
}

static void assert_row_is_ready_row(const struct job_row *row, uint64_t id)
{
    struct job_row expected = row_ready(id);

    assert_bytes(row->plugin, "/p.so");
    assert_bytes(row->function, "f");
    assert_bytes(row->queue, "q");
    assert_bytes(row->key, "k");
    assert_bytes(row->text, "why");
    assert_memory_equal(&row->session, &expected.session, sizeof(expected.session));
#define SAME(member) assert_int_equal(row->member, expected.member)
    SAME(id), SAME(state), SAME(cause), SAME(error), SAME(attempt), SAME(attempts_max), SAME(crashes);
    SAME(priority), SAME(flags), SAME(uid), SAME(created_us), SAME(due_us), SAME(started_us), SAME(ended_us);
    SAME(deadline_us), SAME(backoff_ns), SAME(backoff_max_ns), SAME(time_limit_ns), SAME(grace_ns), SAME(op);
    SAME(output_bytes);
#undef SAME
}

static int load_ready(void *context, const struct job_row *row)
{
    assert_row_is_ready_row(row, ++*(uint64_t *)context);
    return 0;
}

static void test_load_gives_every_column_in_id_order(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t last = 0;
    struct store_load load = {load_ready, &last};

    for (uint64_t id = 1; id <= 3; id++)
        add(fixture, id, TEXT("a"));
    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    assert_int_equal(last, 3);
}

static int load_stop(void *context, const struct job_row *row)
{
    return ++*(int *)context == 2 ? -EINVAL : 0;
}

static void test_load_stops_with_what_the_callback_said(void **state)
{
    struct store_fixture *fixture = *state;
    int count = 0;
    struct store_load load = {load_stop, &count};

    for (uint64_t id = 1; id <= 3; id++)
        add(fixture, id, TEXT("a"));
    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), -EINVAL);
    assert_int_equal(count, 2);
}

static void test_argument_comes_back_whatever_its_size(void **state)
{
    const size_t sizes[] = {0, 1, 65536, 65537, 1 << 20};
    struct store_fixture *fixture = *state;
    struct fetched out;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        char *body = malloc(sizes[i] + 1);
        memset(body, 'a' + (int)i, sizes[i] + 1);
        add(fixture, i + 1, (struct bytes){body, sizes[i]});
        assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_ARGUMENT, .job = i + 1}, &out), 0);
        assert_int_equal(out.body.size, sizes[i]);
        assert_memory_equal(out.body.data, body, sizes[i]);
        fetched_clear(&out);
        free(body);
    }
}

static void test_running_is_stored_as_ready(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row = row_ready(1);
    struct fetched out;

    row.state = JOB_RUNNING;
    assert_int_equal(apply_one(fixture, RECORD_JOB_NEW, &row, TEXT("")), 0);
    assert_int_equal(apply_one(fixture, RECORD_JOB_STATE, &row, TEXT("")), 0);
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = 1}, &out), 0);
    assert_int_equal(out.rows[0].state, JOB_READY);
    fetched_clear(&out);
}

static void test_end_keeps_state_and_result(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row = row_done(1);
    struct fetched out;

    add(fixture, 1, TEXT("a"));
    assert_int_equal(apply_one(fixture, RECORD_JOB_END, &row, TEXT("result")), 0);
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = 1}, &out), 0);
    assert_int_equal(out.rows[0].state, JOB_DONE);
    assert_int_equal(out.rows[0].ended_us, 99);
    assert_bytes(out.rows[0].text, "over");
    assert_bytes(out.body, "result");
    fetched_clear(&out);
}

static void test_records_of_a_job_that_is_not_there_change_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row = row_done(1);
    struct fetched out;

    for (int kind = RECORD_JOB_STATE; kind <= RECORD_JOB_DELETE; kind++)
        assert_int_equal(apply_one(fixture, (enum record_kind)kind, &row, TEXT("x")), 0);
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = 1}, &out), -ENOENT);
    assert_int_equal(load_count(fixture), 0);
}

static void test_delete_takes_every_trace(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row = row_done(1);
    struct fetched out;

    add(fixture, 1, TEXT("a"));
    apply_one(fixture, RECORD_JOB_OUTPUT, &row, TEXT("printed"));
    apply_one(fixture, RECORD_JOB_END, &row, TEXT("result"));
    assert_int_equal(apply_one(fixture, RECORD_JOB_DELETE, &row, TEXT("")), 0);
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = 1}, &out), -ENOENT);
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_ARGUMENT, .job = 1}, &out), -ENOENT);
    assert_int_equal(
        fetch(fixture, (struct fetch){.kind = FETCH_OP, .session = row.session, .op = 101}, &out), -ENOENT);
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_OUTPUT, .job = 1, .limit = 9}, &out), 0);
    assert_int_equal(out.body.size, 0);
    fetched_clear(&out);
}

static void test_list_pages_by_id_and_filters_by_state(void **state)
{
    struct store_fixture *fixture = *state;
    struct fetched out;

    for (uint64_t id = 1; id <= 6; id++)
        add(fixture, id, TEXT("a"));
    for (uint64_t id = 2; id <= 6; id += 2) {
        struct job_row row = row_done(id);
        apply_one(fixture, RECORD_JOB_END, &row, TEXT(""));
    }
    struct fetch done = {.kind = FETCH_JOBS, .states = 1u << JOB_DONE, .limit = 2};
    assert_int_equal(fetch(fixture, done, &out), 0);
    assert_int_equal(out.rows_n, 2);
    assert_int_equal(out.rows[1].id, 4);
    assert_true(out.more);
    fetched_clear(&out);
    done.job = 4;
    assert_int_equal(fetch(fixture, done, &out), 0);
    assert_int_equal(out.rows_n, 1);
    assert_false(out.more);
    fetched_clear(&out);
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOBS, .limit = 100}, &out), 0);
    assert_int_equal(out.rows_n, 6);
    fetched_clear(&out);
}

static void test_IP4_a_submit_is_found_by_session_and_operation(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row = row_ready(7);
    struct fetched out;

    add(fixture, 7, TEXT("a"));
    assert_int_equal(
        fetch(fixture, (struct fetch){.kind = FETCH_OP, .session = row.session, .op = 107}, &out), 0);
    assert_int_equal(out.rows[0].id, 7);
    fetched_clear(&out);
    assert_int_equal(
        fetch(fixture, (struct fetch){.kind = FETCH_OP, .session = row.session, .op = 108}, &out), -ENOENT);
}

static void print(struct store_fixture *fixture, uint64_t start, struct bytes text)
{
    struct job_row row = row_ready(1);

    row.output_bytes = start;
    assert_int_equal(apply_one(fixture, RECORD_JOB_OUTPUT, &row, text), 0);
}

static void assert_output(struct store_fixture *fixture, uint64_t offset, uint32_t limit, uint64_t start,
                          const char *text, bool more)
{
    struct fetched out;

    assert_int_equal(fetch(fixture,
                           (struct fetch){.kind = FETCH_OUTPUT, .job = 1, .offset = offset, .limit = limit},
                           &out),
                     0);
    assert_int_equal(out.offset, start);
    assert_bytes(out.body, text);
    assert_int_equal(out.more, more);
    fetched_clear(&out);
}

static void test_output_is_read_across_pieces(void **state)
{
    struct store_fixture *fixture = *state;

    add(fixture, 1, TEXT("a"));
    print(fixture, 0, TEXT("one "));
    print(fixture, 4, TEXT("two "));
    print(fixture, 8, TEXT("three"));
    assert_output(fixture, 0, 100, 0, "one two three", false);
    assert_output(fixture, 2, 4, 2, "e tw", true);
    assert_output(fixture, 8, 5, 8, "three", false);
    assert_output(fixture, 13, 5, 13, "", false);
}

static void test_output_that_was_lost_shows_as_a_later_offset(void **state)
{
    struct store_fixture *fixture = *state;

    add(fixture, 1, TEXT("a"));
    print(fixture, 0, TEXT("one "));
    print(fixture, 8, TEXT("three"));
    assert_output(fixture, 0, 100, 0, "one ", true);
    assert_output(fixture, 4, 100, 8, "three", false);
}

static void test_output_size_is_a_column_of_the_row(void **state)
{
    struct store_fixture *fixture = *state;
    struct fetched out;

    add(fixture, 1, TEXT("a"));
    print(fixture, 0, TEXT("one "));
    print(fixture, 4, TEXT("two"));
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = 1}, &out), 0);
    assert_int_equal(out.rows[0].output_bytes, 7);
    fetched_clear(&out);
}

static void test_nothing_of_a_failed_transaction_happened(void **state)
{
    const enum fault points[] = {FAULT_STORE_BEGIN, FAULT_STORE_RECORD, FAULT_STORE_BEFORE_COMMIT,
                                 FAULT_STORE_COMMIT};
    struct store_fixture *fixture = *state;
    struct list batches = LIST_INIT(batches);
    struct job_row first = row_ready(1), second = row_ready(2);

    for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
        fault_arm(points[i], points[i] == FAULT_STORE_RECORD ? 2 : 1, 0, -ENOSPC);
        list_append(&batches, &batch_of(fixture, RECORD_JOB_NEW, &first, TEXT("a"))->link);
        list_append(&batches, &batch_of(fixture, RECORD_JOB_NEW, &second, TEXT("a"))->link);
        assert_int_equal(apply_list(fixture, &batches), -ENOSPC);
        assert_int_equal(load_count(fixture), 0);
    }
    add(fixture, 1, TEXT("a"));
    assert_int_equal(load_count(fixture), 1);
}

static void test_a_failed_fetch_leaves_nothing_to_clear(void **state)
{
    struct store_fixture *fixture = *state;
    struct fetched out;

    add(fixture, 1, TEXT("a"));
    fault_arm(FAULT_STORE_FETCH, 1, 0, -EIO);
    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = 1}, &out), -EIO);
    assert_true(list_empty(&out.memory));
}

#define BOTH(test)                                                                                           \
    {"sqlite: " #test, test, set_up, tear_down, (void *)&store_sqlite},                                      \
    {                                                                                                        \
        "memory: " #test, test, set_up, tear_down, (void *)&store_memory                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_load_gives_every_column_in_id_order),
        BOTH(test_load_stops_with_what_the_callback_said),
        BOTH(test_argument_comes_back_whatever_its_size),
        BOTH(test_running_is_stored_as_ready),
        BOTH(test_end_keeps_state_and_result),
        BOTH(test_records_of_a_job_that_is_not_there_change_nothing),
        BOTH(test_delete_takes_every_trace),
        BOTH(test_list_pages_by_id_and_filters_by_state),
        BOTH(test_IP4_a_submit_is_found_by_session_and_operation),
        BOTH(test_output_is_read_across_pieces),
        BOTH(test_output_that_was_lost_shows_as_a_later_offset),
        BOTH(test_output_size_is_a_column_of_the_row),
        BOTH(test_nothing_of_a_failed_transaction_happened),
        BOTH(test_a_failed_fetch_leaves_nothing_to_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
