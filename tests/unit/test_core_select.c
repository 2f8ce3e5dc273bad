/* Select: rules S and IP5. */
#include "core_fixture.h"

static struct rig *rig;
static struct client *a, *b, *c;

static int setup(void **state)
{
    rig = rig_new();
    a = client_new(rig);
    b = client_new(rig);
    c = client_new(rig);
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

static void test_S1_values_are_those_of_the_frame(void **state)
{
    char value[] = "old";
    uint64_t h = chan(a, "x", 0), hb = chan(b, "x", 0);
    uint64_t s = SELECT(a, CASE_S(h, value));
    strcpy(value, "new");
    assert_values(b, recv1(b, hb), "old ");
    assert_waits(a, s);
}

/* 3000 draws among 3 ready cases; chi-squared with 2 degrees of freedom, p < 1e-6 above 27.6. */
static void test_S2_the_choice_among_ready_cases_is_uniform(void **state)
{
    enum { DRAWS = 3000 };
    uint64_t x = chan(a, "x", 1), y = chan(a, "y", 1), z = chan(a, "z", 1);
    double count[3] = {0}, chi = 0;

    rig->unchecked = true;
    chan_close(a, y);
    for (int i = 0; i < DRAWS; i++) {
        send1(at_once(a), x, "v");
        uint64_t s = SELECT(a, CASE_R(x), CASE_R(y), CASE_S(z, "w"));
        count[got(a, s)->index]++;
        recv1(at_once(a), z);
        a->mark = a->op;
    }
    for (int i = 0; i < 3; i++)
        chi += (count[i] - DRAWS / 3.0) * (count[i] - DRAWS / 3.0) / (DRAWS / 3.0);
    assert_true(chi < 27.6);
}

static void test_S2_the_same_seed_draws_the_same(void **state)
{
    uint32_t drawn[2][32];
    for (int run = 0; run < 2; run++) {
        struct rig *other = rig_with(&(struct limits)LIMITS_DEFAULT, 9);
        struct client *d = client_new(other);
        uint64_t x = chan(d, "x", 64), y = chan(d, "y", 64);
        for (int i = 0; i < 32; i++)
            drawn[run][i] = got(d, SELECT(d, CASE_S(x, "v"), CASE_S(y, "v")))->index;
        rig_delete(other);
    }
    assert_memory_equal(drawn[0], drawn[1], sizeof(drawn[0]));
}

static void test_S3_default_only_when_nothing_is_ready(void **state)
{
    uint64_t x = chan(a, "x", 1), y = chan(a, "y", 1);
    assert_status(a, SELECT(at_once(a), CASE_R(x), CASE_R(y)), -EAGAIN);
    send1(a, y, "v");
    uint64_t s = SELECT(at_once(a), CASE_R(x), CASE_R(y));
    assert_status(a, s, 1);
    assert_int_equal(got(a, s)->index, 1);
}

static void test_S4_exactly_one_case_takes_effect(void **state)
{
    uint64_t x = chan(a, "x", 2), y = chan(a, "y", 2);
    SELECT(a, CASE_S(x, "v"), CASE_S(y, "w"));
    assert_int_equal(info(a, x).length + info(a, y).length, 1);
}

static void test_S5_the_first_match_leaves_every_queue(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0), xb = chan(b, "x", 0);
    uint64_t s = SELECT(a, CASE_R(x), CASE_R(y), CASE_S(y, "w"));
    assert_int_equal(info(a, y).receivers + info(a, y).senders, 2);
    send1(b, xb, "v");
    assert_values(a, s, "v ");
    assert_int_equal(info(a, x).receivers + info(a, y).receivers + info(a, y).senders, 0);
}

static void test_S5_deadline_cancel_and_death_leave_every_queue(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0);
    uint64_t s1 = SELECT(within(a, MS), CASE_R(x), CASE_S(y, "v")), s2 = SELECT(a, CASE_R(x), CASE_S(y, "v"));
    chan(b, "x", 0);
    uint64_t yb = chan(b, "y", 0);
    rig_after(rig, MS);
    assert_status(a, s1, -ETIMEDOUT);
    cancel(a, s2);
    assert_status(a, s2, -ECANCELED);
    SELECT(a, CASE_R(x), CASE_S(y, "v"));
    client_die(a);
    assert_int_equal(info(b, yb).senders, 0);
}

static void test_S5_selects_on_an_idle_channel_do_not_grow_the_core(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0);
    long live = 0;

    rig->unchecked = true;
    for (int i = 0; i < 2000; i++) {
        uint64_t s = SELECT(a, CASE_R(x), CASE_S(y, "v"));
        cancel(a, s);
        a->mark = s;
        if (i == 100)
            live = rig->live;
    }
    assert_int_equal(rig->live, live);
}

static void test_S6_one_channel_may_stand_in_several_cases(void **state)
{
    uint64_t x = chan(a, "x", 0), xb = chan(b, "x", 0);
    uint64_t s = SELECT(a, CASE_R(x), CASE_R(x), CASE_R(x));
    assert_int_equal(info(b, xb).receivers, 3);
    send1(b, xb, "v");
    assert_values(a, s, "v ");
    assert_int_equal(info(b, xb).receivers, 0);
}

static void test_S7_cases_of_one_select_do_not_match_each_other(void **state)
{
    uint64_t x = chan(a, "x", 0);
    uint64_t s = SELECT(a, CASE_R(x), CASE_S(x, "v"));
    assert_waits(a, s);
}

static void test_S7_two_selects_of_one_client_match(void **state)
{
    uint64_t x = chan(a, "x", 0);
    uint64_t s1 = SELECT(a, CASE_R(x), CASE_S(x, "1")), s2 = SELECT(a, CASE_R(x), CASE_S(x, "2"));
    struct got *g1 = got(a, s1), *g2 = got(a, s2);
    assert_true(!g1 != !g2);
    uint64_t receiver = g1 ? s1 : s2, sender = g1 ? s2 : s1;
    assert_int_equal(got(a, receiver)->index, 0);
    ack(a, receiver, 0);
    assert_status(a, sender, 1);
    assert_int_equal(got(a, sender)->index, 1);
}

static void test_S9_receive_on_closed_is_ready(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0);
    chan_close(a, y);
    uint64_t s = SELECT(a, CASE_R(x), CASE_R(y));
    assert_status(a, s, 0);
    assert_int_equal(got(a, s)->index, 1);
    assert_true(got(a, s)->flags & RESULT_CLOSED);
}

static void test_S9_send_on_closed_is_ready_and_fails_if_drawn(void **state)
{
    bool failed = false, received = false;
    uint64_t x = chan(a, "x", 64), y = chan(a, "y", 0);
    chan_close(a, y);
    for (int i = 0; i < 64; i++) {
        uint64_t s = SELECT(a, CASE_S(x, "v"), CASE_S(y, "w"));
        failed |= got(a, s)->status == -EPIPE && got(a, s)->index == 1;
        received |= got(a, s)->status == 1 && got(a, s)->index == 0;
    }
    assert_true(failed && received);
}

static void test_S9_a_close_wakes_parked_selects_with_their_case(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0), z = chan(a, "z", 0);
    uint64_t s = SELECT(a, CASE_R(x), CASE_S(y, "v")), r = SELECT(a, CASE_R(x), CASE_R(z));
    chan_close(b, chan(b, "y", 0));
    assert_status(a, s, -EPIPE);
    assert_int_equal(got(a, s)->index, 1);
    assert_waits(a, r);
    chan_close(b, chan(b, "z", 0));
    assert_status(a, r, 0);
    assert_int_equal(got(a, r)->index, 1);
}

static void test_S10_a_select_of_one_case_is_that_operation(void **state)
{
    uint64_t x = chan(a, "x", 0), xb = chan(b, "x", 0);
    uint64_t r1 = recv1(a, x), s = SELECT(b, CASE_S(xb, "v"));
    assert_values(a, r1, "v ");
    assert_waits(b, s);
    ack(a, r1, 0);
    assert_status(b, s, 1);
}

static void test_S12_too_many_cases_are_refused(void **state)
{
    static struct select_case cases[CASES_MAX + 1];
    uint64_t x = chan(a, "x", 0);
    for (int i = 0; i <= CASES_MAX; i++)
        cases[i] = (struct select_case){.kind = CASE_RECV, .handle = x};
    assert_status(a, select_of(a, cases, CASES_MAX + 1), -E2BIG);
    assert_waits(a, select_of(a, cases, CASES_MAX));
    assert_status(a, select_of(a, cases, 0), -EINVAL);
}

static void test_S12_an_error_about_a_case_names_it_and_nothing_happens(void **state)
{
    uint64_t x = chan(a, "x", 4);
    uint64_t s = SELECT(a, CASE_S(x, "v"), CASE_R(4711));
    assert_int_equal(got(a, s)->index, 1);
    assert_true(got(a, s)->status < 0);
    struct select_case odd = {.kind = 9, .handle = x};
    assert_status(a, select_of(a, &odd, 1), -EINVAL);
    struct chan_info i = info(a, x);
    assert_true(i.length == 0 && i.bytes == 0);
}

static void test_S13_a_select_past_its_deadline_takes_nothing(void **state)
{
    uint64_t x = chan(a, "x", 1);
    send1(a, x, "v");
    assert_status(a, SELECT(within(a, 0), CASE_R(x)), -ETIMEDOUT);
    assert_int_equal(info(a, x).length, 1);
}

/* ---- IP5 ---- */

static void test_IP5_2_an_undone_select_waits_in_all_its_queues_at_its_old_place(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0), xc = chan(c, "x", 0), yc = chan(c, "y", 0);
    uint64_t s = SELECT(a, CASE_S(x, "v"), CASE_R(y));
    recv1(b, chan(b, "x", 0));
    send1(at_once(c), yc, "w");
    assert_status(c, c->op, -EAGAIN);
    uint64_t later = send1(c, xc, "later");
    client_die(b);
    assert_waits(a, s);
    assert_int_equal(info(c, yc).receivers, 1);
    uint64_t r = recv1(c, xc);
    assert_values(c, r, "v ");
    ack(c, r, 0);
    assert_status(a, s, 1);
    assert_false(got(a, s)->flags & RESULT_DOUBT);
    assert_waits(c, later);
}

static void test_IP5_2_an_undone_select_that_ends_otherwise_names_the_send_in_doubt(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0), yc = chan(c, "y", 0);
    uint64_t s = SELECT(a, CASE_R(y), CASE_S(x, "v"));
    recv1(b, chan(b, "x", 0));
    client_die(b);
    send1(c, yc, "w");
    assert_values(a, s, "w ");
    assert_int_equal(got(a, s)->index, 0);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
    assert_int_equal(got(a, s)->doubt, 2);
}

static void test_IP5_2_an_undone_select_tests_readiness_again(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 1), yc = chan(c, "y", 1);
    uint64_t s = SELECT(a, CASE_S(x, "v"), CASE_R(y));
    recv1(b, chan(b, "x", 0));
    send1(c, yc, "w");
    client_die(b);
    assert_values(a, s, "w ");
    assert_true(got(a, s)->flags & RESULT_DOUBT);
}

static void test_IP5_2_the_deadline_of_an_undone_select_still_applies(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0);
    uint64_t s = SELECT(within(a, 10 * MS), CASE_S(x, "v"), CASE_R(y));
    recv1(b, chan(b, "x", 0));
    rig_after(rig, 5 * MS);
    client_die(b);
    rig_after(rig, 5 * MS);
    assert_status(a, s, -ETIMEDOUT);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
}

static void test_IP2_2_a_handed_select_says_sent_at_its_deadline(void **state)
{
    uint64_t x = chan(a, "x", 0), y = chan(a, "y", 0);
    uint64_t s = SELECT(within(a, 10 * MS), CASE_R(y), CASE_S(x, "v"));
    recv1(b, chan(b, "x", 0));
    rig_after(rig, 10 * MS);
    assert_status(a, s, 1);
    assert_int_equal(got(a, s)->index, 1);
}

/* ---- jobs in a select ---- */

static void test_a_job_case_is_ready_when_the_job_has_ended(void **state)
{
    uint64_t x = chan(a, "x", 0);
    struct select_case cases[] = {
        CASE_R(x), {.kind = CASE_JOB, .handle = 1}, {.kind = CASE_JOB, .handle = 1}};
    assert_status(a, select_of(a, cases, 2), -ENOENT);
    client_do(a, (struct request){.verb = VERB_SUBMIT});
    rig_stored(rig, 0);
    uint64_t s = select_of(a, cases, 3), dead = select_of(b, cases + 1, 2);
    client_die(b);
    assert_waits(a, s);
    client_do(a, (struct request){.verb = VERB_JOB_CANCEL, .job_cancel = {.job = 1}});
    assert_status(a, s, 1);
    assert_int_equal(got(a, s)->index, 1);
    assert_int_equal(got(a, s)->handle, 1);
    assert_null(got(b, dead));
    assert_int_equal(info(a, x).receivers, 0);
    assert_status(a, select_of(a, cases + 1, 1), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_S1_values_are_those_of_the_frame),
        T(test_S2_the_choice_among_ready_cases_is_uniform),
        T(test_S2_the_same_seed_draws_the_same),
        T(test_S3_default_only_when_nothing_is_ready),
        T(test_S4_exactly_one_case_takes_effect),
        T(test_S5_the_first_match_leaves_every_queue),
        T(test_S5_deadline_cancel_and_death_leave_every_queue),
        T(test_S5_selects_on_an_idle_channel_do_not_grow_the_core),
        T(test_S6_one_channel_may_stand_in_several_cases),
        T(test_S7_cases_of_one_select_do_not_match_each_other),
        T(test_S7_two_selects_of_one_client_match),
        T(test_S9_receive_on_closed_is_ready),
        T(test_S9_send_on_closed_is_ready_and_fails_if_drawn),
        T(test_S9_a_close_wakes_parked_selects_with_their_case),
        T(test_S10_a_select_of_one_case_is_that_operation),
        T(test_S12_too_many_cases_are_refused),
        T(test_S12_an_error_about_a_case_names_it_and_nothing_happens),
        T(test_S13_a_select_past_its_deadline_takes_nothing),
        T(test_IP5_2_an_undone_select_waits_in_all_its_queues_at_its_old_place),
        T(test_IP5_2_an_undone_select_that_ends_otherwise_names_the_send_in_doubt),
        T(test_IP5_2_an_undone_select_tests_readiness_again),
        T(test_IP5_2_the_deadline_of_an_undone_select_still_applies),
        T(test_IP2_2_a_handed_select_says_sent_at_its_deadline),
        T(test_a_job_case_is_ready_when_the_job_has_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
