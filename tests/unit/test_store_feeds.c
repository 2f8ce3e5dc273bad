/* What every store keeps of feeds: the same tests against SQLite and memory; and a job that is in memory alone. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "layered.h"
#include "sqlite.h"
#include "topics_fixture.h"

/* Every column different from 0. */
static struct feed_row row_of(uint64_t id, const char *name)
{
    return (struct feed_row){.id = id,
                             .ahead = 2,
                             .uid = 3000000000u,
                             .argument = 2,
                             .paused = true,
                             .from_us = -4,
                             .progress = {.cursor = 5, .jobs = 6, .missed = 7, .last_job = 8},
                             .name = bytes(name),
                             .pattern = TEXT("a.>"),
                             .plugin = TEXT("/p.so"),
                             .function = TEXT("f"),
                             .queue = TEXT("q")};
}

struct loaded {
    char text[512];
};

static int see_feed(void *context, const struct feed_row *row)
{
    struct loaded *loaded = context;
    size_t used = strlen(loaded->text);

    assert_true(row->uid == 3000000000u && row->argument == 2 && row->from_us == -4 && row->ahead == 2);
    assert_bytes(row->pattern, "a.>");
    assert_bytes(row->plugin, "/p.so");
    assert_bytes(row->function, "f");
    assert_bytes(row->queue, "q");
    snprintf(loaded->text + used, sizeof(loaded->text) - used, "%d %.*s%s %d-%d-%d-%d; ", (int)row->id,
             (int)row->name.size, (const char *)row->name.data, row->paused ? "" : " runs",
             (int)row->progress.cursor, (int)row->progress.jobs, (int)row->progress.missed,
             (int)row->progress.last_job);
    return 0;
}

static int no_job(void *context, const struct job_row *row)
{
    return 0;
}

static void assert_feeds(struct store_fixture *fixture, const char *text)
{
    struct loaded loaded = {.text = ""};
    const struct store_load load = {.job = no_job, .context = &loaded, .feed = see_feed};

    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    assert_string_equal(loaded.text, text);
}

static void feed(struct store_fixture *fixture, enum record_kind kind, struct feed_row row)
{
    put(fixture, record_new_feed(kind, &row));
}

/* A new job; of that feed, which has come so far. */
static struct record *job_of(uint64_t id, enum durability durability, struct feed_step step)
{
    struct job_row row = row_ready(id);

    row.flags |= (uint32_t)durability << DURABILITY_SHIFT;
    struct record *record = record_new(RECORD_JOB_NEW, &row, TEXT("argument"));
    record->step = step;
    return record;
}

static struct feed_step step(uint64_t feed, uint64_t cursor)
{
    return (struct feed_step){feed, {.cursor = cursor, .jobs = cursor, .last_job = cursor}};
}

static void test_a_feed_is_kept_changed_and_removed(void **state)
{
    struct store_fixture *fixture = *state;
    struct feed_row changed = row_of(2, "two");

    feed(fixture, RECORD_FEED, row_of(2, "two"));
    feed(fixture, RECORD_FEED, row_of(1, "one"));
    assert_feeds(fixture, "1 one 5-6-7-8; 2 two 5-6-7-8; ");
    changed.paused = false;
    changed.progress = (struct feed_progress){.cursor = 50};
    feed(fixture, RECORD_FEED, changed);
    assert_feeds(fixture, "1 one 5-6-7-8; 2 two runs 5-6-7-8; ");
    changed.moves = true;
    feed(fixture, RECORD_FEED, changed);
    changed.progress.missed = 1;
    feed(fixture, RECORD_FEED_MOVE, (struct feed_row){.id = 1, .progress = changed.progress});
    assert_feeds(fixture, "1 one 50-0-1-0; 2 two runs 50-0-0-0; ");
    feed(fixture, RECORD_FEED_GONE, (struct feed_row){.id = 1});
    feed(fixture, RECORD_FEED_MOVE, (struct feed_row){.id = 1, .progress = changed.progress});
    feed(fixture, RECORD_FEED, row_of(3, "one")); /* its name is free */
    assert_feeds(fixture, "2 two runs 50-0-0-0; 3 one 5-6-7-8; ");
}

static void test_a_job_of_a_feed_moves_it_in_one_record(void **state)
{
    struct store_fixture *fixture = *state;
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(++fixture->last_batch);

    feed(fixture, RECORD_FEED, row_of(1, "one"));
    feed(fixture, RECORD_FEED, row_of(2, "two"));
    batch_append(batch, job_of(1, DURABLE_FULL, step(1, 60)));
    batch_append(batch, job_of(2, DURABLE_FULL, step(1, 61)));
    batch_append(batch, job_of(3, DURABLE_FULL, step(2, 62)));
    batch_append(batch, job_of(4, DURABLE_FULL, step(1, 63)));
    batch_append(batch, job_of(5, DURABLE_FULL, (struct feed_step){0}));
    batch_append(batch, job_of(6, DURABLE_FULL, step(9, 64))); /* of one that is gone */
    assert_true(batch_admits(batch));
    list_append(&batches, &batch->link);
    assert_int_equal(apply_list(fixture, &batches), 0);
    assert_feeds(fixture, "1 one 63-63-0-63; 2 two 62-62-0-62; ");
}

static void test_a_refused_job_moves_nothing(void **state)
{
    struct store_fixture *fixture = *state;

    feed(fixture, RECORD_FEED, row_of(1, "one"));
    fault_arm(FAULT_STORE_BEFORE_COMMIT, 1, 0, -ENOSPC);
    assert_int_equal(apply_record(fixture, job_of(1, DURABLE_FULL, step(1, 60))), -ENOSPC);
    assert_feeds(fixture, "1 one 5-6-7-8; ");
    put(fixture, job_of(1, DURABLE_FULL, step(1, 60)));
    assert_feeds(fixture, "1 one 60-60-0-60; ");
}

static int see_sequence(void *context, uint64_t last)
{
    *(uint64_t *)context = last;
    return 0;
}

static void test_IP15_3_sequences_go_on_behind_a_feed(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t last = 0;
    const struct store_load load = {.job = no_job, .context = &last, .sequence = see_sequence};

    feed(fixture, RECORD_FEED, row_of(1, "one"));
    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    assert_int_equal(last, 5);
}

static void test_a_job_in_memory_moves_its_feed_on_the_disk(void **state)
{
    struct store_fixture *fixture = *state;
    struct record *record = job_of(1, DURABLE_NONE, step(1, 60));
    struct batch *batch = batch_new(0);

    batch_append(batch, record_copy(record));
    assert_true(batch->on_disk && batch->syncs);
    batch_delete(batch);
    feed(fixture, RECORD_FEED, row_of(1, "one"));
    put(fixture, record);
    assert_feeds(fixture, "1 one 60-60-0-60; ");
    store_fixture_close(fixture);
    store_fixture_open(fixture, 0);
    assert_feeds(fixture, "1 one 60-60-0-60; ");
}

#define BOTH(test)                                                                                           \
    {"sqlite: " #test, test, topics_set_up, topics_tear_down, (void *)&store_sqlite},                        \
    {                                                                                                        \
        "memory: " #test, test, topics_set_up, topics_tear_down, (void *)&store_memory                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_a_feed_is_kept_changed_and_removed),
        BOTH(test_a_job_of_a_feed_moves_it_in_one_record),
        BOTH(test_a_refused_job_moves_nothing),
        BOTH(test_IP15_3_sequences_go_on_behind_a_feed),
        cmocka_unit_test_prestate_setup_teardown(test_a_job_in_memory_moves_its_feed_on_the_disk,
                                                 topics_set_up, topics_tear_down, (void *)&store_layered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
