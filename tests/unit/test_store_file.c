/* The files of the store: what is refused and in which words, and what a crash leaves. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "directory.h"
#include "fault.h"
#include "schema.h"
#include "sqlite.h"
#include "store_fixture.h"

static int set_up(void **state)
{
    *state = store_fixture_new(&store_sqlite);
    return 0;
}

static int tear_down(void **state)
{
    fault_disarm_all();
    store_fixture_free(*state);
    return 0;
}

static void assert_refused(struct store_fixture *fixture, int error, const char *words)
{
    struct store_options options = {.directory = fixture->directory};
    struct store *store = NULL;
    uint64_t incarnation;
    char *why = NULL;

    assert_int_equal(store_sqlite.open(&options, &store, &incarnation, &why), error);
    assert_null(store);
    assert_non_null(why);
    if (!strstr(why, words) || !strstr(why, fixture->directory))
        fail_msg("\"%s\" does not say \"%s\" of %s", why, words, fixture->directory);
    free(why);
}

static void execute(struct store_fixture *fixture, const char *sql)
{
    struct db *db = NULL;

    assert_int_equal(db_open(store_fixture_path(fixture, "state.db"), DB_WRITE, &db), 0);
    assert_int_equal(db_exec(db, sql), 0);
    db_close(db);
}

static void add(struct store_fixture *fixture, uint64_t id)
{
    struct job_row row = row_ready(id);

    assert_int_equal(apply_one(fixture, RECORD_JOB_NEW, &row, TEXT("argument")), 0);
}

static void test_every_open_has_a_larger_incarnation(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t last = 0;

    for (int i = 0; i < 3; i++) {
        store_fixture_open(fixture, 0);
        assert_true(fixture->incarnation > last);
        last = fixture->incarnation;
        store_fixture_close(fixture);
    }
}

static void test_jobs_are_there_after_a_restart(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, 0);
    add(fixture, 1);
    store_fixture_close(fixture);
    store_fixture_open(fixture, 0);
    assert_int_equal(load_count(fixture), 1);
}

static void test_size_is_that_of_the_files(void **state)
{
    struct store_fixture *fixture = *state;
    uint64_t file, log, later;

    store_fixture_open(fixture, 0);
    fixture->ops->size(fixture->store, &file, &log);
    assert_true(file > 0 && log > 0);
    add(fixture, 1);
    fixture->ops->size(fixture->store, &file, &later);
    assert_true(later > log);
}

static void test_newer_schema_is_refused_naming_both_versions(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, 0);
    store_fixture_close(fixture);
    execute(fixture, "PRAGMA user_version=1000");
    assert_refused(fixture, -ENOTSUP, "schema 1000");
}

static void test_database_of_another_program_is_refused(void **state)
{
    struct store_fixture *fixture = *state;
    struct db *db = NULL;

    assert_int_equal(db_open(store_fixture_path(fixture, "state.db"), DB_CREATE, &db), 0);
    assert_int_equal(db_exec(db, "CREATE TABLE guests(name)"), 0);
    db_close(db);
    assert_refused(fixture, -ENOTSUP, "another program");
}

static void write_at(struct store_fixture *fixture, const char *name, off_t offset, const char *text)
{
    int fd = open(store_fixture_path(fixture, name), O_RDWR | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text), offset), strlen(text));
    close(fd);
}

static void test_file_that_is_no_database_is_refused_saying_what_to_do(void **state)
{
    struct store_fixture *fixture = *state;

    write_at(fixture, "state.db", 0,
             "These are not the bytes of a database, but they are more than a hundred of them, "
             "so that nobody takes the file for an empty one.");
    assert_refused(fixture, -EBADMSG, "move state.db");
}

/* Overwrites every page of the database but the first. */
static void damage_pages(struct store_fixture *fixture)
{
    struct stat st;

    execute(fixture, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(stat(store_fixture_path(fixture, "state.db"), &st), 0);
    for (off_t page = 1; page < st.st_size / 4096; page++)
        write_at(fixture, "state.db", page * 4096, "\x7f garbage garbage garbage garbage");
}

static void test_damaged_pages_are_noticed_at_open_or_load(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, 0);
    for (uint64_t id = 1; id <= 100; id++)
        add(fixture, id);
    store_fixture_close(fixture);
    damage_pages(fixture);
    assert_refused(fixture, -EBADMSG, "damaged");
}

/* Adds jobs of 3000 bytes until the store refuses one. How many went in. */
static uint64_t fill(struct store_fixture *fixture)
{
    static const char body[3000];

    for (uint64_t id = 1; id < 10000; id++) {
        struct job_row row = row_ready(id);
        int r = apply_one(fixture, RECORD_JOB_NEW, &row, (struct bytes){body, sizeof(body)});
        if (r < 0) {
            assert_int_equal(r, -ENOSPC);
            return id - 1;
        }
    }
    fail_msg("the page limit was never met");
    return 0;
}

static void test_page_limit_refuses_and_keeps_what_was_there(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, 100);
    uint64_t count = fill(fixture);
    assert_true(count > 10);
    assert_int_equal(load_count(fixture), count);
}

static void test_released_ballast_takes_the_end_of_a_job(void **state)
{
    struct store_fixture *fixture = *state;
    static const char result[100000];
    struct job_row row = row_done(1);

    store_fixture_open(fixture, 100);
    fill(fixture);
    assert_int_equal(apply_one(fixture, RECORD_JOB_END, &row, (struct bytes){result, sizeof(result)}),
                     -ENOSPC);
    assert_int_equal(fixture->ops->ballast(fixture->store, false), 0);
    assert_int_equal(apply_one(fixture, RECORD_JOB_END, &row, (struct bytes){result, sizeof(result)}), 0);
    assert_int_equal(fixture->ops->ballast(fixture->store, true), -ENOSPC);
}

static void test_ballast_is_taken_back_when_jobs_are_deleted(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, 100);
    uint64_t count = fill(fixture);
    assert_int_equal(fixture->ops->ballast(fixture->store, false), 0);
    for (uint64_t id = 1; id <= count; id++) {
        struct job_row row = row_ready(id);
        assert_int_equal(apply_one(fixture, RECORD_JOB_DELETE, &row, TEXT("")), 0);
    }
    assert_int_equal(fixture->ops->ballast(fixture->store, true), 0);
    assert_int_equal(fill(fixture), count);
}

static void test_full_database_still_opens(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, 100);
    uint64_t count = fill(fixture);
    store_fixture_close(fixture);
    store_fixture_open(fixture, 100);
    assert_int_equal(load_count(fixture), count);
}

static void test_ballast_file_keeps_its_space(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat st;

    store_fixture_open(fixture, 0);
    assert_int_equal(fixture->ops->ballast(fixture->store, true), 0);
    assert_int_equal(stat(store_fixture_path(fixture, "ballast"), &st), 0);
    assert_true(st.st_blocks * 512 >= BALLAST_BYTES);
    assert_int_equal(fixture->ops->ballast(fixture->store, false), 0);
    assert_int_equal(stat(store_fixture_path(fixture, "ballast"), &st), 0);
    assert_int_equal(st.st_size, 0);
}

/* One acknowledged job, then a child that is killed at `point` while it adds a second one. Jobs found after it. */
static int jobs_after_kill_at(struct store_fixture *fixture, enum fault point)
{
    int status = 0;

    store_fixture_open(fixture, 0);
    add(fixture, 1);
    store_fixture_close(fixture);
    pid_t child = fork();
    if (child == 0) {
        struct job_row row = row_ready(2);
        store_fixture_open(fixture, 0);
        fault_arm(point, 1, 0, FAULT_KILL);
        apply_one(fixture, RECORD_JOB_NEW, &row, TEXT("argument"));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    store_fixture_open(fixture, 0);
    return load_count(fixture);
}

static void test_kill_before_commit_leaves_nothing_of_the_transaction(void **state)
{
    assert_int_equal(jobs_after_kill_at(*state, FAULT_STORE_BEFORE_COMMIT), 1);
}

static void test_kill_inside_a_transaction_leaves_nothing_of_it(void **state)
{
    assert_int_equal(jobs_after_kill_at(*state, FAULT_STORE_RECORD), 1);
}

static void test_kill_after_commit_keeps_the_transaction(void **state)
{
    assert_int_equal(jobs_after_kill_at(*state, FAULT_STORE_AFTER_COMMIT), 2);
}

static void test_idle_tidy_moves_the_log_into_the_database(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat before, after;

    store_fixture_open(fixture, 0);
    for (uint64_t id = 1; id <= 50; id++)
        add(fixture, id);
    assert_int_equal(stat(store_fixture_path(fixture, "state.db"), &before), 0);
    assert_int_equal(fixture->ops->tidy(fixture->store, false), 0);
    assert_int_equal(fixture->ops->tidy(fixture->store, true), 0);
    assert_int_equal(stat(store_fixture_path(fixture, "state.db"), &after), 0);
    assert_true(after.st_size > before.st_size);
}

static void keep_line(void *context, const char *line)
{
    snprintf(context, 512, "%s", line);
}

static int fsck(struct store_fixture *fixture, char line[512])
{
    struct store_options options = {.directory = fixture->directory};

    line[0] = 0;
    return store_sqlite.fsck(&options, keep_line, line);
}

static void test_fsck_of_a_sound_directory_finds_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row = row_done(1);
    char line[512];

    store_fixture_open(fixture, 0);
    add(fixture, 1);
    apply_one(fixture, RECORD_JOB_OUTPUT, &row, TEXT("printed"));
    apply_one(fixture, RECORD_JOB_END, &row, TEXT("result"));
    store_fixture_close(fixture);
    assert_int_equal(fsck(fixture, line), 0);
    assert_string_equal(line, "");
}

static void test_fsck_names_each_planted_fault(void **state)
{
    static const struct {
        const char *sql, *words;
    } faults[] = {
        {"UPDATE jobs SET state = 4", "job 1 has a state that cannot be stored"},
        {"UPDATE jobs SET state = 5", "job 1 has ended without a time"},
        {"UPDATE jobs SET attempt = 99", "job 1 has more attempts than it may"},
        {"UPDATE jobs SET session = x'00'", "job 1 has a session id of the wrong size"},
        {"UPDATE jobs SET argument = NULL", "job 1 has lost its argument"},
        {"INSERT INTO bodies VALUES (9, x'00')", "job 9 has an argument but no row"},
        {"INSERT INTO results VALUES (1, x'00')", "job 1 has a result but has not ended"},
        {"INSERT INTO outputs VALUES (9, 0, x'00')", "job 9 has output but no row"},
        {"INSERT INTO outputs VALUES (1, 0, x'0000'), (1, 1, x'00')", "job 1 has output pieces that overlap"},
        {"UPDATE daemon SET incarnation = 0", "has no incarnation"},
        {"PRAGMA user_version=77", "schema 77"},
    };
    char line[512];

    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        struct store_fixture *fixture = store_fixture_new(&store_sqlite);
        store_fixture_open(fixture, 0);
        add(fixture, 1);
        store_fixture_close(fixture);
        execute(fixture, faults[i].sql);
        assert_int_equal(fsck(fixture, line), 1);
        if (!strstr(line, faults[i].words))
            fail_msg("\"%s\" does not say \"%s\"", line, faults[i].words);
        store_fixture_free(fixture);
    }
}

static void test_fsck_says_that_a_file_is_damaged(void **state)
{
    struct store_fixture *fixture = *state;
    char line[512];

    store_fixture_open(fixture, 0);
    add(fixture, 1);
    store_fixture_close(fixture);
    damage_pages(fixture);
    assert_true(fsck(fixture, line) > 0);
}

static void test_fsck_refuses_a_directory_in_use(void **state)
{
    struct store_fixture *fixture = *state;
    char line[512], *why = NULL;
    int lock;

    assert_int_equal(directory_lock(fixture->directory, true, &lock, &why), 0);
    assert_int_equal(fsck(fixture, line), -EBUSY);
    assert_non_null(strstr(line, "in use by process"));
    close(lock);
}

static const atomic_bool never, at_once = true;
static const int64_t when_ns = 1795342385123000000; /* 2026-11-22 10:13:05.123 UTC */

static char *text_of(struct bytes said)
{
    char *text = malloc(said.size + 1);

    memcpy(text, said.data, said.size);
    text[said.size] = '\0';
    return text;
}

/* It says where it is. Freed by the caller. */
static char *back_up(struct store_fixture *fixture, int64_t wall_ns)
{
    struct fetched said;

    assert_int_equal(store_sqlite.backup(fixture->store, wall_ns, &never, &said), 0);
    char *path = text_of(said.body);
    fetched_clear(&said);
    return path;
}

static void test_backup_is_a_store_of_its_own(void **state)
{
    struct store_fixture *fixture = *state, *copy = store_fixture_new(&store_sqlite);

    store_fixture_open(fixture, 0);
    add(fixture, 1);
    char *path = back_up(fixture, when_ns);
    assert_string_equal(path, store_fixture_path(fixture, "backups/20261122T101305.123Z.db"));
    add(fixture, 2);
    assert_int_equal(rename(path, store_fixture_path(copy, "state.db")), 0);
    free(path);
    store_fixture_open(copy, 0);
    assert_int_equal(load_count(copy), 1);
    store_fixture_free(copy);
}

static void backup_fails(struct store_fixture *fixture, const atomic_bool *stop, int error, const char *words)
{
    struct fetched said;

    assert_int_equal(store_sqlite.backup(fixture->store, when_ns, stop, &said), error);
    char *why = text_of(said.body);
    assert_non_null(strstr(why, "cannot write the backup"));
    assert_non_null(strstr(why, words));
    free(why);
    fetched_clear(&said);
    assert_int_equal(access(store_fixture_path(fixture, "backups/copy.part"), F_OK), -1);
}

static void test_backup_does_not_replace_a_file(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat before, after;

    store_fixture_open(fixture, 0);
    char *path = back_up(fixture, when_ns);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    backup_fails(fixture, &never, -EEXIST, "20261122T101305.123Z.db: File exists");
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    free(path);
}

static void test_backup_that_fails_leaves_nothing(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, 0);
    backup_fails(fixture, &at_once, -ECANCELED, "canceled");
    fault_arm(FAULT_STORE_BACKUP, 1, 0, -ENOSPC);
    backup_fails(fixture, &never, -ENOSPC, "No space left");
    assert_int_equal(access(store_fixture_path(fixture, "backups/20261122T101305.123Z.db"), F_OK), -1);
    free(back_up(fixture, when_ns));
}

/* What a death left in the middle of one. */
static void test_backup_begins_anew_where_one_was_cut_off(void **state)
{
    struct store_fixture *fixture = *state;

    store_fixture_open(fixture, 0);
    free(back_up(fixture, when_ns - 1000000000));
    FILE *part = fopen(store_fixture_path(fixture, "backups/copy.part"), "w");
    assert_non_null(part);
    fputs("half a page", part);
    fclose(part);
    free(back_up(fixture, when_ns));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_open_has_a_larger_incarnation),
        TEST(test_jobs_are_there_after_a_restart),
        TEST(test_size_is_that_of_the_files),
        TEST(test_newer_schema_is_refused_naming_both_versions),
        TEST(test_database_of_another_program_is_refused),
        TEST(test_file_that_is_no_database_is_refused_saying_what_to_do),
        TEST(test_damaged_pages_are_noticed_at_open_or_load),
        TEST(test_page_limit_refuses_and_keeps_what_was_there),
        TEST(test_released_ballast_takes_the_end_of_a_job),
        TEST(test_ballast_is_taken_back_when_jobs_are_deleted),
        TEST(test_full_database_still_opens),
        TEST(test_ballast_file_keeps_its_space),
        TEST(test_kill_before_commit_leaves_nothing_of_the_transaction),
        TEST(test_kill_inside_a_transaction_leaves_nothing_of_it),
        TEST(test_kill_after_commit_keeps_the_transaction),
        TEST(test_idle_tidy_moves_the_log_into_the_database),
        TEST(test_fsck_of_a_sound_directory_finds_nothing),
        TEST(test_fsck_names_each_planted_fault),
        TEST(test_fsck_says_that_a_file_is_damaged),
        TEST(test_fsck_refuses_a_directory_in_use),
        TEST(test_backup_is_a_store_of_its_own),
        TEST(test_backup_does_not_replace_a_file),
        TEST(test_backup_that_fails_leaves_nothing),
        TEST(test_backup_begins_anew_where_one_was_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
