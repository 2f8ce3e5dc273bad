/* When states of jobs are told, and what is not told (IP18.3 to IP18.7). */
#include "states_fixture.h"

/* ---- 3: when ---- */

static void test_IP18_3_a_live_message_waits_until_the_state_is_stored(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c), first = submit(f, c, SUBMIT());

    assert_topics(f, c, sub, "jobs.mail.ready ");
    f->hold = true;
    ask(f, c, SUBMIT());
    cancel_job(f, c, first);
    assert_topics(f, c, sub, "");
    store_one(f, 0);
    assert_topics(f, c, sub, "jobs.mail.ready ");
    store_go_on(f, 0);
    assert_topics(f, c, sub, "jobs.mail.cancelled ");
}

static void test_IP18_3_of_a_job_that_the_store_refuses_nothing_is_told(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe(f, c), other = submit(f, c, SUBMIT());

    receive(f, c, sub);
    f->hold = true;
    ask(f, c, SUBMIT(.deadline_in_ns = MS));
    cancel_job(f, c, other);
    advance_ms(f, 1);
    store_go_on(f, -ENOSPC);
    assert_topics(f, c, sub, "jobs.mail.cancelled ");
}

static void test_IP18_3_a_kept_message_is_in_the_write_of_the_state(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("durable=yes"));
    submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = MS));
    assert_string_equal(batches, "topic new+message ");
    struct client *host = host_up(f);
    forget();
    struct seen *offer = begin(f, host);
    done(f, host, offer, CAUSE_ERROR, -EIO);
    assert_string_equal(batches, "topic+state+joined ");
    forget();
    advance_ms(f, 1);
    offer = begin(f, host);
    done(f, host, offer, CAUSE_ERROR, -EIO);
    assert_non_null(strstr(batches, "end+joined "));
}

static void test_IP18_3_a_kept_message_is_seen_when_it_is_stored_and_not_when_that_is_refused(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("durable=yes"));
    uint64_t sub = subscribe(f, c);
    submit(f, c, SUBMIT());
    assert_topics(f, c, sub, "jobs.mail.ready ");
    f->hold = true;
    ask(f, c, SUBMIT());
    assert_topics(f, c, sub, "");
    store_go_on(f, -ENOSPC);
    assert_topics(f, c, sub, "");
    f->hold = false;
    submit(f, c, SUBMIT());
    assert_topics(f, c, sub, "jobs.mail.ready ");
}

static void test_IP18_3_jobs_that_come_together_are_told_together(void **state)
{
    struct request one = SUBMIT();
    struct request_submit jobs[3] = {one.submit, one.submit, one.submit};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("durable=yes"));
    submit(f, c, SUBMIT());
    forget();
    submit(f, c, (struct request){.verb = VERB_SUBMIT_MANY, .submit_many = {.jobs = jobs, .jobs_n = 3}});
    assert_string_equal(batches, "new+new+new+message+message+message ");
}

static void test_IP18_3_a_job_that_goes_on_as_it_comes_parts_no_batch(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    done(f, host, begin(f, host), CAUSE_NONE, 0);
    keep(f, c, TEXT("durable=yes"));
    struct request one = SUBMIT(.after = &parent, .after_n = 1);
    struct request_submit jobs[2] = {one.submit, one.submit};
    submit(f, c, (struct request){.verb = VERB_SUBMIT_MANY, .submit_many = {.jobs = jobs, .jobs_n = 2}});
    assert_non_null(strstr(batches, "new+new+message+message+message+message "));
}

/* ---- 4: what a full store refuses ---- */

static void test_IP18_4_a_job_that_is_due_before_it_is_stored_is_ready_when_it_is(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("durable=yes"));
    uint64_t sub = subscribe(f, c);
    for (int error = 0; error >= -ENOSPC; error -= ENOSPC) {
        submit(f, c, SUBMIT()); /* its plugin is known */
        receive(f, c, sub);
        f->hold = true;
        ask(f, c, SUBMIT(.delay_ns = MS));
        advance_ms(f, 1);
        store_go_on(f, error);
        f->hold = false;
        advance_ms(f, 0);
        assert_topics(f, c, sub, error ? "" : "jobs.mail.scheduled jobs.mail.ready ");
    }
}

/* The job that it comes after never was. */
static void test_IP18_4_a_job_that_may_go_on_before_it_is_stored_is_ready_when_it_is(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("durable=yes"));
    uint64_t parent = submit(f, c, SUBMIT(.delay_ns = MS)), sub = subscribe(f, c);
    submit(f, c, SUBMIT(.after = &parent, .after_n = 1));
    advance_ms(f, 1); /* all topics are there */
    for (int error = 0; error >= -ENOSPC; error -= ENOSPC) {
        parent = submit(f, c, SUBMIT()) + 1;
        receive(f, c, sub);
        f->hold = true;
        ask(f, c, SUBMIT());
        advance_ms(f, 0); /* another batch */
        ask(f, c, SUBMIT(.after = &parent, .after_n = 1, .flags = SUBMIT_AFTER_ANY));
        store_one(f, -ENOSPC);
        store_go_on(f, error);
        f->hold = false;
        advance_ms(f, 0);
        assert_topics(f, c, sub, error ? "" : "jobs.mail.blocked jobs.mail.ready ");
    }
}

static void test_IP18_4_of_a_batch_that_is_refused_its_callback_is_not_told_either(void **state)
{
    struct request_submit one = SUBMIT(.flags = SUBMIT_AFTER_ANY).submit, jobs[] = {one, one, one};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("durable=yes"));
    submit(f, c, SUBMIT());
    uint64_t sub = subscribe(f, c);
    f->hold = true;
    ask(f, c, (struct request){.verb = VERB_SUBMIT_MANY, .submit_many = {jobs, 3, 1}});
    store_go_on(f, -ENOSPC);
    assert_topics(f, c, sub, "");
}

/* ---- 5: nobody waits ---- */

static void test_IP18_5_a_full_topic_fails_no_job_and_what_is_not_told_is_counted(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("durable=yes keep_messages=1 full=reject"));
    uint64_t sub = subscribe(f, c);
    submit(f, c, SUBMIT());
    cancel_job(f, c, submit(f, c, SUBMIT()));
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.cancelled ");
    assert_counted(f, c, 2, 1);
    ask_ok(f, c,
           (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {.topic = TEXT("jobs.mail.ready")}}, 0);
    submit(f, c, SUBMIT());
    assert_topics(f, c, sub, "jobs.mail.ready ");
}

static void test_IP18_5_without_room_for_a_topic_a_job_goes_on(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.topics_max = 1;
    restart(f);
    set_queue(f, "default", "states=jobs.mail");
    struct client *c = client_new(f, 0);
    keep(f, c, TEXT("durable=yes"));
    uint64_t sub = subscribe(f, c), job = submit(f, c, SUBMIT());
    cancel_job(f, c, job);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_topics(f, c, sub, "jobs.mail.ready ");
    assert_counted(f, c, 1, 1);
}

static void test_IP18_5_who_would_make_it_wait_is_disconnected(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t sub = subscribe_as(f, c, (struct request_subscribe){.capacity = 1, .full = TOPIC_BLOCK});

    submit(f, c, SUBMIT());
    submit(f, c, SUBMIT());
    uint64_t op = ask(f, c, (struct request){.verb = VERB_RECV, .recv = {.handle = sub, .max = 9}});
    assert_int_equal(answer(f, c, op)->status, 1);
    op = ask(f, c, (struct request){.verb = VERB_RECV, .recv = {.handle = sub, .max = 9}});
    assert_int_equal(answer(f, c, op)->status, -ENOBUFS);
}

static void test_IP18_5_while_nobody_listens_nothing_is_made(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    subscribe_as(f, c, (struct request_subscribe){.pattern = TEXT("jobs.*.failed")});
    submit(f, c, SUBMIT());
    assert_counted(f, c, 0, 0);
}

static void test_IP18_5_what_a_topic_remembers_is_told_while_nobody_listens(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    keep(f, c, TEXT("last=yes"));
    uint64_t first = submit(f, c, SUBMIT()), second = submit(f, c, SUBMIT());
    cancel_job(f, c, first);
    assert_counted(f, c, 3, 0);
    uint64_t sub = subscribe_as(f, c, (struct request_subscribe){.capacity = 9, .from = FROM_LAST});
    assert_topics(f, c, sub, "jobs.mail.ready jobs.mail.cancelled ");
    char ready[64];
    snprintf(ready, sizeof(ready), "jobs.mail.ready job=%llu ", (unsigned long long)second);
    assert_non_null(strstr(all, ready));
}

/* ---- 7: the setting ---- */

static void refuse(struct jobs_fixture *f, struct client *c, const char *settings)
{
    struct request request = {
        .verb = VERB_QUEUE_SET,
        .queue_set = {.name = TEXT("default"), .settings = {settings, strlen(settings)}}};

    ask_ok(f, c, request, -EINVAL);
}

static void test_IP18_7_the_setting_is_a_topic_that_a_word_fits_behind(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    char text[300] = "states=";

    refuse(f, c, "states=jobs..mail");
    refuse(f, c, "states=jobs.*");
    memset(text + 7, 'x', 241);
    refuse(f, c, text);
    text[7 + 240] = '\0';
    ask_ok(f, c,
           (struct request){.verb = VERB_QUEUE_SET,
                            .queue_set = {.name = TEXT("default"), .settings = {text, strlen(text)}}},
           0);
    uint64_t sub = subscribe_as(f, c, (struct request_subscribe){.pattern = TEXT("*.scheduled")});
    submit(f, c, SUBMIT(.delay_ns = MS));
    receive(f, c, sub);
    assert_int_equal(strlen(topics), 240 + strlen(".scheduled "));
}

static void test_IP18_7_the_setting_is_told_and_outlives_the_daemon(void **state)
{
    struct request ask_info = {.verb = VERB_QUEUE_INFO, .queue_info = {.name = TEXT("default")}};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct seen *seen = ask_ok(f, c, ask_info, 0);
    size_t i = 0;

    while (i < seen->stats_n && strcmp(seen->stats[i], "config.states=jobs.mail") != 0)
        i++;
    assert_int_equal(seen->values[i], strlen("jobs.mail"));
    ask_ok(f, c,
           (struct request){.verb = VERB_QUEUE_SET,
                            .queue_set = {.name = TEXT("default"), .settings = TEXT("states=s")}},
           0);
    restart(f);
    c = client_new(f, 0);
    seen = ask_ok(f, c, ask_info, 0);
    assert_string_equal(seen->stats[i], "set.states=s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, jobs_tear_down)
        TEST(test_IP18_3_a_live_message_waits_until_the_state_is_stored),
        TEST(test_IP18_3_of_a_job_that_the_store_refuses_nothing_is_told),
        TEST(test_IP18_3_a_kept_message_is_in_the_write_of_the_state),
        TEST(test_IP18_3_a_kept_message_is_seen_when_it_is_stored_and_not_when_that_is_refused),
        TEST(test_IP18_3_jobs_that_come_together_are_told_together),
        TEST(test_IP18_3_a_job_that_goes_on_as_it_comes_parts_no_batch),
        TEST(test_IP18_4_a_job_that_is_due_before_it_is_stored_is_ready_when_it_is),
        TEST(test_IP18_4_a_job_that_may_go_on_before_it_is_stored_is_ready_when_it_is),
        TEST(test_IP18_4_of_a_batch_that_is_refused_its_callback_is_not_told_either),
        TEST(test_IP18_5_a_full_topic_fails_no_job_and_what_is_not_told_is_counted),
        TEST(test_IP18_5_without_room_for_a_topic_a_job_goes_on),
        TEST(test_IP18_5_who_would_make_it_wait_is_disconnected),
        TEST(test_IP18_5_while_nobody_listens_nothing_is_made),
        TEST(test_IP18_5_what_a_topic_remembers_is_told_while_nobody_listens),
        TEST(test_IP18_7_the_setting_is_a_topic_that_a_word_fits_behind),
        TEST(test_IP18_7_the_setting_is_told_and_outlives_the_daemon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
