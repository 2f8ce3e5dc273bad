/* Queues whose jobs say how they fare: each state is a message, and what it says (IP18.1, IP18.2). */
#include "states_fixture.h"

/* ---- 1: which ---- */

static void test_IP18_1_a_job_that_is_done_was_ready_and_running(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c);

    submit(f, c, SUBMIT());
    assert_topics(f, c, sub, "jobs.mail.ready ");
    struct client *host = host_up(f);
    assert_topics(f, c, sub, "jobs.mail.running ");
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    assert_topics(f, c, sub, "jobs.mail.done ");
}

static void test_IP18_1_a_job_that_is_tried_again_is_scheduled_and_dead_at_last(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c);

    submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 40 * MS));
    struct client *host = host_up(f);
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.running jobs.mail.scheduled ");
    advance_ms(f, 40);
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.running ");
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_topics(f, c, sub, "jobs.mail.dead ");
}

static void test_IP18_1_a_dead_job_that_lives_again_is_ready(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c), job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.running jobs.mail.failed ");
    ask_ok(f, c, (struct request){.verb = VERB_JOB_RETRY, .job_retry = {.job = job}}, 1);
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.running jobs.mail.done ");
}

static void test_IP18_1_a_job_that_waits_for_its_time_or_for_others_says_so(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c), parent = submit(f, c, SUBMIT(.delay_ns = 40 * MS));
    uint64_t child = submit(f, c, SUBMIT(.after = &parent, .after_n = 1));

    assert_topics(f, c, sub, "jobs.mail.scheduled jobs.mail.blocked ");
    advance_ms(f, 40);
    struct client *host = host_up(f);
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.running ");
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    assert_topics(f, c, sub, "jobs.mail.done jobs.mail.ready jobs.mail.running ");
    assert_int_equal(submit(f, c, SUBMIT(.after = &parent, .after_n = 1)) > child, 1);
    assert_topics(f, c, sub, "jobs.mail.blocked jobs.mail.ready jobs.mail.running ");
}

static void test_IP18_1_a_job_that_is_cancelled_or_late_says_so(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c), job = submit(f, c, SUBMIT());

    cancel_job(f, c, job);
    submit(f, c, SUBMIT(.deadline_in_ns = 10 * MS));
    advance_ms(f, 10);
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.cancelled jobs.mail.ready jobs.mail.failed ");
    assert_non_null(strstr(all, "jobs.mail.cancelled job="));
    assert_non_null(strstr(all, "cause=canceled error=-125 [] \"not wanted\"\n"));
    assert_non_null(strstr(all, "cause=timeout error=-110 [] \"its deadline passed"));
}

static void test_IP18_1_a_job_whose_host_ends_is_ready_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c);

    submit(f, c, SUBMIT());
    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    uint64_t guilty = begin(f, host)->offer.run;
    receive(f, c, sub);
    host_dies(f, host, 11, guilty);
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.failed ");
}

static void test_IP18_1_a_job_that_ends_its_hosts_is_quarantined(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c);

    f->limits.crashes_max = 2;
    submit(f, c, SUBMIT(.attempts_max = 5, .backoff_ns = MS));
    for (int i = 0; i < 10 && !strstr(all, "jobs.mail.dead"); i++) {
        struct client *host = host_there(f);
        host_dies(f, host, 11, begin(f, host)->offer.run);
        advance_ms(f, 60000);
        receive(f, c, sub);
    }
    assert_non_null(strstr(all, "jobs.mail.scheduled job="));
    assert_non_null(strstr(strstr(all, "jobs.mail.dead job="), "cause=crash"));
    assert_non_null(strstr(all, "\"quarantined: "));
}

static void test_IP18_1_a_job_that_is_replaced_says_so(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c);

    submit(f, c, SUBMIT(.once_key = TEXT("k")));
    submit(f, c, SUBMIT(.once_key = TEXT("k"), .once_policy = ONCE_REPLACE));
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.ready jobs.mail.cancelled ");
}

static void test_IP18_1_only_jobs_of_the_queue_that_says_so_are_told(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c);

    set_queue(f, "quiet", "weight=2");
    set_queue(f, "other", "states=jobs.other");
    submit(f, c, SUBMIT(.queue = TEXT("quiet")));
    submit(f, c, SUBMIT(.queue = TEXT("other")));
    assert_topics(f, c, sub, "jobs.other.ready ");
    ask_ok(f, c,
           (struct request){.verb = VERB_QUEUE_SET,
                            .queue_set = {.name = TEXT("other"), .settings = TEXT("states=none")}},
           0);
    submit(f, c, SUBMIT(.queue = TEXT("other")));
    assert_topics(f, c, sub, "");
}

/* ---- 2: what ---- */

static void test_IP18_2_a_message_says_which_job_it_is_and_why(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c);
    uint64_t job = submit(f, c, SUBMIT(.key = TEXT("anna"), .attempts_max = 3, .backoff_ns = MS));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    char expect[TOLD_BYTES];

    done(f, host, offer, CAUSE_PANIC, -EIO);
    advance_ms(f, 1);
    receive(f, c, sub);
    unsigned long long id = job, run = offer->offer.run;
    snprintf(expect, sizeof(expect),
             "jobs.mail.ready job=%llu state=ready queue=default function=count failures=0 [anna] \"\"\n"
             "jobs.mail.running job=%llu state=running queue=default function=count failures=0 run=%llu "
             "[anna] \"\"\n"
             "jobs.mail.scheduled job=%llu state=scheduled queue=default function=count failures=1 run=%llu "
             "cause=panic error=-5 [anna] \"%s\"\n"
             "jobs.mail.ready job=%llu state=ready queue=default function=count failures=1 run=%llu [anna] "
             "\"\"\n"
             "jobs.mail.running job=%llu state=running queue=default function=count failures=1 run=%llu "
             "[anna] \"\"\n",
             id, id, run, id, run, (const char *)info(f, c, job).text.data, id, run, id, run + 1);
    assert_string_equal(all, expect);
}

static void test_IP18_2_words_are_cut_to_what_the_topic_takes(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("durable=yes message_bytes_max=22"));
    uint64_t sub = subscribe(f, c);
    cancel_job(f, c, submit(f, c, SUBMIT()));
    receive(f, c, sub);
    assert_non_null(strstr(all, "error=-125 [] \"not\"\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, jobs_tear_down)
        TEST(test_IP18_1_a_job_that_is_done_was_ready_and_running),
        TEST(test_IP18_1_a_job_that_is_tried_again_is_scheduled_and_dead_at_last),
        TEST(test_IP18_1_a_dead_job_that_lives_again_is_ready),
        TEST(test_IP18_1_a_job_that_waits_for_its_time_or_for_others_says_so),
        TEST(test_IP18_1_a_job_that_is_cancelled_or_late_says_so),
        TEST(test_IP18_1_a_job_whose_host_ends_is_ready_again),
        TEST(test_IP18_1_a_job_that_ends_its_hosts_is_quarantined),
        TEST(test_IP18_1_a_job_that_is_replaced_says_so),
        TEST(test_IP18_1_only_jobs_of_the_queue_that_says_so_are_told),
        TEST(test_IP18_2_a_message_says_which_job_it_is_and_why),
        TEST(test_IP18_2_words_are_cut_to_what_the_topic_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
