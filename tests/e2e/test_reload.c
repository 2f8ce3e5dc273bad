/*
 * New versions of a plugin, and a daemon that is stopped and started, while some hundred of its jobs are under way. A ledger
 * outside of all of them, a file to which the jobs themselves write, says what really was done: each job was begun once and
 * ended once, and its result says the same; none has failed or crashed.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client_fixture.h"

enum { JOBS_LEAST = 600, UNDER_WAY = 300, VERSIONS = 5, LOOK_EVERY = 16, BUSY = 60 };

struct rig {
    struct node *node;
    gc_client *client;
    char plugin[256], ledger[256];
    gc_job *jobs;
    size_t submitted, waited;
};

static char *const patient[] = {"--limit=drain_ms=600000", NULL};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    rig->node = node_make();
    rig->node->flags = patient;
    node_run(rig->node, true);
    rig->client = node_connect(rig->node);
    snprintf(rig->plugin, sizeof rig->plugin, "%s/work.so", rig->node->folder);
    snprintf(rig->ledger, sizeof rig->ledger, "%s/ledger", rig->node->folder);
    fclose(fopen(rig->ledger, "w"));
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    gc_disconnect(rig->client);
    node_delete(rig->node);
    free(rig->jobs);
    free(rig);
    return 0;
}

/* Puts that version in the place of the plugin, at once: the same code, and as many bytes behind it. */
static void install(struct rig *rig, int version)
{
    char command[2048];

    snprintf(command, sizeof command, "cp %s/ledger.so %s.new && printf '%%0%dd' 0 >>%s.new && mv %s.new %s",
             getenv("PLUGINS"), rig->plugin, version + 1, rig->plugin, rig->plugin, rig->plugin);
    assert_int_equal(system(command), 0);
}

static void submit_next(struct rig *rig, const char *function)
{
    char argument[512];
    struct gc_submit what = {
        .size = sizeof what, .plugin = rig->plugin, .function = function, .argument = argument};

    rig->jobs = realloc(rig->jobs, (rig->submitted + 1) * sizeof *rig->jobs);
    assert_non_null(rig->jobs);
    snprintf(argument, sizeof argument, "%zu %s", rig->submitted, rig->ledger);
    what.argument_bytes = strlen(argument);
    assert_ok(gc_submit(rig->client, &what, &rig->jobs[rig->submitted], GC_FOREVER));
    rig->submitted++;
}

/* The oldest that nobody has waited for. */
static void wait_next(struct rig *rig)
{
    char number[32];
    struct gc_result result;
    struct gc_job_info info;

    snprintf(number, sizeof number, "%zu", rig->waited);
    assert_int_equal(gc_wait(rig->client, rig->jobs[rig->waited], &result, GC_FOREVER), 1);
    assert_int_equal(result.bytes, strlen(number));
    assert_memory_equal(result.data, number, result.bytes);
    gc_result_clear(&result);
    assert_ok(gc_job_info(rig->client, rig->jobs[rig->waited], &info, GC_FOREVER));
    assert_int_equal(info.attempt, 0);
    assert_int_equal(info.crashes, 0);
    gc_job_info_clear(&info);
    rig->waited++;
}

/* What the ledger says. */
struct done {
    unsigned *begun, *ended; /* by number */
    size_t ends;
    char versions[VERSIONS][64];
    int versions_n;
};

static void note_version(struct done *done, const char *version)
{
    for (int i = 0; i < done->versions_n; i++)
        if (strcmp(done->versions[i], version) == 0)
            return;
    assert_true(done->versions_n < VERSIONS);
    snprintf(done->versions[done->versions_n++], sizeof done->versions[0], "%s", version);
}

static struct done read_ledger(const struct rig *rig)
{
    struct done done = {.begun = calloc(rig->submitted + 1, sizeof(unsigned)),
                        .ended = calloc(rig->submitted + 1, sizeof(unsigned))};
    FILE *file = fopen(rig->ledger, "r");
    char what[16], version[64];
    size_t number;

    assert_non_null(file);
    while (fscanf(file, "%15s %zu %63s", what, &number, version) == 3) {
        assert_true(number < rig->submitted);
        bool end = strcmp(what, "end") == 0;
        (end ? done.ended : done.begun)[number]++;
        done.ends += end;
        note_version(&done, version);
    }
    fclose(file);
    return done;
}

static void done_clear(struct done *done)
{
    free(done->begun);
    free(done->ended);
}

static int versions_at_work(const struct rig *rig)
{
    struct done done = read_ledger(rig);

    done_clear(&done);
    return done.versions_n;
}

static void check_ledger(const struct rig *rig)
{
    struct done done = read_ledger(rig);
    size_t doubled = 0, lost = 0;

    for (size_t i = 0; i < rig->submitted; i++) {
        doubled += done.begun[i] > 1 || done.ended[i] > 1;
        lost += done.begun[i] < 1 || done.ended[i] < 1;
    }
    print_message("%zu jobs by %d versions: %zu doubled, %zu lost\n", rig->submitted, done.versions_n,
                  doubled, lost);
    done_clear(&done);
    assert_int_equal(doubled + lost, 0);
}

static void test_new_versions_under_load_lose_and_double_no_job(void **state)
{
    struct rig *rig = *state;
    int version = 0;

    install(rig, version);
    while (rig->submitted < JOBS_LEAST || version + 1 < VERSIONS || versions_at_work(rig) < VERSIONS) {
        submit_next(rig, "work");
        while (rig->submitted - rig->waited > UNDER_WAY)
            wait_next(rig);
        if (rig->submitted % LOOK_EVERY == 0 && version + 1 < VERSIONS && versions_at_work(rig) > version)
            install(rig, ++version);
    }
    while (rig->waited < rig->submitted)
        wait_next(rig);
    check_ledger(rig);
}

/* They were offered to the old host, which has processors for a few of them. */
static void test_what_a_busy_host_has_not_begun_is_done_by_the_new_version_alone(void **state)
{
    struct rig *rig = *state;

    install(rig, 0);
    while (rig->submitted < BUSY)
        submit_next(rig, "work_hard");
    while (versions_at_work(rig) < 1)
        continue;
    install(rig, 1);
    while (versions_at_work(rig) < 2) {
        submit_next(rig, "work_hard");
        wait_next(rig);
    }
    while (rig->waited < rig->submitted)
        wait_next(rig);
    check_ledger(rig);
}

static size_t ends(const struct rig *rig)
{
    struct done done = read_ledger(rig);

    done_clear(&done);
    return done.ends;
}

static void test_a_daemon_that_is_stopped_under_load_loses_and_doubles_no_job(void **state)
{
    struct rig *rig = *state;

    install(rig, 0);
    while (rig->submitted < UNDER_WAY)
        submit_next(rig, "work");
    for (size_t least = 20; least <= 100; least += 40) {
        while (ends(rig) < least)
            wait_next(rig);
        node_kill(rig->node, SIGTERM);
        node_run(rig->node, true);
    }
    while (rig->waited < rig->submitted)
        wait_next(rig);
    check_ledger(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_versions_under_load_lose_and_double_no_job, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_busy_host_has_not_begun_is_done_by_the_new_version_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_daemon_that_is_stopped_under_load_loses_and_doubles_no_job,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
