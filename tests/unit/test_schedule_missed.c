/* What becomes of moments that pass while the daemon is down, its store refuses, its clock is set or a job still runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schedule_fixture.h"

enum { NOON = 1717243200 }; /* 1 June 2024, 12:00 UTC */

/* Down for so long: what the store was not told is lost. */
static struct client *down(struct jobs_fixture *f, int64_t ms)
{
    f->now.mono_ns += ms * 1000000;
    f->now.wall_ns += ms * 1000000;
    restart(f);
    return client_new(f, 0);
}

static uint64_t runs(struct jobs_fixture *f, struct client *c, const char *name)
{
    return row(f, c, name)->schedule.runs;
}

/* ---- policies ---- */

static void test_five_hours_down_by_each_policy(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    at_utc(f, NOON + 60);
    set(f, c, SCHEDULE("one", "0 * * * *"));
    set(f, c, SCHEDULE("skip", "0 * * * *", .missed = MISSED_SKIP));
    set(f, c, SCHEDULE("three", "0 * * * *", .missed = MISSED_ALL, .missed_most = 3));
    set(f, c, SCHEDULE("all", "0 * * * *", .missed = MISSED_ALL));
    set(f, c, SCHEDULE("alone", "0 * * * *", .missed = MISSED_ALL, .overlap = OVERLAP_SKIP));
    c = down(f, 5 * HOUR_MS + 30 * MINUTE_MS);
    assert_int_equal(runs(f, c, "one"), 1);
    assert_int_equal(runs(f, c, "skip"), 0);
    assert_int_equal(row(f, c, "skip")->schedule.skipped, 1);
    assert_int_equal(runs(f, c, "three"), 3);
    assert_int_equal(runs(f, c, "all"), 5);
    assert_int_equal(runs(f, c, "alone"), 1);
    assert_int_equal(jobs_stored_n(f), 10);
    assert_int_equal(row(f, c, "one")->schedule.last_us / 1000000, NOON + 5 * 3600);
    assert_int_equal(row(f, c, "skip")->schedule.next_us / 1000000, NOON + 6 * 3600);
    jump_ms(f, 30 * MINUTE_MS);
    assert_int_equal(runs(f, c, "one"), 2);
    assert_int_equal(runs(f, c, "skip"), 1);
    assert_int_equal(runs(f, c, "three"), 4);
    assert_int_equal(runs(f, c, "all"), 6);
}

static void test_limit_schedule_late_s(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    f->limits.schedule_late_s = 30;
    at_utc(f, NOON + 60);
    set(f, c, SCHEDULE("a", "0 * * * *", .missed = MISSED_SKIP));
    c = down(f, 59 * MINUTE_MS + 30 * 1000); /* a moment 30 s ago is not missed */
    assert_int_equal(runs(f, c, "a"), 1);
    c = down(f, HOUR_MS + 1000);
    assert_int_equal(runs(f, c, "a"), 1);
    assert_non_null(strstr(row(f, c, "a")->schedule_words[1], "could not submit"));
}

static void test_limit_schedule_missed_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.schedule_missed_max = 4;
    restart(f);
    struct client *c = client_new(f, 0);
    set(f, c, SCHEDULE("a", "@every 1s", .missed = MISSED_ALL));
    set(f, c, SCHEDULE("b", "@every 1s", .missed = MISSED_ALL, .missed_most = 4));
    set_status(f, c, SCHEDULE("c", "@every 1s", .missed = MISSED_ALL, .missed_most = 5), -EINVAL);
    c = down(f, 400 * 24 * HOUR_MS);
    assert_int_equal(runs(f, c, "a"), 4);
    assert_int_equal(runs(f, c, "b"), 4);
}

static void test_no_run_beside_the_last_one(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set(f, c, SCHEDULE("a", "@every 1m", .overlap = OVERLAP_SKIP));
    advance_ms(f, MINUTE_MS);
    struct client *host = host_up(f);
    struct seen *run = begin(f, host);
    advance_ms(f, 2 * MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 1);
    assert_int_equal(row(f, c, "a")->schedule.skipped, 2);
    assert_int_equal(done(f, host, run, CAUSE_NONE, 0), 0);
    advance_ms(f, MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 2);
    c = down(f, MINUTE_MS); /* and a restart does not forget that it runs */
    assert_int_equal(runs(f, c, "a"), 2);
    assert_int_equal(row(f, c, "a")->schedule.skipped, 3);
}

/* ---- crashes: before and after the write ---- */

static void test_a_run_that_was_not_written_comes_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set(f, c, SCHEDULE("a", "@every 1m", .missed = MISSED_ALL));
    f->hold = true;
    jump_ms(f, MINUTE_MS);
    jump_ms(f, MINUTE_MS); /* nothing more is looked at before that is settled */
    assert_int_equal(jobs_stored_n(f), 0);
    f->hold = false;
    c = down(f, 0);
    assert_int_equal(runs(f, c, "a"), 2);
    assert_int_equal(jobs_stored_n(f), 2);
}

static void test_a_run_that_was_written_does_not_come_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set(f, c, SCHEDULE("a", "@every 1m", .missed = MISSED_ALL));
    f->hold = true;
    jump_ms(f, MINUTE_MS);
    assert_int_equal(store_memory.apply(f->store, &f->held), 0); /* and the report is lost */
    f->hold = false;
    c = down(f, 1000);
    assert_int_equal(runs(f, c, "a"), 1);
    assert_int_equal(jobs_stored_n(f), 1);
}

static void test_a_full_store_defers_a_run(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set(f, c, SCHEDULE("a", "@every 1m"));
    int64_t due_us = row(f, c, "a")->schedule.next_us;
    f->hold = true;
    jump_ms(f, MINUTE_MS);
    store_go_on(f, -ENOSPC);
    f->hold = false;
    struct seen *seen = row(f, c, "a");
    assert_int_equal(seen->schedule.runs, 0);
    assert_int_equal(seen->schedule.next_us, due_us);
    assert_non_null(strstr(seen->schedule_words[1], "the store refused"));
    advance_ms(f, 10000);
    assert_int_equal(runs(f, c, "a"), 1);
    assert_int_equal(jobs_stored_n(f), 1);
}

static int take_cursor(void *context, const struct schedule_row *row, struct bytes argument)
{
    *(int64_t *)context = row->progress.cursor_ns;
    return 0;
}

static int ignore_job(void *context, const struct job_row *row)
{
    return 0;
}

/* The only schedule's, as a restart finds it. */
static int64_t stored_cursor(struct jobs_fixture *f)
{
    int64_t cursor_ns = -1;
    struct store_load load = {.job = ignore_job, .context = &cursor_ns, .schedule = take_cursor};

    assert_int_equal(store_memory.load(f->store, &load, NULL), 0);
    return cursor_ns;
}

/* What it goes on from would be ahead of a run that the store may still refuse. */
static void test_one_that_is_held_does_not_go_on_past_a_run_that_is_not_stored(void **state)
{
    static const int errors[] = {-ENOSPC, 0};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    for (size_t i = 0; i < 2; i++) {
        set(f, c, SCHEDULE("a", "@every 1m"));
        int64_t before = stored_cursor(f);
        f->hold = true;
        jump_ms(f, MINUTE_MS);
        struct request request = {.verb = VERB_SCHEDULE_PAUSE, .schedule_pause = {.name = TEXT("a")}};
        uint64_t held = ask(f, c, request);
        request.schedule_pause.resume = 1;
        uint64_t on = ask(f, c, request);
        store_one(f, errors[i]);
        store_go_on(f, 0);
        f->hold = false;
        assert_int_equal(stored_cursor(f) > before, errors[i] == 0);
        assert_int_equal(runs(f, c, "a"), errors[i] ? 0 : 1);
        assert_int_equal(answer(f, c, held)->status, 1);
        assert_int_equal(answer(f, c, on)->status, -EBUSY);
        c = down(f, MINUTE_MS);
        assert_int_equal(go_on(f, c, TEXT("a")), 1);
        assert_int_equal(stored_cursor(f), f->now.wall_ns);
        assert_int_equal(forget(f, c, TEXT("a")), 0);
    }
}

static void test_a_full_store_takes_no_schedule(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);

    set(f, c, SCHEDULE("a", "@every 1m"));
    f->hold = true;
    uint64_t again = ask(f, c, SCHEDULE("a", "@every 1h")), new = ask(f, c, SCHEDULE("b", "@every 1h"));
    assert_string_equal(row(f, c, "a")->schedule_words[2], "@every 1m");
    store_go_on(f, -ENOSPC);
    f->hold = false;
    assert_int_equal(answer(f, c, again)->status, -ENOSPC);
    assert_int_equal(answer(f, c, new)->status, -ENOSPC);
    assert_int_equal(schedules(f, c), 1);
    assert_string_equal(row(f, c, "a")->schedule_words[2], "@every 1m");
    advance_ms(f, MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 1);
}

/* What the store refused has not been, and what it takes is counted on. */
static void test_one_that_is_set_again_counts_the_runs_that_were(void **state)
{
    static const int errors[] = {0, -ENOSPC};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    for (size_t i = 0; i < 2; i++) {
        set(f, c, SCHEDULE("a", "@every 1m"));
        f->hold = true;
        jump_ms(f, MINUTE_MS);
        uint64_t op = ask(f, c, SCHEDULE("a", "@every 1h"));
        look(f);
        assert_null(answer(f, c, op));
        assert_string_equal(row(f, c, "a")->schedule_words[2], "@every 1m");
        store_one(f, errors[i]);
        assert_null(answer(f, c, op)); /* that is on its way to the store now */
        store_go_on(f, 0);
        f->hold = false;
        assert_int_equal(answer(f, c, op)->status, 0);
        assert_string_equal(row(f, c, "a")->schedule_words[2], "@every 1h");
        assert_int_equal(runs(f, c, "a"), errors[i] ? 0 : 1);
        assert_int_equal(forget(f, c, TEXT("a")), 0);
    }
    assert_int_equal(jobs_stored_n(f), 1);
}

static void test_no_run_while_drained(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set(f, c, SCHEDULE("a", "@every 1m"));
    ask_ok(f, c, (struct request){.verb = VERB_DRAIN, .drain.what = DRAIN_BEGIN}, 0);
    advance_ms(f, 3 * MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 0);
    ask_ok(f, c, (struct request){.verb = VERB_DRAIN, .drain.what = DRAIN_END}, 0);
    advance_ms(f, 10000);
    assert_int_equal(runs(f, c, "a"), 1);
}

/* ---- a queue that takes no submits ---- */

static void pause_mail(struct jobs_fixture *f, enum pause_what what, int64_t ms)
{
    ask_ok(f, client_new(f, 0),
           (struct request){.verb = VERB_QUEUE_PAUSE, .queue_pause = {TEXT("mail"), what, ms * 1000000}}, 0);
}

/* Its moments are missed ones when that is over. */
static void test_a_pause_of_submits_by_each_policy(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "");
    at_utc(f, NOON + 60);
    pause_mail(f, PAUSE_SUBMITS, 0);
    set(f, c, SCHEDULE("one", "0 * * * *", .queue = TEXT("mail")));
    set(f, c, SCHEDULE("skip", "0 * * * *", .queue = TEXT("mail"), .missed = MISSED_SKIP));
    set(f, c, SCHEDULE("all", "0 * * * *", .queue = TEXT("mail"), .missed = MISSED_ALL));
    set(f, c, SCHEDULE("other", "0 * * * *"));
    advance_ms(f, HOUR_MS);
    assert_int_equal(runs(f, c, "other"), 1);
    assert_int_equal(jobs_stored_n(f), 1);
    c = down(f, 2 * HOUR_MS); /* over a restart, too */
    assert_int_equal(jobs_stored_n(f), 2);
    struct seen *seen = row(f, c, "one");
    assert_string_equal(seen->schedule_words[1], "its queue is paused and takes no job");
    assert_int_equal(seen->schedule.next_us / 1000000, NOON + 3600);
    assert_int_equal(seen->schedule.skipped, 0);
    pause_mail(f, PAUSE_END, 0);
    advance_ms(f, 10000);
    assert_int_equal(runs(f, c, "one"), 1);
    assert_string_equal(row(f, c, "one")->schedule_words[1], "");
    assert_int_equal(runs(f, c, "skip"), 0);
    assert_int_equal(row(f, c, "skip")->schedule.skipped, 1);
    assert_int_equal(runs(f, c, "all"), 3);
}

/* What stops the start of jobs alone stops no submit. */
static void test_a_pause_that_takes_submits_takes_those_of_schedules(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "");
    at_utc(f, NOON);
    set(f, c, SCHEDULE("a", "@every 1m", .queue = TEXT("mail")));
    pause_mail(f, PAUSE_BEGIN, 0);
    advance_ms(f, 2 * MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 2);
    pause_mail(f, PAUSE_SUBMITS, MINUTE_MS + 30000);
    advance_ms(f, MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 2);
    advance_ms(f, 40000);
    assert_int_equal(runs(f, c, "a"), 3);
}

/* ---- zones ---- */

static void test_a_zone_that_is_gone_is_told_and_waited_for(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    at_utc(f, NOON + 60);
    set(f, c, SCHEDULE("a", "0 * * * *", .zone = TEXT("Europe/Berlin")));
    c = down(f, HOUR_MS);
    assert_string_equal(row(f, c, "a")->schedule_words[1], "its zone is being read");
    zone_is_gone(f);
    struct seen *seen = row(f, c, "a");
    assert_int_equal(seen->schedule.flags, SCHEDULE_BROKEN);
    assert_string_equal(seen->schedule_words[1], "no such zone");
    assert_int_equal(seen->schedule.runs, 0);
    advance_ms(f, MINUTE_MS);
    zone_is_read(f); /* somebody has installed it */
    assert_int_equal(row(f, c, "a")->schedule.flags, 0);
    jump_ms(f, 0);
    assert_int_equal(runs(f, c, "a"), 1);
}

/* ---- the clock on the wall ---- */

static void set_wall(struct jobs_fixture *f, int64_t by_ms)
{
    f->now.wall_ns += by_ms * 1000000;
}

static void test_a_clock_set_forward_misses_moments(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    at_utc(f, NOON + 60);
    set(f, c, SCHEDULE("a", "0 * * * *"));
    set_wall(f, 3 * HOUR_MS);
    advance_ms(f, MINUTE_MS); /* it is noticed without any input */
    assert_int_equal(runs(f, c, "a"), 1);
    assert_int_equal(row(f, c, "a")->schedule.next_us / 1000000, NOON + 4 * 3600);
}

static void test_a_clock_set_back_repeats_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    at_utc(f, NOON + 60);
    set(f, c, SCHEDULE("a", "0 * * * *"));
    jump_ms(f, HOUR_MS);
    assert_int_equal(runs(f, c, "a"), 1);
    set_wall(f, -2 * HOUR_MS);
    advance_ms(f, 2 * HOUR_MS - 2 * MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 1);
    advance_ms(f, HOUR_MS + 2 * MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 2);
    set_wall(f, -24 * HOUR_MS); /* nobody wants to wait for that */
    advance_ms(f, HOUR_MS + MINUTE_MS);
    assert_int_equal(runs(f, c, "a"), 3);
}

/* The same when nobody saw that: moments that have been are not due again, but for a clock that went far back. */
static void test_a_clock_set_back_over_a_downtime(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    at_utc(f, NOON + 60);
    set(f, c, SCHEDULE("a", "0 * * * *"));
    jump_ms(f, HOUR_MS);
    assert_int_equal(runs(f, c, "a"), 1);
    set_wall(f, -2 * HOUR_MS);
    c = down(f, MINUTE_MS);
    assert_int_equal(row(f, c, "a")->schedule.next_us / 1000000, NOON + 2 * 3600);
    set_wall(f, -24 * HOUR_MS);
    c = down(f, MINUTE_MS);
    assert_int_equal(row(f, c, "a")->schedule.next_us / 1000000, NOON - 24 * 3600);
    assert_int_equal(stored_cursor(f), f->now.wall_ns);
    c = down(f, 5 * HOUR_MS); /* what is missed from there on counts */
    assert_int_equal(runs(f, c, "a"), 2);
    jump_ms(f, 21 * HOUR_MS); /* and what was before is past once more */
    assert_int_equal(runs(f, c, "a"), 3);
    jump_ms(f, HOUR_MS);
    assert_int_equal(runs(f, c, "a"), 4);
}

/* Three hours and no more are waited for. */
static void test_a_clock_set_back_by_three_hours(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    at_utc(f, NOON);
    set(f, c, SCHEDULE("a", "0 * * * *")); /* settled up to noon */
    set_wall(f, -3 * HOUR_MS);
    c = down(f, 0);
    assert_int_equal(row(f, c, "a")->schedule.next_us / 1000000, NOON + 3600);
    set_wall(f, -1);
    c = down(f, 0);
    assert_int_equal(row(f, c, "a")->schedule.next_us / 1000000, NOON - 3 * 3600);
}

/* It is noticed when the store has reported. */
static void test_a_clock_set_back_while_a_run_is_not_stored(void **state)
{
    static const int errors[] = {0, -ENOSPC};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    for (size_t i = 0; i < 2; i++) {
        at_utc(f, NOON + 60);
        set(f, c, SCHEDULE("a", "0 * * * *"));
        f->hold = true;
        jump_ms(f, HOUR_MS);
        set_wall(f, -24 * HOUR_MS);
        jump_ms(f, 0);
        store_go_on(f, errors[i]);
        f->hold = false;
        advance_ms(f, 10000);
        assert_int_equal(row(f, c, "a")->schedule.next_us / 1000000, NOON - 22 * 3600);
        assert_int_equal(forget(f, c, TEXT("a")), 0);
    }
}

/* ---- property ---- */

static uint64_t chance(uint64_t *seed, uint64_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % below;
}

/* One thing that goes wrong, or time that passes. */
static struct client *something_happens(struct jobs_fixture *f, struct client *c, uint64_t *seed)
{
    switch (chance(seed, 6)) {
    case 0:
        return down(f, (int64_t)chance(seed, 90000));
    case 1: /* the write is lost */
        f->hold = true;
        jump_ms(f, (int64_t)chance(seed, 20000));
        f->hold = false;
        return down(f, 0);
    case 2: /* its report is */
        f->hold = true;
        jump_ms(f, (int64_t)chance(seed, 20000));
        assert_int_equal(store_memory.apply(f->store, &f->held), 0);
        f->hold = false;
        return down(f, 0);
    case 3:
        f->hold = true;
        jump_ms(f, (int64_t)chance(seed, 20000));
        store_go_on(f, -ENOSPC);
        f->hold = false;
        return c;
    default:
        advance_ms(f, (int64_t)chance(seed, 60000));
        return c;
    }
}

/* Whatever happens: every moment has one job, and when all is calm none is left. */
static void test_every_moment_has_one_job(void **state)
{
    struct jobs_fixture *f = *state;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t drawn = seed;
        struct client *c = client_new(f, 0);
        size_t before = jobs_stored_n(f);

        set(f, c, SCHEDULE("a", "@every 7s", .missed = MISSED_ALL));
        int64_t begun_s = f->now.wall_ns / SECOND_NS;
        uint64_t had = runs(f, c, "a");
        for (int i = 0; i < 25; i++)
            c = something_happens(f, c, &drawn);
        advance_ms(f, 20000);
        uint64_t moments = (uint64_t)(f->now.wall_ns / SECOND_NS / 7 - begun_s / 7);
        assert_int_equal(runs(f, c, "a") - had, moments);
        assert_int_equal(jobs_stored_n(f) - before, moments);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)
        TEST(test_five_hours_down_by_each_policy),
        TEST(test_limit_schedule_late_s),
        TEST(test_limit_schedule_missed_max),
        TEST(test_no_run_beside_the_last_one),
        TEST(test_a_run_that_was_not_written_comes_again),
        TEST(test_a_run_that_was_written_does_not_come_again),
        TEST(test_a_full_store_defers_a_run),
        TEST(test_one_that_is_held_does_not_go_on_past_a_run_that_is_not_stored),
        TEST(test_a_full_store_takes_no_schedule),
        TEST(test_one_that_is_set_again_counts_the_runs_that_were),
        TEST(test_no_run_while_drained),
        TEST(test_a_pause_of_submits_by_each_policy),
        TEST(test_a_pause_that_takes_submits_takes_those_of_schedules),
        TEST(test_a_zone_that_is_gone_is_told_and_waited_for),
        TEST(test_a_clock_set_forward_misses_moments),
        TEST(test_a_clock_set_back_repeats_nothing),
        TEST(test_a_clock_set_back_over_a_downtime),
        TEST(test_a_clock_set_back_by_three_hours),
        TEST(test_a_clock_set_back_while_a_run_is_not_stored),
        TEST(test_every_moment_has_one_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
