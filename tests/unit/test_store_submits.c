/* New jobs of many sessions in the SQLite store: what a commit of them writes, and how one is found by its session. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sqlite.h"
#include "store_fixture.h"

enum { SESSIONS = 64, PAGE_BYTES = 4096 };

static int set_up(void **state)
{
    struct store_fixture *fixture = store_fixture_new(&store_sqlite);

    store_fixture_open(fixture, 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    store_fixture_free(*state);
    return 0;
}

/* The secret of a session: they lie far from one another. */
static struct secret session_of(uint64_t number)
{
    struct secret secret;

    for (size_t i = 0; i < sizeof(secret.byte); i++)
        secret.byte[i] = (uint8_t)(number * 0x9e3779b97f4a7c15 >> (8 + i));
    return secret;
}

/* Job `id` is operation `id` / SESSIONS + 1 of session `id` % SESSIONS. */
static struct job_row row_of(uint64_t id)
{
    struct job_row row = row_ready(id);

    row.session = session_of(id % SESSIONS);
    row.op = id / SESSIONS + 1;
    return row;
}

/* The jobs from `id` to `last`, in one commit. */
static void add(struct store_fixture *fixture, uint64_t id, uint64_t last)
{
    struct list batches = LIST_INIT(batches);

    for (; id <= last; id++) {
        struct job_row row = row_of(id);
        list_append(&batches, &batch_of(fixture, RECORD_JOB_NEW, &row, TEXT("argument"))->link);
    }
    assert_int_equal(apply_list(fixture, &batches), 0);
}

static void add_all(struct store_fixture *fixture, uint64_t id, uint64_t last)
{
    for (; id <= last; id += SESSIONS)
        add(fixture, id, id + SESSIONS - 1);
}

/* The id of the job that it submitted; 0: none. */
static uint64_t found(struct store_fixture *fixture, uint64_t session, uint64_t op)
{
    struct fetch what = {.kind = FETCH_OP, .session = session_of(session), .op = op};
    struct fetched out;
    int r = fixture->ops->fetch(fixture->store, &what, &out);
    uint64_t id = r == 0 ? out.rows[0].id : 0;

    assert_true(r == 0 || r == -ENOENT);
    if (r == 0)
        fetched_clear(&out);
    return id;
}

static void assert_all_found(struct store_fixture *fixture, uint64_t id, uint64_t last)
{
    for (; id <= last; id++)
        assert_int_equal(found(fixture, id % SESSIONS, id / SESSIONS + 1), id);
    assert_int_equal(found(fixture, 1, last / SESSIONS + 2), 0);
    assert_int_equal(found(fixture, SESSIONS, 1), 0);
}

static void test_IP4_a_submit_is_found_wherever_it_is_in_the_index(void **state)
{
    struct store_fixture *fixture = *state;

    assert_int_equal(found(fixture, 1, 1), 0);
    add_all(fixture, 1, 1024);
    assert_all_found(fixture, 1, 1024);
    store_fixture_close(fixture);
    store_fixture_open(fixture, 0);
    add_all(fixture, 1025, 1152);
    assert_all_found(fixture, 1, 1152);
}

/* That of an older file is one large part. */
static void test_IP4_a_submit_of_before_the_index_had_parts_is_found(void **state)
{
    struct store_fixture *fixture = *state;
    struct db *db = NULL;

    add_all(fixture, 1, 512);
    store_fixture_close(fixture);
    assert_int_equal(db_open(store_fixture_path(fixture, "state.db"), DB_WRITE, &db), 0);
    assert_int_equal(db_exec(db, "UPDATE jobs SET part = 0"), 0);
    db_close(db);
    store_fixture_open(fixture, 0);
    add_all(fixture, 513, 640);
    assert_all_found(fixture, 1, 640);
}

static void test_a_deleted_job_is_not_found_by_its_session(void **state)
{
    struct store_fixture *fixture = *state;

    add_all(fixture, 1, 512);
    for (uint64_t id = 1; id <= 500; id++) {
        struct job_row row = row_of(id);
        assert_int_equal(apply_one(fixture, RECORD_JOB_DELETE, &row, TEXT("")), 0);
    }
    assert_int_equal(found(fixture, 500 % SESSIONS, 500 / SESSIONS + 1), 0);
    assert_all_found(fixture, 501, 512);
}

/* Each session has a place of its own in an index by sessions, and each would be a page of the log. */
static void test_a_commit_of_many_sessions_writes_to_few_pages(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t file, before, after;

    add_all(fixture, 1, 100 * SESSIONS);
    fixture->ops->size(fixture->store, &file, &before);
    add(fixture, 100 * SESSIONS + 1, 101 * SESSIONS);
    fixture->ops->size(fixture->store, &file, &after);
    assert_in_range((after - before) / PAGE_BYTES, 1, SESSIONS / 4);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_IP4_a_submit_is_found_wherever_it_is_in_the_index),
        TEST(test_IP4_a_submit_of_before_the_index_had_parts_is_found),
        TEST(test_a_deleted_job_is_not_found_by_its_session),
        TEST(test_a_commit_of_many_sessions_writes_to_few_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
