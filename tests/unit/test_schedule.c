/* Schedules: when they run, how they are set, held, forgotten and told, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rights.h"
#include "schedule_fixture.h"

/* Seconds of UTC. */
enum { MARCH_2024 = 1709251200, DECEMBER_2024 = 1733011200, DAYS = 275, DAY = 86400 };

static void test_a_schedule_runs_at_its_moments(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    at_utc(f, MARCH_2024 + 10);
    set(f, c, SCHEDULE("beat", "@every 1m"));
    struct seen *seen = row(f, c, "beat");
    assert_int_equal(seen->schedule.next_us / 1000000, MARCH_2024 + 60);
    assert_int_equal(seen->schedule.last_us, 0);
    advance_ms(f, 49999);
    assert_int_equal(row(f, c, "beat")->schedule.runs, 0);
    advance_ms(f, 1);
    seen = row(f, c, "beat");
    assert_int_equal(seen->schedule.runs, 1);
    assert_int_equal(seen->schedule.last_us / 1000000, MARCH_2024 + 60);
    assert_int_equal(seen->schedule.next_us / 1000000, MARCH_2024 + 120);
    assert_state(f, c, seen->schedule.last_job, JOB_READY, CAUSE_NONE);
    advance_ms(f, 5 * MINUTE_MS);
    assert_int_equal(row(f, c, "beat")->schedule.runs, 6);
    assert_int_equal(jobs_stored_n(f), 6);
}

/* The same that submits something else. */
static struct request of(struct request request, struct bytes plugin, struct bytes function)
{
    request.schedule_set.plugin = plugin;
    request.schedule_set.function = function;
    return request;
}

/* Its job is what a submit with the same words makes. */
static void test_the_job_is_as_the_schedule_says(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set(f, c, SCHEDULE("one", "@every 1m", .attempts_max = 4, .priority = 7));
    set(f, c, of(SCHEDULE("other", "@every 1h"), PLUGIN, TEXT("other")));
    advance_ms(f, MINUTE_MS);
    struct job_info job = info(f, c, row(f, c, "one")->schedule.last_job);
    assert_int_equal(job.attempts_max, 4);
    assert_int_equal(job.uid, 1000);
    struct client *host = host_up(f);
    struct seen *run = begin(f, host);
    assert_string_equal(run->argument, "argument");
    assert_string_equal(run->function, "count");
    assert_int_equal(done(f, host, run, CAUSE_NONE, 0), 0);
    advance_ms(f, HOUR_MS);
    job = info(f, c, row(f, c, "other")->schedule.last_job);
    assert_int_equal(job.attempts_max, 3); /* the function's policy, at the time of the SET */
}

/* Its times are those of each job, also after a restart. */
static void test_a_job_has_the_times_of_its_schedule(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    const uint64_t delays[] = {5 * SECOND_NS, 90 * SECOND_NS};

    set(f, c,
        SCHEDULE("a", "@every 1h", .delay_ns = 60 * SECOND_NS, .jitter = 50, .delays_ns = delays,
                 .delays_ns_n = 2));
    restart(f);
    c = client_new(f, 1000);
    jump_ms(f, HOUR_MS);
    look(f);
    uint64_t job = row(f, c, "a")->schedule.last_job;
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_NONE);
    assert_int_equal(info(f, c, job).attempts_max, 3);
    jump_ms(f, MINUTE_MS);
    struct client *host = host_up(f);
    for (int i = 0; i < 2; i++) {
        struct seen *run = begin(f, host);
        assert_int_equal(done(f, host, run, CAUSE_ERROR, -EIO), 0);
        assert_state(f, c, job, JOB_SCHEDULED, CAUSE_ERROR);
        int64_t wait = info(f, c, job).due_us - f->now.wall_ns / 1000;
        assert_in_range(wait, delays[i] / 1000, delays[i] * 3 / 2000);
        advance_ms(f, (int64_t)delays[i] * 3 / 2000000);
    }
}

static void test_times_that_are_none_are_refused(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    const uint64_t delay = UINT64_MAX;

    set_status(f, c, SCHEDULE("a", "@hourly", .delay_ns = -1), -EINVAL);
    set_status(f, c, SCHEDULE("a", "@hourly", .jitter = 101), -EINVAL);
    set_status(f, c, SCHEDULE("a", "@hourly", .delays_ns = &delay, .delays_ns_n = 1), -EINVAL);
    assert_int_equal(schedules(f, c), 0);
}

/* 2:30 exists not on 31 March and twice on 27 October: one run a day all the same. */
static void test_months_with_both_changes_of_the_clocks(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t last = 0;

    at_utc(f, MARCH_2024);
    set(f, c, SCHEDULE("night", "30 2 * * *", .zone = TEXT("Europe/Berlin")));
    set(f, c, SCHEDULE("hour", "0 * * * *", .zone = TEXT("Europe/Berlin"), .overlap = OVERLAP_SKIP));
    for (int day = 0; day < DAYS; day++) {
        for (int half = 0; half < 48; half++)
            jump_ms(f, HOUR_MS / 2);
        uint64_t runs = row(f, c, "night")->schedule.runs;
        assert_int_equal(runs, last + 1);
        last = runs;
    }
    assert_int_equal(f->now.wall_ns / SECOND_NS, DECEMBER_2024);
    struct seen *hour = row(f, c, "hour"); /* its first job never runs: each moment but one is skipped */
    assert_int_equal(hour->schedule.skipped, DAYS * 24 - 1);
    assert_int_equal(row(f, c, "night")->schedule.next_us / 1000000, DECEMBER_2024 + 5400);
    assert_int_equal(jobs_stored_n(f), DAYS + 1);
}

static void test_the_day_of_the_gap_and_the_day_of_two_hours(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    at_utc(f, 1711756800); /* 30 March 2024 */
    set(f, c, SCHEDULE("night", "30 2 * * *", .zone = TEXT("Europe/Berlin")));
    jump_ms(f, 20 * HOUR_MS);
    jump_ms(f, 5 * HOUR_MS);
    assert_int_equal(row(f, c, "night")->schedule.last_us / 1000000, 1711846800); /* 3:00 summer time */
    at_utc(f, 1729900800);                                                        /* 26 October */
    set(f, c, SCHEDULE("night", "30 2 * * *", .zone = TEXT("Europe/Berlin")));
    jump_ms(f, 24 * HOUR_MS + HOUR_MS);
    assert_int_equal(row(f, c, "night")->schedule.last_us / 1000000, 1729989000); /* 2:30, the first */
    uint64_t runs = row(f, c, "night")->schedule.runs;
    jump_ms(f, HOUR_MS);
    assert_int_equal(row(f, c, "night")->schedule.runs, runs); /* not the second */
}

/* ---- set, held, forgotten ---- */

static void test_one_that_is_set_again_is_replaced(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    f->limits.schedules_max = 1;
    restart(f);
    c = client_new(f, 1000);
    set(f, c, SCHEDULE("a", "@every 1m"));
    advance_ms(f, MINUTE_MS);
    set(f, c, SCHEDULE("a", "@every 1h")); /* the limit counts it once */
    struct seen *seen = row(f, c, "a");
    assert_string_equal(seen->schedule_words[2], "@every 1h");
    assert_int_equal(seen->schedule.runs, 1);
    advance_ms(f, 10 * MINUTE_MS);
    assert_int_equal(row(f, c, "a")->schedule.runs, 1);
    assert_int_equal(schedules(f, c), 1);
    restart(f);
    c = client_new(f, 1000);
    assert_string_equal(row(f, c, "a")->schedule_words[2], "@every 1h");
}

static void test_one_that_is_held_makes_up_for_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set(f, c, SCHEDULE("a", "@every 1m", .missed = MISSED_ALL));
    assert_int_equal(hold_back(f, c, TEXT("a")), 1);
    assert_int_equal(hold_back(f, c, TEXT("a")), 0);
    advance_ms(f, 10 * MINUTE_MS);
    struct seen *seen = row(f, c, "a");
    assert_int_equal(seen->schedule.flags, SCHEDULE_PAUSED);
    assert_int_equal(seen->schedule.next_us, 0);
    restart(f);
    c = client_new(f, 1000);
    assert_int_equal(row(f, c, "a")->schedule.flags, SCHEDULE_PAUSED);
    advance_ms(f, 10 * MINUTE_MS);
    assert_int_equal(go_on(f, c, TEXT("a")), 1);
    assert_int_equal(go_on(f, c, TEXT("a")), 0);
    restart(f);
    c = client_new(f, 1000);
    assert_int_equal(row(f, c, "a")->schedule.runs, 0);
    advance_ms(f, MINUTE_MS);
    assert_int_equal(row(f, c, "a")->schedule.runs, 1);
    set(f, c, SCHEDULE("b", "@every 1m", .flags = SCHEDULE_PAUSED));
    advance_ms(f, MINUTE_MS);
    assert_int_equal(row(f, c, "b")->schedule.runs, 0);
}

static void test_one_that_is_forgotten_leaves_its_jobs(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set(f, c, SCHEDULE("a", "@every 1m"));
    advance_ms(f, MINUTE_MS);
    uint64_t job = row(f, c, "a")->schedule.last_job;
    assert_int_equal(forget(f, c, TEXT("a")), 0);
    assert_int_equal(forget(f, c, TEXT("a")), -ENOENT);
    assert_int_equal(hold_back(f, c, TEXT("a")), -ENOENT);
    restart(f);
    c = client_new(f, 1000);
    assert_int_equal(schedules(f, c), 0);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    advance_ms(f, 5 * MINUTE_MS);
    assert_int_equal(jobs_stored_n(f), 1);
}

static void test_schedules_are_told_in_pages(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set(f, c, SCHEDULE("c", "@daily"));
    set(f, c, SCHEDULE("a.1", "@daily"));
    set(f, c, SCHEDULE("a.2", "@daily"));
    struct request list = {.verb = VERB_SCHEDULE_LIST, .schedule_list.limit = 2};
    struct seen *seen = ask_ok(f, c, list, 0);
    assert_int_equal(seen->schedules_n, 2);
    assert_true(seen->flags & RESULT_MORE);
    assert_string_equal(seen->schedule_words[0], "a.1");
    list.schedule_list.after = TEXT("a.2");
    seen = ask_ok(f, c, list, 0);
    assert_int_equal(seen->schedules_n, 1);
    assert_false(seen->flags & RESULT_MORE);
    assert_string_equal(seen->schedule_words[0], "c");
    list.schedule_list = (struct request_schedule_list){.prefix = TEXT("a.")};
    assert_int_equal(ask_ok(f, c, list, 0)->schedules_n, 2);
}

static void test_a_schedule_is_its_users(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000), *other = client_new(f, 1001), *root = client_new(f, 0);

    set(f, c, SCHEDULE("a", "@daily"));
    set_status(f, other, SCHEDULE("a", "@daily"), -EPERM);
    assert_int_equal(forget(f, other, TEXT("a")), -EPERM);
    assert_int_equal(hold_back(f, other, TEXT("a")), -EPERM);
    assert_int_equal(schedules(f, other), 0);
    assert_int_equal(schedules(f, root), 1);
    assert_int_equal(hold_back(f, root, TEXT("a")), 1);
    set(f, root, SCHEDULE("a", "@daily")); /* and is root's from now on */
    assert_int_equal(row(f, root, "a")->schedule.uid, 0);
    assert_int_equal(forget(f, c, TEXT("a")), -EPERM);
}

/* ---- refused ---- */

static void refused(struct jobs_fixture *f, struct request request, int32_t status, const char *words)
{
    struct client *c = client_new(f, 1000);
    struct seen *seen = set_status(f, c, request, status);

    if (!strstr(seen->text, words))
        fail_msg("refused with \"%s\", not with \"%s\"", seen->text, words);
    assert_int_equal(schedules(f, c), 0);
}

static void test_what_is_wrong_is_said(void **state)
{
    struct jobs_fixture *f = *state;

    refused(f, SCHEDULE("a", "61 * * * *"), -EINVAL, "character 1: minute '61'");
    refused(f, SCHEDULE("a b", "@daily"), -EINVAL, "a schedule's name");
    refused(f, SCHEDULE("a", "@daily", .zone = TEXT("Moon/Base")), -ENOENT, "no such zone");
    refused(f, SCHEDULE("a", "@daily", .queue = TEXT("none")), -ENOENT, "no queue none");
    refused(f, of(SCHEDULE("a", "@daily"), PLUGIN, TEXT("absent")), -ENOENT, "has no function absent");
    refused(f, of(SCHEDULE("a", "@daily"), TEXT("relative.so"), TEXT("count")), -EINVAL, "absolute path");
    refused(f, SCHEDULE("a", "@daily", .missed = MISSED_ALL + 1), -EINVAL, "policies");
    refused(f, SCHEDULE("a", "@daily", .overlap = OVERLAP_SKIP + 1), -EINVAL, "policies");
    refused(f, SCHEDULE("a", "@daily", .priority = 10), -EINVAL, "priority 10");
    char zone[66];
    memset(zone, 'z', sizeof(zone));
    struct request longer = SCHEDULE("a", "@daily");
    longer.schedule_set.zone = (struct bytes){zone, sizeof(zone)};
    refused(f, longer, -E2BIG, "a zone of 66 bytes");
}

static void test_a_plugin_that_is_none_is_said(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    uint64_t op = ask(f, c, SCHEDULE("a", "@daily"));

    assert_null(answer(f, c, op));
    plugin_fails(f, -ENOEXEC, TEXT("not a plugin"));
    assert_int_equal(answer(f, c, op)->status, -ENOEXEC);
    assert_string_equal(answer(f, c, op)->text, "not a plugin");
    assert_int_equal(schedules(f, c), 0);
}

static void test_one_change_at_a_time(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    uint64_t op = ask(f, c, SCHEDULE("a", "@daily"));

    assert_int_equal(answer(f, c, ask(f, c, SCHEDULE("a", "@hourly")))->status, -EBUSY);
    assert_int_equal(forget(f, c, TEXT("a")), -EBUSY);
    f->hold = true;
    plugin_is(f, TEXT("g1"), true);
    assert_null(answer(f, c, op)); /* not before it is on disk */
    assert_int_equal(answer(f, c, ask(f, c, SCHEDULE("a", "@hourly")))->status, -EBUSY);
    assert_int_equal(schedules(f, c), 0);
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, op)->status, 0);
    f->hold = false;
    set(f, c, SCHEDULE("a", "@hourly"));
}

static void test_who_gives_up_sets_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    uint64_t op = ask(f, c, SCHEDULE("a", "@daily"));

    cancel_op(f, c, op);
    assert_int_equal(answer(f, c, op)->status, -ECANCELED);
    ask(f, c, SCHEDULE("b", "@daily", .zone = TEXT("Europe/Berlin")));
    client_die(f, c);
    zone_is_read(f);
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(schedules(f, client_new(f, 0)), 0);
}

/* ---- limits ---- */

static void test_limit_schedules_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.schedules_max = 2;
    restart(f);
    struct client *c = client_new(f, 1000);
    set(f, c, SCHEDULE("a", "@daily"));
    set(f, c, SCHEDULE("b", "@daily"));
    set_status(f, c, SCHEDULE("c", "@daily"), -ENOBUFS);
    set(f, client_new(f, 1001), SCHEDULE("c", "@daily")); /* the limit is one user's */
    assert_int_equal(forget(f, c, TEXT("a")), 0);
    set(f, c, SCHEDULE("d", "@daily"));
}

static void test_limit_schedule_bytes_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.schedule_bytes_max = strlen("argument");
    restart(f);
    struct client *c = client_new(f, 1000);
    set(f, c, SCHEDULE("a", "@daily"));
    struct request longer = SCHEDULE("a", "@daily");
    longer.schedule_set.argument = TEXT("arguments");
    set_status(f, c, longer, -E2BIG);
}

/* A user at his limit of jobs: the moment stays due. */
static void test_a_run_waits_for_room(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.jobs_waiting_max = 1;
    restart(f);
    struct client *c = client_new(f, 1000);
    set(f, c, SCHEDULE("a", "@every 1m"));
    uint64_t job = submit(f, c, SUBMIT());
    advance_ms(f, MINUTE_MS);
    assert_int_equal(row(f, c, "a")->schedule.runs, 0);
    assert_non_null(strstr(row(f, c, "a")->schedule_words[1], "could not be submitted"));
    assert_int_equal(cancel_job(f, c, job), 0);
    advance_ms(f, 10000);
    assert_int_equal(row(f, c, "a")->schedule.runs, 1);
    assert_string_equal(row(f, c, "a")->schedule_words[1], "");
}

static void test_a_run_that_cannot_be_drops_no_job(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.jobs_waiting_max = 1;
    restart(f);
    struct client *c = client_new(f, 1000), *stranger = client_new(f, 2000);
    set_queue(f, "mail", "waiting_max=1 full=drop-oldest");
    set(f, c, SCHEDULE("a", "@every 1m", .queue = TEXT("mail")));
    submit(f, c, SUBMIT());
    uint64_t job = submit(f, stranger, SUBMIT(.queue = TEXT("mail")));
    advance_ms(f, MINUTE_MS);
    assert_int_equal(row(f, c, "a")->schedule.runs, 0);
    assert_state(f, stranger, job, JOB_READY, CAUSE_NONE);
}

/* ---- rights ---- */

static void test_rights_are_judged_again_at_each_run(void **state)
{
    struct jobs_fixture *f = *state;
    struct right_row rows[] = {
        {.account = 1000, .groups = GROUP_SUBMIT | GROUP_SCHEDULE | GROUP_INSPECT, .prefix = TEXT("")}};
    struct rights rights = {rows, 1};
    struct client *c = client_new(f, 1000);

    core_set_rights(f->core, &rights);
    set(f, c, SCHEDULE("a", "@every 1m"));
    advance_ms(f, MINUTE_MS);
    assert_int_equal(row(f, c, "a")->schedule.runs, 1);
    rows[0].groups = GROUP_SCHEDULE;
    advance_ms(f, MINUTE_MS);
    struct seen *seen = row(f, c, "a");
    assert_int_equal(seen->schedule.runs, 1);
    assert_int_equal(seen->schedule.skipped, 1);
    assert_non_null(strstr(seen->schedule_words[1], "may not submit"));
    assert_int_equal(answer(f, c, ask(f, c, SCHEDULE("b", "@daily")))->status, -EPERM);
    rows[0].groups = GROUP_SUBMIT;
    assert_int_equal(forget(f, c, TEXT("a")), -EPERM);
    core_set_rights(f->core, NULL);
}

/* ---- the end ---- */

/* The only timer there is looks at the clock for all schedules, and is none's own. */
static void test_what_looks_at_the_clock_for_all_ends_with_the_core(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set(f, c, SCHEDULE("a", "@every 1h"));
    assert_int_equal(hold_back(f, c, TEXT("a")), 1);
    assert_in_range(f->effects.wake_ns - f->now.mono_ns, 1, MINUTE_MS * 1000000);
    restart(f); /* core_delete looks whether a timer is left */
    assert_int_equal(schedules(f, client_new(f, 1000)), 1);
}

/* ---- memory ---- */

/* Every allocation of a SET and of a run fails once; nothing is half done. A connection that could not even be told so is
 * void, so each round has its own. */
static void test_memory_that_runs_out(void **state)
{
    enum { ROUNDS = 40 };
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    uint64_t set_n = 0;

    set(f, c, SCHEDULE("a", "@every 1m", .zone = TEXT("Europe/Berlin")));
    int64_t begun = f->now.wall_ns / (60 * SECOND_NS);
    for (long n = 0; n < ROUNDS; n++) {
        c = client_new(f, 1000);
        f->allocations_left = n;
        uint64_t op = ask(f, c, SCHEDULE("b", "@every 1h", .zone = TEXT("Europe/Berlin")));
        look(f);
        f->allocations_left = -1;
        look(f);
        set_n += answer(f, c, op) && answer(f, c, op)->status == 0;
        f->allocations_left = n;
        jump_ms(f, MINUTE_MS);
        f->allocations_left = -1;
        jump_ms(f, 1000);
    }
    c = client_new(f, 1000);
    assert_in_range(set_n, 1, ROUNDS - 5);
    uint64_t moments = (uint64_t)(f->now.wall_ns / (60 * SECOND_NS) - begun);
    assert_int_equal(row(f, c, "a")->schedule.runs, moments);
    assert_int_equal(jobs_stored_n(f), moments + row(f, c, "b")->schedule.runs);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)
        TEST(test_a_schedule_runs_at_its_moments),
        TEST(test_the_job_is_as_the_schedule_says),
        TEST(test_a_job_has_the_times_of_its_schedule),
        TEST(test_times_that_are_none_are_refused),
        TEST(test_months_with_both_changes_of_the_clocks),
        TEST(test_the_day_of_the_gap_and_the_day_of_two_hours),
        TEST(test_one_that_is_set_again_is_replaced),
        TEST(test_one_that_is_held_makes_up_for_nothing),
        TEST(test_one_that_is_forgotten_leaves_its_jobs),
        TEST(test_schedules_are_told_in_pages),
        TEST(test_a_schedule_is_its_users),
        TEST(test_what_is_wrong_is_said),
        TEST(test_a_plugin_that_is_none_is_said),
        TEST(test_one_change_at_a_time),
        TEST(test_who_gives_up_sets_nothing),
        TEST(test_limit_schedules_max),
        TEST(test_limit_schedule_bytes_max),
        TEST(test_a_run_waits_for_room),
        TEST(test_a_run_that_cannot_be_drops_no_job),
        TEST(test_rights_are_judged_again_at_each_run),
        TEST(test_what_looks_at_the_clock_for_all_ends_with_the_core),
        TEST(test_memory_that_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
