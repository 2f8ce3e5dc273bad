/* What every store keeps of schedules: the same tests against SQLite and memory; and the checks of a directory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "sqlite.h"
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

/* Every column different from 0. */
static struct schedule_row row_of(const char *name)
{
    return (struct schedule_row){
        .name = {name, strlen(name)},
        .spec = TEXT("@daily"),
        .zone = TEXT("Europe/Berlin"),
        .plugin = TEXT("/p.so"),
        .function = TEXT("f"),
        .queue = TEXT("q"),
        .key = TEXT("k"),
        .delays = TEXT("12345678"),
        .delay_ns = 15,
        .jitter = 16,
        .uid = 3000000000u,
        .missed = MISSED_ALL,
        .missed_most = 2,
        .overlap = OVERLAP_SKIP,
        .paused = 1,
        .priority = 3,
        .attempts_max = 4,
        .backoff_ns = 5,
        .backoff_max_ns = 6,
        .time_limit_ns = 7,
        .grace_ns = 8,
        .deadline_in_ns = 9,
        .progress = {.cursor_ns = 10, .last_ns = 11, .last_job = 12, .runs = 13, .skipped = 14}};
}

static int apply(struct store_fixture *fixture, enum record_kind kind, const struct job_row *job,
                 const struct schedule_row *row, struct bytes body)
{
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(++fixture->last_batch);

    batch_append(batch, record_new_of(kind, job, row, body));
    assert_true(batch_admits(batch) == (kind == RECORD_SCHEDULE_SET || kind == RECORD_JOB_NEW));
    list_append(&batches, &batch->link);
    return apply_list(fixture, &batches);
}

static void set(struct store_fixture *fixture, const struct schedule_row *row)
{
    assert_int_equal(apply(fixture, RECORD_SCHEDULE_SET, NULL, row, TEXT("argument")), 0);
}

/* All that load gives. */
struct loaded {
    int n;
    struct schedule_row row; /* of the last one; its strings are gone */
    char name[64], spec[64], argument[64];
};

static void copy(char to[64], struct bytes from)
{
    snprintf(to, 64, "%.*s", (int)from.size, (const char *)from.data);
}

static int take(void *context, const struct schedule_row *row, struct bytes argument)
{
    struct loaded *loaded = context;

    loaded->n++;
    loaded->row = *row;
    copy(loaded->name, row->name);
    copy(loaded->spec, row->spec);
    copy(loaded->argument, argument);
    assert_bytes(row->zone, "Europe/Berlin");
    assert_bytes(row->plugin, "/p.so");
    assert_bytes(row->function, "f");
    assert_bytes(row->queue, "q");
    assert_bytes(row->key, "k");
    assert_bytes(row->delays, "12345678");
    return 0;
}

static int ignore(void *context, const struct job_row *row)
{
    return 0;
}

static struct loaded load(struct store_fixture *fixture)
{
    struct loaded loaded = {0};
    struct store_load how = {.job = ignore, .context = &loaded, .schedule = take};

    assert_int_equal(fixture->ops->load(fixture->store, &how, NULL), 0);
    return loaded;
}

static void test_load_gives_every_column(void **state)
{
    struct schedule_row row = row_of("a");

    set(*state, &row);
    struct loaded loaded = load(*state);
    assert_int_equal(loaded.n, 1);
    assert_string_equal(loaded.name, "a");
    assert_string_equal(loaded.spec, "@daily");
    assert_string_equal(loaded.argument, "argument");
#define SAME(member) assert_int_equal(loaded.row.member, row.member)
    SAME(uid), SAME(missed), SAME(missed_most), SAME(overlap), SAME(paused), SAME(priority);
    SAME(attempts_max), SAME(backoff_ns), SAME(backoff_max_ns), SAME(time_limit_ns), SAME(grace_ns);
    SAME(deadline_in_ns), SAME(delay_ns), SAME(jitter), SAME(progress.cursor_ns), SAME(progress.last_ns),
        SAME(progress.last_job);
    SAME(progress.runs), SAME(progress.skipped);
#undef SAME
}

static void test_one_of_the_same_name_is_replaced(void **state)
{
    struct schedule_row row = row_of("a");

    set(*state, &row);
    row.spec = TEXT("@hourly");
    set(*state, &row);
    struct loaded loaded = load(*state);
    assert_int_equal(loaded.n, 1);
    assert_string_equal(loaded.spec, "@hourly");
}

static void test_a_job_moves_its_schedule(void **state)
{
    struct schedule_row row = row_of("a");
    struct job_row job = row_ready(1);

    set(*state, &row);
    row.progress = (struct schedule_progress){20, 21, 22, 23, 24};
    row.spec = TEXT("not looked at");
    assert_int_equal(apply(*state, RECORD_JOB_NEW, &job, &row, TEXT("argument")), 0);
    struct loaded loaded = load(*state);
    assert_memory_equal(&loaded.row.progress, &row.progress, sizeof(row.progress));
    assert_string_equal(loaded.spec, "@daily");
    assert_int_equal(load_count(*state), 1);
}

static void test_a_job_that_fails_moves_nothing(void **state)
{
    const enum fault faults[] = {FAULT_STORE_RECORD, FAULT_STORE_BEFORE_COMMIT, FAULT_STORE_COMMIT};
    struct schedule_row row = row_of("a");
    struct job_row job = row_ready(1);

    set(*state, &row);
    row.progress.cursor_ns = 20;
    for (int i = 0; i < 3; i++) {
        fault_arm(faults[i], 1, 0, -ENOSPC);
        assert_int_equal(apply(*state, RECORD_JOB_NEW, &job, &row, TEXT("argument")), -ENOSPC);
        assert_int_equal(load(*state).row.progress.cursor_ns, 10);
        assert_int_equal(load_count(*state), 0);
    }
}

static void test_changes_of_one_that_is_there(void **state)
{
    struct schedule_row row = row_of("a"), other = row_of("b");

    set(*state, &row);
    row.progress = (struct schedule_progress){30, 31, 32, 33, 34};
    assert_int_equal(apply(*state, RECORD_SCHEDULE_MOVE, NULL, &row, TEXT("")), 0);
    struct loaded loaded = load(*state);
    assert_memory_equal(&loaded.row.progress, &row.progress, sizeof(row.progress));
    row.progress.cursor_ns = 40;
    assert_int_equal(apply(*state, RECORD_SCHEDULE_PAUSE, NULL, &row, TEXT("")), 0);
    assert_int_equal(load(*state).row.progress.cursor_ns, 30); /* held: nothing is settled by that */
    row.paused = 0;
    assert_int_equal(apply(*state, RECORD_SCHEDULE_PAUSE, NULL, &row, TEXT("")), 0);
    assert_int_equal(load(*state).row.paused, 0);
    assert_int_equal(load(*state).row.progress.cursor_ns, 40);
    assert_int_equal(apply(*state, RECORD_SCHEDULE_DELETE, NULL, &other, TEXT("")), 0);
    assert_int_equal(load(*state).n, 1);
    assert_int_equal(apply(*state, RECORD_SCHEDULE_DELETE, NULL, &row, TEXT("")), 0);
    assert_int_equal(load(*state).n, 0);
    assert_int_equal(apply(*state, RECORD_SCHEDULE_MOVE, NULL, &row, TEXT("")), 0);
    assert_int_equal(load(*state).n, 0);
}

/* ---- the directory ---- */

static void keep_line(void *context, const char *line)
{
    snprintf(context, 512, "%s", line);
}

static void execute(struct store_fixture *fixture, const char *sql)
{
    struct db *db = NULL;

    assert_int_equal(db_open(store_fixture_path(fixture, "state.db"), DB_WRITE, &db), 0);
    assert_int_equal(db_exec(db, sql), 0);
    db_close(db);
}

static void test_fsck_names_each_fault_of_a_schedule(void **state)
{
    static const struct {
        const char *sql, *words;
    } faults[] = {
        {"UPDATE schedules SET name = x''", "schedule  has a name of the wrong size"},
        {"UPDATE schedules SET missed = 3", "schedule a has a policy that cannot be stored"},
        {"UPDATE schedules SET overlap = 2", "has a policy"},
        {"UPDATE schedules SET paused = 2", "has a policy"},
        {"UPDATE schedules SET priority = 10", "has a policy"},
        {"UPDATE schedules SET last_job = 0", "counts runs without a job"},
        {"UPDATE schedules SET queue = x''", "does not say when, or what"},
    };

    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        struct store_fixture *fixture = store_fixture_new(&store_sqlite);
        struct store_options options = {.directory = fixture->directory};
        struct schedule_row row = row_of("a");
        char line[512] = "";

        store_fixture_open(fixture, 0);
        set(fixture, &row);
        store_fixture_close(fixture);
        assert_int_equal(store_sqlite.fsck(&options, keep_line, line), 0);
        execute(fixture, faults[i].sql);
        assert_int_equal(store_sqlite.fsck(&options, keep_line, line), 1);
        if (!strstr(line, faults[i].words))
            fail_msg("\"%s\" does not say \"%s\"", line, faults[i].words);
        store_fixture_free(fixture);
    }
}

static void test_a_schedule_outlives_the_store(void **state)
{
    struct schedule_row row = row_of("a");

    set(*state, &row);
    store_fixture_close(*state);
    store_fixture_open(*state, 0);
    assert_int_equal(load(*state).n, 1);
}

#define BOTH(test)                                                                                           \
    {"sqlite: " #test, test, set_up, tear_down, (void *)&store_sqlite},                                      \
    {                                                                                                        \
        "memory: " #test, test, set_up, tear_down, (void *)&store_memory                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_load_gives_every_column),
        BOTH(test_one_of_the_same_name_is_replaced),
        BOTH(test_a_job_moves_its_schedule),
        BOTH(test_a_job_that_fails_moves_nothing),
        BOTH(test_changes_of_one_that_is_there),
        {"test_a_schedule_outlives_the_store", test_a_schedule_outlives_the_store, set_up, tear_down,
         (void *)&store_sqlite},
        cmocka_unit_test(test_fsck_names_each_fault_of_a_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
