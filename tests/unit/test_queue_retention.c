/* How long a queue keeps its ended jobs, and how many: bounds of its own beside those of the daemon. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "jobs_internal.h"

#define MAIL(...) SUBMIT(.queue = TEXT("mail"), ##__VA_ARGS__)

struct rig {
    struct jobs_fixture *f;
    struct client *c, *host;
};

static struct rig rig_up(void **state, const char *settings)
{
    struct rig r = {.f = *state};

    set_queue(r.f, "mail", settings);
    r.c = client_new(r.f, 0);
    submit(r.f, r.c, SUBMIT());
    r.host = host_up(r.f);
    done(r.f, r.host, begin(r.f, r.host), CAUSE_NONE, 0);
    return r;
}

/* A job that has ended. */
static uint64_t ended(struct rig *r, struct request request, enum job_cause cause)
{
    uint64_t job = submit(r->f, r->c, request);

    done(r->f, r->host, begin(r->f, r->host), cause, cause == CAUSE_NONE ? 0 : -EIO);
    return job;
}

static void assert_kept(struct rig *r, uint64_t job)
{
    ask_ok(r->f, r->c, LOOK(job), 0);
}

static void assert_gone(struct rig *r, uint64_t job)
{
    ask_ok(r->f, r->c, LOOK(job), -ENOENT);
}

static void test_a_queue_keeps_its_jobs_for_its_own_time(void **state)
{
    struct rig r = rig_up(state, "retained_s=2");
    uint64_t mail = ended(&r, MAIL(), CAUSE_NONE), other = ended(&r, SUBMIT(), CAUSE_NONE);

    advance_ms(r.f, 1900);
    assert_kept(&r, mail);
    advance_ms(r.f, 200);
    assert_gone(&r, mail);
    assert_kept(&r, other);
}

static void test_a_queue_may_keep_them_longer_than_the_limit(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.retained_s = 1;
    restart(f);
    struct rig r = rig_up(state, "retained_s=100");
    uint64_t mail = ended(&r, MAIL(), CAUSE_NONE), other = ended(&r, SUBMIT(), CAUSE_NONE);
    advance_ms(f, 1100);
    assert_kept(&r, mail);
    assert_gone(&r, other);
}

static void test_a_queue_keeps_the_last_so_many(void **state)
{
    struct rig r = rig_up(state, "retained_jobs=2");
    uint64_t jobs[4], other = ended(&r, SUBMIT(), CAUSE_NONE);

    for (int i = 0; i < 4; i++)
        jobs[i] = ended(&r, MAIL(), CAUSE_NONE);
    advance_ms(r.f, 1);
    for (int i = 0; i < 4; i++)
        (i < 2 ? assert_gone : assert_kept)(&r, jobs[i]);
    assert_kept(&r, other);
}

/* There may be thousands of queues. One that is looked at before its time is armed for another. */
static void test_the_end_of_a_job_looks_at_its_queue_alone(void **state)
{
    struct rig r = rig_up(state, "retained_s=100000");
    const struct queue *other = queue_find(r.f->core, TEXT("default")),
                       *mail = queue_find(r.f->core, TEXT("mail"));

    ended(&r, SUBMIT(), CAUSE_NONE);
    ended(&r, MAIL(), CAUSE_NONE);
    int64_t before = other->stay.at_ns, of_mail = mail->stay.at_ns;
    assert_true(timer_armed(&other->stay));
    advance_ms(r.f, 1000);
    ended(&r, MAIL(), CAUSE_NONE);
    assert_int_equal(other->stay.at_ns, before);
    assert_true(mail->stay.at_ns > of_mail);
}

static void test_no_time_keeps_nothing_and_who_waits_is_told(void **state)
{
    struct rig r = rig_up(state, "retained_s=0");
    uint64_t job = submit(r.f, r.c, MAIL());
    uint64_t wait = ask(r.f, r.c, (struct request){.verb = VERB_JOB_WAIT, .job_wait = {.job = job}});

    done_with(r.f, r.host, begin(r.f, r.host), TEXT("result"));
    struct seen *seen = answer(r.f, r.c, wait);
    assert_int_equal(seen->status, 0);
    advance_ms(r.f, 1);
    assert_gone(&r, job);
}

static void test_dead_jobs_have_bounds_of_their_own(void **state)
{
    struct rig r = rig_up(state, "retained_jobs=1 dead_jobs=1 dead_s=5 attempts=2 backoff_ms=1");
    uint64_t first = ended(&r, MAIL(.attempts_max = 1), CAUSE_ERROR), dead[2];

    for (int i = 0; i < 2; i++) {
        dead[i] = ended(&r, MAIL(), CAUSE_ERROR);
        advance_ms(r.f, 2);
        done(r.f, r.host, begin(r.f, r.host), CAUSE_ERROR, -EIO);
    }
    advance_ms(r.f, 1);
    assert_kept(&r, first);
    assert_gone(&r, dead[0]);
    assert_state(r.f, r.c, dead[1], JOB_DEAD, CAUSE_ERROR);
    advance_ms(r.f, 5000);
    assert_gone(&r, dead[1]);
    assert_kept(&r, first);
}

static void test_what_is_set_later_is_for_what_is_there(void **state)
{
    struct rig r = rig_up(state, "");
    uint64_t job = ended(&r, MAIL(), CAUSE_NONE);

    advance_ms(r.f, 1000);
    ask_ok(r.f, r.c,
           (struct request){.verb = VERB_QUEUE_SET, .queue_set = {TEXT("mail"), TEXT("retained_s=1")}}, 0);
    advance_ms(r.f, 1);
    assert_gone(&r, job);
}

static void test_ages_and_settings_go_on_after_a_restart(void **state)
{
    struct rig r = rig_up(state, "");

    ask_ok(r.f, r.c,
           (struct request){.verb = VERB_QUEUE_SET,
                            .queue_set = {TEXT("mail"), TEXT("retained_s=2 retained_jobs=2")}},
           0);
    uint64_t first = ended(&r, MAIL(), CAUSE_NONE), other = ended(&r, SUBMIT(), CAUSE_NONE);
    advance_ms(r.f, 1000);
    uint64_t second = ended(&r, MAIL(), CAUSE_NONE);
    restart(r.f);
    r.c = client_new(r.f, 0);
    advance_ms(r.f, 1);
    assert_kept(&r, first);
    advance_ms(r.f, 1000);
    assert_gone(&r, first);
    assert_kept(&r, second);
    advance_ms(r.f, 1000);
    assert_gone(&r, second);
    assert_kept(&r, other);
}

static void test_many_go_a_part_at_a_time(void **state)
{
    enum { MANY = 700 };
    struct rig r = rig_up(state, "");
    uint64_t job = 0;

    for (int i = 0; i < MANY; i++) {
        if (i % 100 == 0)
            r.c = client_new(r.f, 0);
        job = ended(&r, MAIL(), CAUSE_NONE);
    }
    r.c = client_new(r.f, 0);
    ask_ok(r.f, r.c,
           (struct request){.verb = VERB_QUEUE_SET, .queue_set = {TEXT("mail"), TEXT("retained_jobs=1")}}, 0);
    advance_ms(r.f, 0); /* a clock that stands is no reason to stay */
    struct seen *seen =
        ask_ok(r.f, r.c, (struct request){.verb = VERB_QUEUE_INFO, .queue_info = {TEXT("mail")}}, 0);
    size_t row = 0;
    while (row < seen->stats_n && strcmp(seen->stats[row], "state.ended") != 0)
        row++;
    assert_true(row < seen->stats_n);
    assert_int_equal(seen->values[row], 1);
    assert_kept(&r, job);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_queue_keeps_its_jobs_for_its_own_time),
        TEST(test_a_queue_may_keep_them_longer_than_the_limit),
        TEST(test_a_queue_keeps_the_last_so_many),
        TEST(test_the_end_of_a_job_looks_at_its_queue_alone),
        TEST(test_no_time_keeps_nothing_and_who_waits_is_told),
        TEST(test_dead_jobs_have_bounds_of_their_own),
        TEST(test_what_is_set_later_is_for_what_is_there),
        TEST(test_ages_and_settings_go_on_after_a_restart),
        TEST(test_many_go_a_part_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
