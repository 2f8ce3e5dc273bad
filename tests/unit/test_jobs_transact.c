/* One transaction of a run: its job ends, further ones are submitted, values are sent, received ones acknowledged, or nothing of
 * that happens (IP13). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "kept.h"

/* A client, a host with a run of a job, and a durable channel of capacity 4 that both have, with two values in it. */
struct scene {
    struct jobs_fixture *f;
    struct client *client, *host;
    uint64_t job, run, theirs, mine; /* handles of the channel: the client's, the run's */
};

static uint64_t open_in(struct jobs_fixture *f, struct client *c, uint64_t run, const char *name,
                        uint32_t flags)
{
    struct request_chan_open open = {
        .name = {name, strlen(name)}, .capacity = 4, .flags = OPEN_CREATE | flags};

    return ask_ok(f, c, (struct request){.verb = VERB_CHAN_OPEN, .run = run, .chan_open = open}, 0)->handle;
}

static void send_two(struct scene *s)
{
    const struct value values[] = {{.body = TEXT("one")}, {.body = TEXT("two")}};

    ask_ok(s->f, s->client, (struct request){.verb = VERB_SEND, .send = {s->theirs, values, 2}}, 2);
}

static struct scene begin_scene(void **state)
{
    const struct topic_part durable = {.policy = {.durable = 1}, .set = 1u << TOPIC_durable};
    struct jobs_fixture *f = *state;
    struct scene s = {.f = f, .client = client_new(f, 0)};

    assert_int_equal(core_set_topic(f->core, (struct bytes){"log.>", 5}, &durable), 0);

    s.job = submit(f, s.client, SUBMIT());
    s.host = host_there(f);
    s.run = begin(f, s.host)->offer.run;
    s.theirs = open_in(f, s.client, 0, "kept", OPEN_DURABLE);
    s.mine = open_in(f, s.host, s.run, "kept", OPEN_DURABLE);
    send_two(&s);
    return s;
}

/* The run receives one value and keeps it. The operation. */
static uint64_t hold_one(struct scene *s)
{
    struct request request = {.verb = VERB_RECV, .run = s->run, .recv = {s->mine, 1}};

    return ask_ok(s->f, s->host, request, 1)->op;
}

#define TRANSACT(s, ...)                                                                                     \
    ((struct request){.verb = VERB_TRANSACT,                                                                 \
                      .run = (s)->run,                                                                       \
                      .transact = {.job = (s)->job, .run = (s)->run, ##__VA_ARGS__}})

static const struct value third = {.body = TEXT("three")};

static const struct outgoing message = {.value.body = TEXT("done"), .key = TEXT("key")};
static const struct request_publish said = {.topic = TEXT("log.x"), .messages = &message, .messages_n = 1};
/* Now and in a second. */
static const struct request_publish both_said[] = {
    {.topic = TEXT("log.x"), .messages = &message, .messages_n = 1},
    {.topic = TEXT("log.x"), .messages = &message, .messages_n = 1, .delay_ns = 1000000000}};

/* Everything that a transaction can do. */
#define ALL(s, held)                                                                                         \
    TRANSACT(s, .result = TEXT("result"),                                                                    \
             .jobs = &(struct request_submit){.plugin = PLUGIN, .function = TEXT("other")}, .jobs_n = 1,     \
             .sends = &(struct request_send){(s)->mine, &third, 1}, .sends_n = 1,                            \
             .acks = &(struct ack){(held), 1}, .acks_n = 1, .publishes = both_said, .publishes_n = 2)

static size_t jobs_in(struct scene *s, enum job_state state)
{
    return ask_ok(s->f, s->client,
                  (struct request){.verb = VERB_JOB_LIST, .job_list = {.states = 1u << state}}, 0)
        ->jobs_n;
}

/* How many values a new session finds. */
static int32_t values_there(struct jobs_fixture *f)
{
    struct client *c = client_new(f, 0);
    uint64_t handle = open_in(f, c, 0, "kept", OPEN_DURABLE);
    struct request request = {.verb = VERB_RECV, .until.kind = UNTIL_NOW, .recv = {handle, 9}};
    struct seen *seen = answer(f, c, ask(f, c, request));
    int32_t n = seen->status == -EAGAIN ? 0 : seen->status;

    client_die(f, c); /* they go back */
    return n;
}

/* A transaction that publishes for later does so with what it publishes now, or not at all. */
static uint64_t messages_there(struct jobs_fixture *f)
{
    const struct kept_topic *topic = kept_topic_find(f->core, said.topic);

    assert_true(!topic || !topic->delayed || topic->log.messages);
    return topic ? topic->log.messages : 0;
}

static uint64_t messages_to_come(struct jobs_fixture *f)
{
    return kept_topic_find(f->core, said.topic)->delayed;
}

static void nothing_happened(struct scene *s)
{
    assert_int_equal(messages_there(s->f), 0);
    assert_state(s->f, s->client, s->job, JOB_RUNNING, CAUSE_NONE);
    assert_int_equal(jobs_in(s, JOB_READY), 0);
    assert_int_equal(values_there(s->f), 1); /* the other one is held */
}

/* ---- all of it ---- */

static void test_IP13_1_all_of_it_happens_in_one_write_of_the_store(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t held = hold_one(&s), batches = s.f->batches;
    struct seen *seen = ask_ok(s.f, s.host, ALL(&s, held), 1);

    assert_int_equal(s.f->batches, batches + 1);
    assert_int_equal(seen->ids_n, 1);
    assert_state(s.f, s.client, s.job, JOB_DONE, CAUSE_NONE);
    assert_string_equal(info(s.f, s.client, s.job).result.data, "result");
    assert_state(s.f, s.client, seen->ids[0], JOB_RUNNING, CAUSE_NONE); /* the host is free for it */
    assert_int_equal(values_there(s.f), 2);                             /* "two" and "three" */
    assert_int_equal(messages_there(s.f), 1);
    assert_int_equal(messages_to_come(s.f), 1);
}

static void test_IP15_9_what_it_publishes_for_later_comes_at_its_time(void **state)
{
    struct scene s = begin_scene(state);

    ask_ok(s.f, s.host, ALL(&s, hold_one(&s)), 1);
    advance_ms(s.f, 999);
    assert_int_equal(messages_there(s.f), 1);
    advance_ms(s.f, 2);
    assert_int_equal(messages_there(s.f), 2);
    assert_int_equal(messages_to_come(s.f), 0);
}

static void test_IP13_1_the_end_of_the_job_alone_is_enough(void **state)
{
    struct scene s = begin_scene(state);

    ask_ok(s.f, s.host, TRANSACT(&s, .result = TEXT("result")), 0);
    assert_state(s.f, s.client, s.job, JOB_DONE, CAUSE_NONE);
    assert_int_equal(values_there(s.f), 2);
}

static void test_IP13_1_what_the_run_says_afterwards_is_stale(void **state)
{
    struct scene s = begin_scene(state);
    struct request send = {.verb = VERB_SEND, .run = s.run, .send = {s.mine, &third, 1}};

    ask_ok(s.f, s.host, TRANSACT(&s), 0);
    ask_ok(s.f, s.host, send, -ESTALE);
    ask_ok(s.f, s.host,
           (struct request){.verb = VERB_DONE, .done = {.job = s.job, .run = s.run, .cause = CAUSE_ERROR}},
           -ESTALE);
    assert_state(s.f, s.client, s.job, JOB_DONE, CAUSE_NONE);
}

static void test_IP13_2_a_crash_leaves_all_of_it_or_nothing(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t held = hold_one(&s);

    s.f->hold = true;
    uint64_t op = ask(s.f, s.host, ALL(&s, held));
    assert_null(answer(s.f, s.host, op)); /* nobody is told before it is stored */
    s.f->hold = false;
    restart(s.f);
    s.client = client_new(s.f, 0);
    assert_int_equal(jobs_in(&s, JOB_DONE), 0);
    assert_int_equal(values_there(s.f), 2);
}

static void test_IP13_2_what_was_told_is_there_after_a_crash(void **state)
{
    struct scene s = begin_scene(state);

    ask_ok(s.f, s.host, ALL(&s, hold_one(&s)), 1);
    restart(s.f);
    s.client = client_new(s.f, 0);
    assert_state(s.f, s.client, s.job, JOB_DONE, CAUSE_NONE);
    assert_int_equal(jobs_in(&s, JOB_READY), 1);
    assert_int_equal(values_there(s.f), 2);
}

static void test_IP13_2_a_full_store_delays_it_and_refuses_nothing(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t held = hold_one(&s);

    s.f->hold = true;
    uint64_t op = ask(s.f, s.host, ALL(&s, held));
    store_go_on(s.f, -ENOSPC);
    s.f->hold = false;
    assert_int_equal(answer(s.f, s.host, op)->status, 1);
    assert_state(s.f, s.client, s.job, JOB_DONE, CAUSE_NONE);
    assert_int_equal(values_there(s.f), 2);
    assert_int_equal(messages_there(s.f), 1);
}

/* ---- nothing of it ---- */

static void refuse_publish(struct scene *s, struct request_publish publish, int32_t status)
{
    ask_ok(s->f, s->host, TRANSACT(s, .publishes = &publish, .publishes_n = 1), status);
    assert_state(s->f, s->client, s->job, JOB_RUNNING, CAUSE_NONE);
    assert_int_equal(messages_there(s->f), 0);
}

static void test_IP15_9_what_it_cannot_publish_lets_nothing_happen(void **state)
{
    const struct outgoing once = {.value.body = TEXT("m"), .once = TEXT("id")};
    const struct topic_part reject = {.policy = {.durable = 1, .keep_messages = 1, .full = LOG_REJECT},
                                      .set =
                                          1u << TOPIC_durable | 1u << TOPIC_keep_messages | 1u << TOPIC_full};
    const struct outgoing two[] = {message, message};
    struct scene s = begin_scene(state);
    struct request_publish publish = said;

    publish.topic = (struct bytes)TEXT("live");
    refuse_publish(&s, publish, -EINVAL);
    publish.topic = (struct bytes)TEXT("log..x");
    refuse_publish(&s, publish, -EINVAL);
    publish = said;
    publish.delay_ns = -1;
    refuse_publish(&s, publish, -EINVAL);
    publish.delay_ns = publish.at_us = 1;
    refuse_publish(&s, publish, -EINVAL);
    publish.at_us = 0;
    s.f->core->limits.delayed_max = 0;
    refuse_publish(&s, publish, -ENOBUFS);
    s.f->core->limits.delayed_max = 1;
    s.f->core->limits.delayed_bytes_max = 6; /* of 7 */
    refuse_publish(&s, publish, -ENOBUFS);
    publish = said;
    publish.messages = &once;
    refuse_publish(&s, publish, -EINVAL);
    core_set_topic(s.f->core, (struct bytes)TEXT("log.x"), &reject);
    publish.messages = two;
    publish.messages_n = 2;
    refuse_publish(&s, publish, -ENOBUFS);
}

/* 60 and 5 bytes with their keys, in the order in which a look at the last one alone sees too little. */
static void test_IP15_9_messages_of_a_transaction_keep_the_bounds_of_their_topic(void **state)
{
    static const char text[60];
    const struct outgoing messages[] = {{.value.body = {text, sizeof(text)}}, {.value.body = {text, 5}}};
    struct topic_part part = {.policy = {.durable = 1, .keep_bytes = 64, .full = LOG_REJECT},
                              .set = 1u << TOPIC_durable | 1u << TOPIC_keep_bytes | 1u << TOPIC_full};
    struct scene s = begin_scene(state);
    struct request_publish publish = {.topic = said.topic, .messages = messages, .messages_n = 2};

    core_set_topic(s.f->core, said.topic, &part);
    refuse_publish(&s, publish, -ENOBUFS);
    part = (struct topic_part){.policy = {.durable = 1, .message_bytes_max = 59},
                               .set = 1u << TOPIC_durable | 1u << TOPIC_message_bytes_max};
    core_set_topic(s.f->core, said.topic, &part);
    refuse_publish(&s, publish, -E2BIG);
    part.policy.message_bytes_max = 60;
    core_set_topic(s.f->core, said.topic, &part);
    s.f->core->limits.bulk_bytes_max = 64;
    refuse_publish(&s, publish, -E2BIG);
    s.f->core->limits.bulk_bytes_max = 1 << 20;
    part.policy.keep_bytes = 66;
    part.policy.full = LOG_REJECT;
    part.set |= 1u << TOPIC_keep_bytes | 1u << TOPIC_full;
    core_set_topic(s.f->core, said.topic, &part);
    publish.messages = (struct outgoing[]){messages[1], messages[0]};
    ask_ok(s.f, s.host, TRANSACT(&s, .publishes = &publish, .publishes_n = 1), 0);
    assert_int_equal(messages_there(s.f), 2);
}

static void test_IP13_3_a_run_that_is_not_that_of_now_is_refused_whole(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t held = hold_one(&s);
    struct request request = ALL(&s, held);

    request.transact.run++;
    ask_ok(s.f, s.host, request, -ESTALE);
    request.transact.run--;
    request.transact.job++;
    ask_ok(s.f, s.host, request, -ESTALE);
    request.transact.job--;
    request.run = 0;
    ask_ok(s.f, s.host, request, -EPERM);
    nothing_happened(&s);
    ask_ok(s.f, s.client, (struct request){.verb = VERB_TRANSACT, .transact = {s.job, s.run}}, -ESTALE);
    nothing_happened(&s);
    ask_ok(s.f, s.host, ALL(&s, held), 1);
    ask_ok(s.f, s.host, ALL(&s, held), -ESTALE); /* not twice */
}

static void test_IP13_3_a_part_that_cannot_be_lets_nothing_happen(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t held = hold_one(&s), plain = open_in(s.f, s.host, s.run, "plain", 0);
    const struct value many[] = {third, third, third, third};
    struct request_submit wrong = {.plugin = PLUGIN, .function = TEXT("count"), .queue = TEXT("nowhere")};
    struct request request = ALL(&s, held);

    request.transact.sends = &(struct request_send){plain, &third, 1};
    ask_ok(s.f, s.host, request, -EINVAL); /* not durable */
    request.transact.sends = &(struct request_send){s.theirs, &third, 1};
    ask_ok(s.f, s.host, request, -ENOENT); /* not of this run */
    request.transact.sends = &(struct request_send){s.mine, many, 4};
    ask_ok(s.f, s.host, request, -EAGAIN); /* no room */
    request.transact.sends = (const struct request_send[]){{s.mine, many, 2}, {s.mine, many, 2}};
    request.transact.sends_n = 2;
    ask_ok(s.f, s.host, request, -EAGAIN); /* nor for both together */
    nothing_happened(&s);
    request = ALL(&s, held + 99);
    ask_ok(s.f, s.host, request, -ESTALE); /* not held */
    request.transact.acks = &(struct ack){held, 2};
    ask_ok(s.f, s.host, request, -ESTALE);
    request = ALL(&s, held);
    request.transact.jobs = &wrong;
    ask_ok(s.f, s.host, request, -ENOENT);
    nothing_happened(&s);
    ask_ok(s.f, s.client, (struct request){.verb = VERB_CLOSE, .close = {s.theirs}}, 0);
    ask_ok(s.f, s.host, ALL(&s, held), -EPIPE);
    nothing_happened(&s);
}

static void
test_IP13_3_it_waits_for_the_plugin_of_a_job_and_is_refused_when_its_run_ends_meanwhile(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t held = hold_one(&s);
    struct request request = ALL(&s, held);

    request.transact.jobs = &(struct request_submit){.plugin = TEXT("/p/new.so"), .function = TEXT("count")};
    uint64_t op = ask(s.f, s.host, request);
    assert_null(answer(s.f, s.host, op));
    host_dies(s.f, s.host, 9, 0);
    plugin_is(s.f, TEXT("g2"), true);
    assert_int_equal(jobs_in(&s, JOB_DONE), 0);
    assert_int_equal(values_there(s.f), 2); /* the held one came back */
}

static void test_IP13_3_it_goes_on_when_the_plugin_is_known(void **state)
{
    struct scene s = begin_scene(state);
    struct request request = ALL(&s, hold_one(&s));

    request.transact.jobs = &(struct request_submit){.plugin = TEXT("/p/new.so"), .function = TEXT("count")};
    uint64_t op = ask(s.f, s.host, request);
    plugin_is(s.f, TEXT("g2"), true);
    assert_int_equal(answer(s.f, s.host, op)->status, 1);
    assert_state(s.f, s.client, s.job, JOB_DONE, CAUSE_NONE);
}

static void test_IP13_3_sizes_are_bounded(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.result_bytes_max = 4;
    f->limits.bulk_bytes_max = 64;
    restart(f);
    struct scene s = begin_scene(state);
    uint64_t held = hold_one(&s);
    ask_ok(s.f, s.host, ALL(&s, held), -E2BIG);
    ask_ok(s.f, s.host,
           TRANSACT(&s, .sends = (const struct request_send[]){{s.mine, &third, 1}, {s.mine, &third, 1}},
                    .sends_n = 2),
           -E2BIG);
    nothing_happened(&s);
}

static void test_IP13_3_no_allocation_that_fails_leaves_half_of_it(void **state)
{
    for (int at = 0; at < 80; at++) {
        struct scene s = begin_scene(state);
        uint64_t held = hold_one(&s);

        s.f->allocations_left = at;
        uint64_t op = ask(s.f, s.host, ALL(&s, held));
        s.f->allocations_left = -1;
        advance_ms(s.f, 2);
        struct seen *seen = answer(s.f, s.host, op); /* NULL: it could not even be said */
        bool happened = info(s.f, s.client, s.job).state == JOB_DONE;
        assert_true(!seen || happened == (seen->status >= 0));
        if (happened)
            assert_int_equal(values_there(s.f), 2);
        else
            nothing_happened(&s);
        jobs_tear_down(state);
        jobs_set_up(state);
    }
}

/* ---- room in the queue of a job ---- */

static const struct request_submit for_mail = {
    .plugin = PLUGIN, .function = TEXT("other"), .queue = TEXT("mail"), .delay_ns = 1000000000000};

static uint64_t waits_for_room(struct scene *s)
{
    set_queue(s->f, "mail", "waiting_max=1 full=block");
    submit(s->f, s->client, (struct request){.verb = VERB_SUBMIT, .submit = for_mail});
    uint64_t op = ask(s->f, s->host, TRANSACT(s, .jobs = &for_mail, .jobs_n = 1));
    assert_null(answer(s->f, s->host, op));
    return op;
}

static void test_IP13_3_it_waits_for_room_and_goes_on_when_there_is_some(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t op = waits_for_room(&s);

    set_queue(s.f, "mail", "waiting_max=2 full=block");
    advance_ms(s.f, 1);
    assert_int_equal(answer(s.f, s.host, op)->status, 1);
    assert_int_equal(jobs_in(&s, JOB_DONE), 1);
}

static void test_IP13_3_its_session_may_end_while_it_waits_for_room(void **state)
{
    struct scene s = begin_scene(state);

    waits_for_room(&s);
    host_dies(s.f, s.host, 9, 0);
    client_die(s.f, s.client);
    core_check(s.f->core);
}

static void test_IP13_3_one_that_is_refused_drops_nobody_s_jobs(void **state)
{
    struct scene s = begin_scene(state);

    set_queue(s.f, "mail", "waiting_max=1 full=drop-oldest");
    submit(s.f, s.client, (struct request){.verb = VERB_SUBMIT, .submit = for_mail});
    ask_ok(s.f, s.host,
           (struct request){.verb = VERB_TRANSACT,
                            .run = s.run,
                            .transact = {.job = s.job, .run = s.run + 1, .jobs = &for_mail, .jobs_n = 1}},
           -ESTALE);
    assert_int_equal(jobs_in(&s, JOB_CANCELLED), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP13_1_all_of_it_happens_in_one_write_of_the_store),
        TEST(test_IP15_9_what_it_publishes_for_later_comes_at_its_time),
        TEST(test_IP13_1_the_end_of_the_job_alone_is_enough),
        TEST(test_IP13_1_what_the_run_says_afterwards_is_stale),
        TEST(test_IP13_2_a_crash_leaves_all_of_it_or_nothing),
        TEST(test_IP13_2_what_was_told_is_there_after_a_crash),
        TEST(test_IP13_2_a_full_store_delays_it_and_refuses_nothing),
        TEST(test_IP13_3_a_run_that_is_not_that_of_now_is_refused_whole),
        TEST(test_IP13_3_a_part_that_cannot_be_lets_nothing_happen),
        TEST(test_IP13_3_it_waits_for_the_plugin_of_a_job_and_is_refused_when_its_run_ends_meanwhile),
        TEST(test_IP13_3_it_goes_on_when_the_plugin_is_known),
        TEST(test_IP13_3_it_waits_for_room_and_goes_on_when_there_is_some),
        TEST(test_IP13_3_its_session_may_end_while_it_waits_for_room),
        TEST(test_IP13_3_one_that_is_refused_drops_nobody_s_jobs),
        TEST(test_IP15_9_what_it_cannot_publish_lets_nothing_happen),
        TEST(test_IP15_9_messages_of_a_transaction_keep_the_bounds_of_their_topic),
        TEST(test_IP13_3_sizes_are_bounded),
        TEST(test_IP13_3_no_allocation_that_fails_leaves_half_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
