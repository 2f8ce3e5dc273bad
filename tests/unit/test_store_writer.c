/* The store's threads: groups, order of fates, and what a full or failing store does to whom. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "layered.h"
#include "store_fixture.h"
#include "writer.h"

/* The store in memory as one that takes time: everything goes through the store thread. Set in main. */
static struct store_ops store_behind;

/* The fates as they came: "3 5! 9" says that 1..3 were stored, 4..5 failed with -ENOSPC, 6..9 were stored. */
struct hub {
    struct store_fixture *fixture;
    struct writer *writer;
    char fates[256];
    uint64_t last, fetched;
    int fetch_error;
    _Atomic int fatal; /* set on the store thread */
};

static void on_stored(void *context, uint64_t batch, int error)
{
    struct hub *hub = context;
    size_t used = strlen(hub->fates);

    snprintf(hub->fates + used, sizeof(hub->fates) - used, "%s%llu%s", used ? " " : "",
             (unsigned long long)batch,
             error == -ENOSPC   ? "!"
             : error == -ENOMEM ? "m"
             : error            ? "?"
                                : "");
    hub->last = batch;
}

static void on_fetched(void *context, uint64_t number, int error, const struct fetched *fetched)
{
    struct hub *hub = context;

    hub->fetched = number;
    hub->fetch_error = error;
    if (error == 0)
        assert_bytes(fetched->body, "argument");
}

static void on_fatal(void *context, int error)
{
    ((struct hub *)context)->fatal = error;
}

static void start(struct hub *hub)
{
    struct writer_options options = {.ops = hub->fixture->ops,
                                     .store = hub->fixture->store,
                                     .stored = on_stored,
                                     .fetched = on_fetched,
                                     .fatal = on_fatal,
                                     .context = hub,
                                     .retry_ms = 1,
                                     .idle_ms = 1};

    assert_int_equal(writer_start(&options, &hub->writer), 0);
}

static int set_up(void **state)
{
    struct hub *hub = calloc(1, sizeof(*hub));

    hub->fixture = store_fixture_new(*state);
    store_fixture_open(hub->fixture, 0);
    *state = hub;
    return 0;
}

static int tear_down(void **state)
{
    struct hub *hub = *state;

    fault_disarm_all();
    writer_stop(hub->writer);
    store_fixture_free(hub->fixture);
    free(hub);
    return 0;
}

static void collect(struct hub *hub)
{
    struct pollfd event = {writer_fd(hub->writer), POLLIN, 0};

    assert_int_equal(poll(&event, 1, 10000), 1);
    writer_collect(hub->writer);
}

static void wait_for(struct hub *hub, uint64_t batch)
{
    while (hub->last < batch)
        collect(hub);
}

static void queue_new(struct hub *hub, struct list *batches, uint64_t id)
{
    struct job_row row = row_ready(id);

    list_append(batches, &batch_of(hub->fixture, RECORD_JOB_NEW, &row, TEXT("argument"))->link);
}

static void queue_end(struct hub *hub, struct list *batches, uint64_t id)
{
    struct job_row row = row_done(id);

    list_append(batches, &batch_of(hub->fixture, RECORD_JOB_END, &row, TEXT("result"))->link);
}

static void test_all_that_waits_is_one_transaction(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    for (uint64_t id = 1; id <= 100; id++)
        queue_new(hub, &batches, id);
    start(hub);
    writer_push(hub->writer, &batches);
    wait_for(hub, 100);
    assert_string_equal(hub->fates, "100");
    assert_int_equal(writer_stats(hub->writer).groups, 1);
}

static void test_it_tells_whether_something_waits_for_the_disk(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);
    struct job_row row = row_ready(3);

    start(hub);
    assert_false(writer_syncs(hub->writer));
    queue_new(hub, &batches, 1);
    queue_new(hub, &batches, 2);
    writer_push(hub->writer, &batches);
    assert_true(writer_syncs(hub->writer));
    wait_for(hub, 2);
    assert_false(writer_syncs(hub->writer));
    row.flags = (uint32_t)DURABLE_PROCESS << DURABILITY_SHIFT;
    list_append(&batches, &batch_of(hub->fixture, RECORD_JOB_NEW, &row, TEXT("argument"))->link);
    writer_push(hub->writer, &batches);
    assert_false(writer_syncs(hub->writer));
    wait_for(hub, 3);
    assert_false(writer_syncs(hub->writer));
}

static void test_a_group_is_bounded(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);
    uint64_t count = WRITER_GROUP_RECORDS * 2 + 1;

    for (uint64_t id = 1; id <= count; id++)
        queue_new(hub, &batches, id);
    start(hub);
    writer_push(hub->writer, &batches);
    wait_for(hub, count);
    assert_int_equal(writer_stats(hub->writer).groups, 3);
}

static void test_stop_stores_what_waits(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    queue_new(hub, &batches, 1);
    start(hub);
    writer_push(hub->writer, &batches);
    hub->writer = writer_stop(hub->writer);
    assert_string_equal(hub->fates, "1");
    assert_int_equal(load_count(hub->fixture), 1);
}

static void test_full_store_fails_admissions_and_keeps_ends_in_order(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);
    struct fetched out;

    start(hub);
    queue_new(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    wait_for(hub, 1);
    fault_arm(FAULT_STORE_COMMIT, 1, 0, -ENOSPC);
    queue_new(hub, &batches, 2); /* batch 2 */
    queue_end(hub, &batches, 1); /* batch 3 */
    queue_new(hub, &batches, 3); /* batches 4 and 5 */
    queue_new(hub, &batches, 4);
    writer_push(hub->writer, &batches);
    wait_for(hub, 5);
    assert_string_equal(hub->fates, "1 2! 3 5!");
    assert_int_equal(load_count(hub->fixture), 1);
    struct fetch what = {.kind = FETCH_JOB, .job = 1};
    assert_int_equal(hub->fixture->ops->fetch(hub->fixture->store, &what, &out), 0);
    assert_bytes(out.body, "result");
    fetched_clear(&out);
}

static void test_an_end_is_tried_until_it_is_stored(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    start(hub);
    queue_new(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    wait_for(hub, 1);
    fault_arm(FAULT_STORE_COMMIT, 1, 4, -ENOSPC);
    queue_new(hub, &batches, 2);
    queue_end(hub, &batches, 1);
    queue_new(hub, &batches, 3);
    writer_push(hub->writer, &batches);
    wait_for(hub, 4);
    assert_string_equal(hub->fates, "1 2! 3 4!");
}

static void test_admissions_fail_untried_while_the_ballast_is_out(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    start(hub);
    fault_arm(FAULT_STORE_BALLAST, 1, 1 << 30, -ENOSPC);
    fault_arm(FAULT_STORE_COMMIT, 1, 0, -ENOSPC);
    for (uint64_t id = 1; id <= 3; id++) {
        queue_new(hub, &batches, id);
        writer_push(hub->writer, &batches);
        wait_for(hub, id);
    }
    assert_string_equal(hub->fates, "1! 2! 3!");
    assert_true(writer_stats(hub->writer).full);
    assert_int_equal(writer_stats(hub->writer).groups, 0);
}

static void test_admissions_go_on_when_the_ballast_is_back(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    start(hub);
    fault_arm(FAULT_STORE_BALLAST, 1, 3, -ENOSPC);
    fault_arm(FAULT_STORE_COMMIT, 1, 0, -ENOSPC);
    queue_new(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    wait_for(hub, 1);
    assert_string_equal(hub->fates, "1!");
    for (uint64_t id = 2; hub->fates[strlen(hub->fates) - 1] == '!'; id++) {
        hub->fates[0] = 0;
        queue_new(hub, &batches, id);
        writer_push(hub->writer, &batches);
        wait_for(hub, id);
    }
    assert_false(writer_stats(hub->writer).full);
}

static void test_a_store_without_room_for_the_ballast_is_full_from_the_start(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    fault_arm(FAULT_STORE_BALLAST, 1, 1 << 30, -ENOSPC);
    start(hub);
    assert_true(writer_stats(hub->writer).full);
    queue_new(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    wait_for(hub, 1);
    assert_string_equal(hub->fates, "1!");
}

static void test_out_of_memory_is_told_as_such(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    fault_arm(FAULT_STORE_RECORD, 1, 0, -ENOMEM);
    start(hub);
    queue_new(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    wait_for(hub, 1);
    assert_string_equal(hub->fates, "1m");
}

static void test_stop_gives_up_what_cannot_be_stored(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    fault_arm(FAULT_STORE_COMMIT, 1, 1 << 30, -ENOSPC);
    start(hub);
    queue_end(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    hub->writer = writer_stop(hub->writer);
    assert_string_equal(hub->fates, "");
}

static void test_io_error_is_fatal_and_nothing_is_reported(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);

    fault_arm(FAULT_STORE_COMMIT, 1, 0, -EIO);
    start(hub);
    queue_new(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    hub->writer = writer_stop(hub->writer);
    assert_int_equal(hub->fatal, -EIO);
    assert_string_equal(hub->fates, "");
}

static void test_an_instant_store_has_stored_when_the_push_returns(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);
    struct fetch what = {.kind = FETCH_ARGUMENT, .job = 1};

    start(hub);
    queue_new(hub, &batches, 1);
    queue_new(hub, &batches, 2);
    writer_push(hub->writer, &batches);
    assert_true(list_empty(&batches));
    assert_int_equal(writer_fetch(hub->writer, 7, &what), 0);
    assert_int_equal(writer_collect(hub->writer), 2); /* without having waited */
    assert_string_equal(hub->fates, "2");
    assert_int_equal(hub->fetched, 7);
}

static void test_a_full_disk_is_nothing_to_what_is_in_memory_alone(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);
    struct job_row row = row_ready(2);

    fault_arm(FAULT_STORE_BALLAST, 1, 1 << 30, -ENOSPC);
    start(hub);
    queue_new(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    wait_for(hub, 1);
    row.flags |= (uint32_t)DURABLE_NONE << DURABILITY_SHIFT;
    list_append(&batches, &batch_of(hub->fixture, RECORD_JOB_NEW, &row, TEXT("argument"))->link);
    writer_push(hub->writer, &batches);
    wait_for(hub, 2);
    assert_true(writer_stats(hub->writer).full);
    assert_string_equal(hub->fates, "1! 2");
}

/* Told together with one that needs the disk, it goes the way of all: through the store thread, which knows the disk is full. */
static void test_a_full_disk_is_nothing_to_it_in_the_queue_either(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);
    struct job_row row = row_ready(2);

    fault_arm(FAULT_STORE_BALLAST, 1, 1 << 30, -ENOSPC);
    start(hub);
    queue_new(hub, &batches, 1);
    row.flags |= (uint32_t)DURABLE_NONE << DURABILITY_SHIFT;
    list_append(&batches, &batch_of(hub->fixture, RECORD_JOB_NEW, &row, TEXT("argument"))->link);
    writer_push(hub->writer, &batches);
    wait_for(hub, 2);
    assert_true(writer_stats(hub->writer).full);
    assert_string_equal(hub->fates, "1! 2");
}

static void test_a_fetch_is_answered_by_its_number(void **state)
{
    struct hub *hub = *state;
    struct list batches = LIST_INIT(batches);
    struct fetch what = {.kind = FETCH_ARGUMENT, .job = 1};

    start(hub);
    queue_new(hub, &batches, 1);
    writer_push(hub->writer, &batches);
    wait_for(hub, 1);
    assert_int_equal(writer_fetch(hub->writer, 77, &what), 0);
    while (hub->fetched == 0)
        collect(hub);
    assert_int_equal(hub->fetched, 77);
    assert_int_equal(hub->fetch_error, 0);
    what.job = 2;
    assert_int_equal(writer_fetch(hub->writer, 78, &what), 0);
    while (hub->fetched == 77)
        collect(hub);
    assert_int_equal(hub->fetch_error, -ENOENT);
}

static void test_faults_are_read_from_text(void **state)
{
    const char *where = NULL;

    assert_int_equal(fault_arm_text(NULL, &where), 0);
    assert_int_equal(fault_arm_text("store-begin=2:EIO,store-commit=1+1:ENOSPC", &where), 0);
    assert_int_equal(fault_hit(FAULT_STORE_BEGIN), 0);
    assert_int_equal(fault_hit(FAULT_STORE_BEGIN), -EIO);
    assert_int_equal(fault_hit(FAULT_STORE_BEGIN), 0);
    assert_int_equal(fault_hit(FAULT_STORE_COMMIT), -ENOSPC);
    assert_int_equal(fault_hit(FAULT_STORE_COMMIT), -ENOSPC);
    assert_int_equal(fault_hit(FAULT_STORE_COMMIT), 0);
    fault_disarm_all();
}

static void test_text_that_names_no_fault_is_refused_where_it_stands(void **state)
{
    static const char *const wrong[] = {"x=1:EIO",           "store-begin",        "store-begin=:EIO",
                                        "store-begin=0:EIO", "store-begin=1:what", "store-begin=1+:EIO",
                                        "store-begin=1EIO",  "store-begin=1:EIO;"};
    const char *where;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        where = NULL;
        assert_int_equal(fault_arm_text(wrong[i], &where), -EINVAL);
        assert_ptr_equal(where, wrong[i]);
    }
    fault_disarm_all();
}

#define BOTH(test)                                                                                           \
    {"sqlite: " #test, test, set_up, tear_down, (void *)&store_sqlite},                                      \
    {                                                                                                        \
        "memory: " #test, test, set_up, tear_down, (void *)&store_behind                                     \
    }

#define ALL(test)                                                                                            \
    BOTH(test),                                                                                              \
    {                                                                                                        \
        "instant: " #test, test, set_up, tear_down, (void *)&store_memory                                    \
    }

int main(void)
{
    store_behind = store_memory;
    store_behind.instant = false;
    const struct CMUnitTest tests[] = {
        BOTH(test_all_that_waits_is_one_transaction),
        BOTH(test_it_tells_whether_something_waits_for_the_disk),
        BOTH(test_a_group_is_bounded),
        ALL(test_stop_stores_what_waits),
        BOTH(test_full_store_fails_admissions_and_keeps_ends_in_order),
        ALL(test_an_end_is_tried_until_it_is_stored),
        BOTH(test_admissions_fail_untried_while_the_ballast_is_out),
        BOTH(test_admissions_go_on_when_the_ballast_is_back),
        ALL(test_a_store_without_room_for_the_ballast_is_full_from_the_start),
        BOTH(test_out_of_memory_is_told_as_such),
        ALL(test_stop_gives_up_what_cannot_be_stored),
        ALL(test_io_error_is_fatal_and_nothing_is_reported),
        ALL(test_a_fetch_is_answered_by_its_number),
        {"instant: test_an_instant_store_has_stored_when_the_push_returns",
         test_an_instant_store_has_stored_when_the_push_returns, set_up, tear_down, (void *)&store_memory},
        {"layered: test_a_full_disk_is_nothing_to_what_is_in_memory_alone",
         test_a_full_disk_is_nothing_to_what_is_in_memory_alone, set_up, tear_down, (void *)&store_layered},
        {"layered: test_a_full_disk_is_nothing_to_it_in_the_queue_either",
         test_a_full_disk_is_nothing_to_it_in_the_queue_either, set_up, tear_down, (void *)&store_layered},
        cmocka_unit_test(test_faults_are_read_from_text),
        cmocka_unit_test(test_text_that_names_no_fault_is_refused_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
