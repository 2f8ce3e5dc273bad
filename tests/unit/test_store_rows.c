/* What every store keeps and gives back: the same tests against SQLite and memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
    assert_bytes(row->delays, "12345678");
    assert_memory_equal(&row->session, &expected.session, sizeof(expected.session));
#define SAME(member) assert_int_equal(row->member, expected.member)
    SAME(id), SAME(state), SAME(cause), SAME(error), SAME(attempt), SAME(attempts_max), SAME(crashes);
    SAME(priority), SAME(flags), SAME(uid), SAME(created_us), SAME(due_us), SAME(started_us), SAME(ended_us);
    SAME(deadline_us), SAME(backoff_ns), SAME(backoff_max_ns), SAME(time_limit_ns), SAME(grace_ns), SAME(op);
    SAME(output_bytes), SAME(jitter);
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

/* ---- what lies beside the row ---- */

enum { LONG_ARGUMENT = 70000 };

static int load_sizes(void *context, const struct job_row *row)
{
    uint64_t *seen = context;
    bool is_long = row->id % 2 == 0, printed = row->id >= 3;

    assert_int_equal(row->id, ++*seen);
    assert_int_equal(row->argument_bytes, is_long ? LONG_ARGUMENT : 1);
    assert_int_equal(row->output_bytes, printed ? 10 : 0);
    return 0;
}

static void test_load_gives_the_sizes_of_argument_and_output_of_each_job(void **state)
{
    static const char argument[LONG_ARGUMENT];
    struct store_fixture *fixture = *state;
    struct job_row row = row_ready(0);
    uint64_t seen = 0;
    struct store_load load = {load_sizes, &seen};

    for (row.id = 1; row.id <= 5; row.id++) {
        add(fixture, row.id, (struct bytes){argument, row.id % 2 ? 1 : sizeof(argument)});
        for (row.output_bytes = 0; row.id >= 3 && row.output_bytes < 10; row.output_bytes += 5)
            assert_int_equal(apply_one(fixture, RECORD_JOB_OUTPUT, &row, TEXT("lines")), 0);
    }
    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    assert_int_equal(seen, 5);
}

static void assert_key(struct store_fixture *fixture, uint64_t id, const char *key)
{
    struct fetched out;

    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = id}, &out), 0);
    assert_bytes(out.rows[0].once, key);
    assert_bytes(out.rows[0].delays, "12345678");
    assert_int_equal(out.rows[0].once_until_us, 19);
    fetched_clear(&out);
}

static void test_the_last_record_with_a_key_has_it(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row[2] = {row_ready(1), row_ready(2)};

    for (int i = 0; i < 2; i++) {
        row[i].once = TEXT("key");
        row[i].once_until_us = 19;
        assert_int_equal(apply_one(fixture, i ? RECORD_JOB_REPLACE : RECORD_JOB_NEW, &row[i], TEXT("a")), 0);
    }
    assert_key(fixture, 1, "");
    assert_key(fixture, 2, "key");
    assert_int_equal(apply_one(fixture, RECORD_JOB_STATE, &row[0], TEXT("")), 0);
    assert_key(fixture, 1, "key");
    assert_key(fixture, 2, "");
    row[0].once = TEXT("");
    assert_int_equal(apply_one(fixture, RECORD_JOB_END, &row[0], TEXT("")), 0);
    assert_key(fixture, 1, "");
}

/* Jobs 1 to 6, two to a batch: 2 and 5 have the same key, the argument of 4 is long, and job 3 ends between those that come. */
static void list_six(struct store_fixture *fixture, struct list *batches)
{
    static const char long_argument[LONG_ARGUMENT];

    for (uint64_t id = 1; id <= 6; id += 2) {
        struct job_row first = row_ready(id), second = row_ready(id + 1), done = row_done(id);
        struct batch *batch;
        first.once = id == 5 ? TEXT("key") : TEXT("");
        second.once = id == 1 ? TEXT("key") : TEXT("");
        batch = batch_of(fixture, RECORD_JOB_NEW, &first, TEXT("a"));
        if (id == 3)
            batch_append(batch, record_new(RECORD_JOB_END, &done, TEXT("result")));
        batch_append(batch, record_new(RECORD_JOB_NEW, &second,
                                       id == 3 ? (struct bytes){long_argument, LONG_ARGUMENT} : TEXT("ab")));
        list_append(batches, &batch->link);
    }
}

static void assert_job(struct store_fixture *fixture, uint64_t id, enum job_state state,
                       size_t argument_bytes, const char *key)
{
    struct fetched out;

    assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = id}, &out), 0);
    assert_int_equal(out.rows[0].state, state);
    assert_int_equal(out.rows[0].argument_bytes, argument_bytes);
    assert_bytes(out.rows[0].once, key);
    fetched_clear(&out);
}

static void test_jobs_of_several_batches_that_come_at_once_are_as_alone(void **state)
{
    struct store_fixture *fixture = *state;
    struct list batches = LIST_INIT(batches);

    list_six(fixture, &batches);
    list_append(&batches, &batch_new(100)->link); /* without a record */
    assert_int_equal(apply_list(fixture, &batches), 0);
    assert_int_equal(load_count(fixture), 6);
    assert_job(fixture, 1, JOB_READY, 1, "");
    assert_job(fixture, 2, JOB_READY, 2, "");
    assert_job(fixture, 3, JOB_DONE, 1, "");
    assert_job(fixture, 4, JOB_READY, LONG_ARGUMENT, "");
    assert_job(fixture, 5, JOB_READY, 1, "key");
    assert_job(fixture, 6, JOB_READY, 2, "");
}

static void test_nothing_is_left_of_jobs_of_which_one_is_there_already(void **state)
{
    struct store_fixture *fixture = *state;
    struct list batches = LIST_INIT(batches);

    add(fixture, 6, TEXT("a"));
    list_six(fixture, &batches);
    assert_true(apply_list(fixture, &batches) < 0);
    assert_int_equal(load_count(fixture), 1);
    add(fixture, 1, TEXT("a"));
    assert_int_equal(load_count(fixture), 2);
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
        assert_int_equal(fetch(fixture, (struct fetch){.kind = FETCH_JOB, .job = i + 1}, &out), 0);
        assert_int_equal(out.rows[0].argument_bytes, sizes[i]);
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

/* ---- durable channels ---- */

static int apply_record(struct store_fixture *fixture, struct record *record)
{
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(++fixture->last_batch);

    assert_true(record && batch);
    batch_append(batch, record);
    list_append(&batches, &batch->link);
    return apply_list(fixture, &batches);
}

static void put_channel(struct store_fixture *fixture, enum record_kind kind, struct channel_row row)
{
    assert_int_equal(apply_record(fixture, record_new_channel(kind, &row)), 0);
}

static void put_value(struct store_fixture *fixture, enum record_kind kind, struct value_row row,
                      struct bytes body)
{
    assert_int_equal(apply_record(fixture, record_new_value(kind, &row, body)), 0);
}

struct loaded {
    char text[512];
};

static void say(struct loaded *loaded, const char *format, ...)
{
    size_t used = strlen(loaded->text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(loaded->text + used, sizeof(loaded->text) - used, format, arguments);
    va_end(arguments);
}

static int see_channel(void *context, const struct channel_row *row)
{
    say(context, "%d %.*s %.*s %d %d %d %d %d %d %d;", (int)row->id, (int)row->name.size,
        (const char *)row->name.data, (int)row->tag.size, (const char *)row->tag.data, (int)row->capacity,
        (int)row->value_bytes_max, (int)row->element_bytes, (int)row->seen, (int)row->flags, (int)row->uid,
        row->closed);
    return 0;
}

static int see_value(void *context, const struct value_row *row, struct bytes body)
{
    say(context, " %d/%d %d %d %.*s", (int)row->channel, (int)row->sequence, (int)row->uid, row->seen,
        (int)body.size, (const char *)body.data);
    return 0;
}

static void assert_channels(struct store_fixture *fixture, const char *text)
{
    struct loaded loaded = {""};
    struct store_load load = {
        .job = load_stop, .context = &loaded, .channel = see_channel, .value = see_value};

    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    assert_string_equal(loaded.text, text);
}

static const struct channel_row some_channel = {.id = 1,
                                                .name = {"c", 1},
                                                .tag = {"t", 1},
                                                .capacity = 2,
                                                .value_bytes_max = 3,
                                                .element_bytes = 4,
                                                .seen = 5,
                                                .flags = 6,
                                                .uid = 7};

static void test_IP12_3_a_channel_and_its_values_come_back_in_order(void **state)
{
    struct store_fixture *fixture = *state;
    struct channel_row row = some_channel;

    put_channel(fixture, RECORD_CHANNEL, row);
    put_value(fixture, RECORD_VALUE, (struct value_row){1, 9, 8, true}, TEXT("a"));
    put_value(fixture, RECORD_VALUE, (struct value_row){1, 10, 8, false}, TEXT(""));
    put_value(fixture, RECORD_VALUE, (struct value_row){1, 11, 8, false}, TEXT("b"));
    assert_channels(fixture, "1 c t 2 3 4 5 6 7 0; 1/9 8 1 a 1/10 8 0  1/11 8 0 b");
    put_value(fixture, RECORD_VALUE_GONE, (struct value_row){1, 10}, TEXT(""));
    row.closed = true;
    put_channel(fixture, RECORD_CHANNEL, row);
    row.seen = 9;
    row.closed = false; /* of a mark nothing else counts */
    put_channel(fixture, RECORD_CHANNEL_SEEN, row);
    assert_channels(fixture, "1 c t 2 3 4 9 6 7 1; 1/9 8 1 a 1/11 8 0 b");
}

static void test_IP12_5_a_channel_goes_with_its_values_and_leaves_the_name_to_another(void **state)
{
    struct store_fixture *fixture = *state;
    struct channel_row other = some_channel;

    other.id = 2;
    put_channel(fixture, RECORD_CHANNEL, some_channel);
    put_value(fixture, RECORD_VALUE, (struct value_row){1, 1, 8, false}, TEXT("a"));
    put_channel(fixture, RECORD_CHANNEL_GONE, some_channel);
    put_channel(fixture, RECORD_CHANNEL, other);
    put_value(fixture, RECORD_VALUE, (struct value_row){2, 1, 8, false}, TEXT("b"));
    assert_channels(fixture, "2 c t 2 3 4 5 6 7 0; 2/1 8 0 b");
}

static void test_records_of_a_channel_that_is_not_there_change_nothing(void **state)
{
    struct store_fixture *fixture = *state;

    put_value(fixture, RECORD_VALUE, (struct value_row){1, 1, 8, false}, TEXT("a"));
    put_value(fixture, RECORD_VALUE_GONE, (struct value_row){1, 1}, TEXT(""));
    put_channel(fixture, RECORD_CHANNEL_SEEN, some_channel);
    put_channel(fixture, RECORD_CHANNEL_GONE, some_channel);
    assert_channels(fixture, "");
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
        BOTH(test_load_gives_the_sizes_of_argument_and_output_of_each_job),
        BOTH(test_load_stops_with_what_the_callback_said),
        BOTH(test_the_last_record_with_a_key_has_it),
        BOTH(test_jobs_of_several_batches_that_come_at_once_are_as_alone),
        cmocka_unit_test_prestate_setup_teardown(test_nothing_is_left_of_jobs_of_which_one_is_there_already,
                                                 set_up, tear_down, (void *)&store_sqlite),
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
        BOTH(test_IP12_3_a_channel_and_its_values_come_back_in_order),
        BOTH(test_IP12_5_a_channel_goes_with_its_values_and_leaves_the_name_to_another),
        BOTH(test_records_of_a_channel_that_is_not_there_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
