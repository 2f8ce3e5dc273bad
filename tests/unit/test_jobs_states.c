/* Queues whose jobs say how they fare: each state is a message (IP18). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "record.h"

#define MS 1000000

enum { TOLD_BYTES = 16384, VALUES = 64 };

/* Messages in the order in which they came: "TOPIC" or, in `all`, with what they say. */
static char topics[TOLD_BYTES], all[TOLD_BYTES];
/* Records in the order of their batches: "end+message ", one word for each batch. */
static char batches[TOLD_BYTES];

static void add(char to[TOLD_BYTES], const char *before, struct bytes text, const char *behind)
{
    size_t n = strlen(to);

    snprintf(to + n, TOLD_BYTES - n, "%s%.*s%s", before, (int)text.size, (const char *)text.data, behind);
}

/* What follows the number of the job, which every body begins with. */
static struct bytes words_of(const struct value *value)
{
    struct bytes body = value->body, id = value->message->headers[0].value;
    size_t n = id.size < body.size ? id.size : body.size, blank = n < body.size;

    assert_memory_equal(body.data, id.data, n);
    return (struct bytes){(const char *)body.data + n + blank, body.size - n - blank};
}

static void see_message(const struct value *value)
{
    const struct message *message = value->message;

    assert_non_null(message);
    add(topics, "", message->topic, " ");
    add(all, "", message->topic, "");
    for (size_t i = 0; i < message->headers_n; i++) {
        add(all, " ", message->headers[i].name, "=");
        add(all, "", message->headers[i].value, "");
    }
    add(all, " [", message->key, "]");
    add(all, " \"", words_of(value), "\"\n");
}

static void see_batch(const struct batch *batch, int error)
{
    static const struct bytes names[RECORD_KINDS] = {
        [RECORD_JOB_NEW] = TEXT("new"),     [RECORD_JOB_REPLACE] = TEXT("replace"),
        [RECORD_JOB_STATE] = TEXT("state"), [RECORD_JOB_END] = TEXT("end"),
        [RECORD_MESSAGE] = TEXT("message"), [RECORD_MESSAGE_JOINED] = TEXT("joined"),
        [RECORD_TOPIC] = TEXT("topic"),
    };
    const struct record *record;
    const char *between = "";

    if (error)
        return;
    list_each (record, &batch->records, link) {
        add(batches, between, names[record->kind].size ? names[record->kind] : TEXT("other"), "");
        between = "+";
    }
    add(batches, "", TEXT(" "), "");
}

static void forget(void)
{
    *topics = *all = *batches = '\0';
}

static int set_up(void **state)
{
    int r = jobs_set_up(state);
    struct jobs_fixture *f = *state;

    f->see_value = see_message;
    f->see_batch = see_batch;
    set_queue(f, "default", "states=jobs.mail");
    forget();
    return r;
}

/* Its handle. */
static uint64_t subscribe_as(struct jobs_fixture *f, struct client *c, struct request_subscribe what)
{
    if (!what.pattern.size)
        what.pattern = TEXT("jobs.>");
    return ask_ok(f, c, (struct request){.verb = VERB_SUBSCRIBE, .subscribe = what}, 0)->handle;
}

static uint64_t subscribe(struct jobs_fixture *f, struct client *c)
{
    return subscribe_as(f, c, (struct request_subscribe){.capacity = 1000});
}

static void keep(struct jobs_fixture *f, struct client *c, struct bytes settings)
{
    ask_ok(f, c,
           (struct request){.verb = VERB_TOPIC_SET,
                            .topic_set = {.pattern = TEXT("jobs.>"), .settings = settings}},
           0);
    forget();
}

/* All that is there. */
static void receive(struct jobs_fixture *f, struct client *c, uint64_t sub)
{
    struct seen *seen;

    do {
        uint64_t op =
            ask(f, c,
                (struct request){
                    .verb = VERB_RECV, .until = {.kind = UNTIL_NOW}, .recv = {.handle = sub, .max = VALUES}});
        seen = answer(f, c, op);
        assert_non_null(seen);
    } while (seen->status > 0);
}

static void assert_topics(struct jobs_fixture *f, struct client *c, uint64_t sub, const char *expect)
{
    *topics = '\0';
    receive(f, c, sub);
    assert_string_equal(topics, expect);
}

/* Of the states of the queue. */
static void assert_counted(struct jobs_fixture *f, struct client *c, uint64_t told, uint64_t lost)
{
    struct request request = {.verb = VERB_QUEUE_INFO, .queue_info = {.name = TEXT("default")}};
    struct seen *seen = ask_ok(f, c, request, 0);
    size_t i = 0;

    while (i < seen->stats_n && strcmp(seen->stats[i], "state.states_told") != 0)
        i++;
    assert_int_equal(seen->values[i], told);
    assert_int_equal(seen->values[i + 1], lost);
}

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
