/* Transactions of workers, and of clients that are none: their channels and values are those of their session (IP13.4). */
#include <errno.h>
#include <string.h>

#include "worker_fixture.h"

/* A worker that has reserved a job, and holds the first of two values of a durable channel of capacity 4; a client. */
struct scene {
    struct jobs_fixture *f;
    struct client *client, *worker;
    struct held task;
    uint64_t theirs, mine, value; /* handles of the channel: the client's, the worker's; the receive */
};

static const struct value third = {.body = TEXT("three")};
static const struct request_submit further = {.plugin = NOBODY, .function = TEXT("pack")};

static uint64_t open_kept(struct jobs_fixture *f, struct client *c)
{
    struct request_chan_open open = {
        .name = TEXT("kept"), .capacity = 4, .flags = OPEN_CREATE | OPEN_DURABLE};

    return ask_ok(f, c, (struct request){.verb = VERB_CHAN_OPEN, .chan_open = open}, 0)->handle;
}

static uint64_t receive_one(struct jobs_fixture *f, struct client *c, uint64_t handle)
{
    return ask_ok(f, c, (struct request){.verb = VERB_RECV, .recv = {handle, 1}}, 1)->op;
}

static struct scene begin_scene(void **state)
{
    const struct value values[] = {{.body = TEXT("one")}, {.body = TEXT("two")}};
    struct jobs_fixture *f = *state;
    struct scene s = {.f = f, .client = client_new(f, 0), .worker = client_new(f, 0)};

    submit(f, s.client, WORK());
    s.task = reserve(f, s.worker);
    s.theirs = open_kept(f, s.client);
    s.mine = open_kept(f, s.worker);
    ask_ok(f, s.client, (struct request){.verb = VERB_SEND, .send = {s.theirs, values, 2}}, 2);
    s.value = receive_one(f, s.worker, s.mine);
    return s;
}

#define TRANSACT(...) ((struct request){.verb = VERB_TRANSACT, .transact = {__VA_ARGS__}})
#define REST(s)                                                                                              \
    .jobs = &further, .jobs_n = 1, .sends = &(struct request_send){(s)->mine, &third, 1}, .sends_n = 1,      \
    .acks = &(struct ack){(s)->value, 1}, .acks_n = 1
#define ALL(s) TRANSACT(.job = (s)->task.job, .run = (s)->task.run, .result = TEXT("result"), REST(s))
/* Of a client: further jobs, and a value. */
#define MORE(s, handle)                                                                                      \
    TRANSACT(.jobs = &further, .jobs_n = 1, .sends = &(struct request_send){(handle), &third, 1},            \
             .sends_n = 1)

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
    struct request request = {.verb = VERB_RECV, .until.kind = UNTIL_NOW, .recv = {open_kept(f, c), 9}};
    struct seen *seen = answer(f, c, ask(f, c, request));
    int32_t n = seen->status == -EAGAIN ? 0 : seen->status;

    client_die(f, c); /* they go back */
    return n;
}

static void nothing_happened(struct scene *s)
{
    assert_state(s->f, s->client, s->task.job, JOB_RUNNING, CAUSE_NONE);
    assert_int_equal(jobs_in(s, JOB_READY), 0);
    assert_int_equal(values_there(s->f), 1); /* the other one is held */
}

static void test_IP13_4_a_worker_ends_its_job_with_all_else_in_one_write(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t batches = s.f->batches;

    ask_ok(s.f, s.worker, ALL(&s), 1);
    assert_int_equal(s.f->batches, batches + 1);
    assert_state(s.f, s.client, s.task.job, JOB_DONE, CAUSE_NONE);
    assert_string_equal(info(s.f, s.client, s.task.job).result.data, "result");
    assert_int_equal(jobs_in(&s, JOB_READY), 1);
    assert_int_equal(values_there(s.f), 2); /* "two" and "three" */
    assert_int_equal(end(s.f, s.worker, s.task, CAUSE_NONE, false), -ESTALE);
    ask_ok(s.f, s.worker, ALL(&s), -ESTALE); /* not twice */
}

static void test_IP13_4_what_the_worker_has_outlives_the_run(void **state)
{
    struct scene s = begin_scene(state);

    ask_ok(s.f, s.worker, TRANSACT(.job = s.task.job, .run = s.task.run), 0);
    ask_ok(s.f, s.worker, (struct request){.verb = VERB_SEND, .send = {s.mine, &third, 1}}, 1);
    ask_ok(s.f, s.worker, TRANSACT(.acks = &(struct ack){s.value, 1}, .acks_n = 1), 0);
    assert_int_equal(values_there(s.f), 2);
}

static void test_IP13_4_only_the_worker_of_the_run_ends_its_job(void **state)
{
    struct scene s = begin_scene(state);
    struct request request = ALL(&s);

    request.transact.acks_n = 0;
    request.transact.sends = &(struct request_send){s.theirs, &third, 1};
    ask_ok(s.f, s.client, request, -ESTALE);
    request = ALL(&s);
    request.transact.run++;
    ask_ok(s.f, s.worker, request, -ESTALE);
    request.transact.run = 0;
    ask_ok(s.f, s.worker, request, -ESTALE);
    request.transact.run = s.task.run;
    request.transact.job = 0;
    ask_ok(s.f, s.worker, request, -ESTALE);
    nothing_happened(&s);
}

static void test_IP13_4_a_lease_that_is_over_ends_nothing(void **state)
{
    struct scene s = begin_scene(state);

    advance_ms(s.f, (int64_t)s.f->limits.work_lease_ms + 1);
    ask_ok(s.f, s.worker, ALL(&s), -ESTALE);
    assert_int_equal(jobs_in(&s, JOB_DONE), 0);
    assert_int_equal(values_there(s.f), 1);
}

static void test_IP13_4_a_crash_leaves_all_of_it_or_nothing(void **state)
{
    struct scene s = begin_scene(state);

    s.f->hold = true;
    uint64_t op = ask(s.f, s.worker, ALL(&s));
    assert_null(answer(s.f, s.worker, op)); /* nobody is told before it is stored */
    s.f->hold = false;
    restart(s.f);
    s.client = client_new(s.f, 0);
    assert_int_equal(jobs_in(&s, JOB_READY), 1); /* it goes to another worker */
    assert_int_equal(jobs_in(&s, JOB_DONE), 0);
    assert_int_equal(values_there(s.f), 2);
}

static void test_IP13_4_without_a_job_to_end_all_else_happens_at_once(void **state)
{
    struct scene s = begin_scene(state);
    uint64_t batches = s.f->batches;

    ask_ok(s.f, s.client, MORE(&s, s.theirs), 1);
    assert_int_equal(s.f->batches, batches + 1);
    assert_int_equal(jobs_in(&s, JOB_READY), 1);
    assert_int_equal(values_there(s.f), 2);
    batches = s.f->batches;
    ask_ok(s.f, s.worker, TRANSACT(REST(&s)), 1); /* with an acknowledgement */
    assert_int_equal(s.f->batches, batches + 1);
    assert_int_equal(jobs_in(&s, JOB_READY), 2);
    assert_int_equal(values_there(s.f), 3);
    restart(s.f);
    s.client = client_new(s.f, 0);
    assert_int_equal(jobs_in(&s, JOB_READY), 3); /* with the one that was reserved */
    assert_int_equal(values_there(s.f), 3);
}

static void test_IP13_4_without_a_job_to_end_there_is_no_result(void **state)
{
    struct scene s = begin_scene(state);

    ask_ok(s.f, s.client, TRANSACT(.result = TEXT("result")), -EINVAL);
    ask_ok(s.f, s.client, TRANSACT(.jobs = NULL), 0); /* nothing at all */
    nothing_happened(&s);
}

static void test_IP13_4_a_full_store_refuses_what_ends_and_acknowledges_nothing(void **state)
{
    struct scene s = begin_scene(state);

    s.f->hold = true;
    uint64_t op = ask(s.f, s.client, MORE(&s, s.theirs));
    store_go_on(s.f, -ENOSPC);
    s.f->hold = false;
    assert_int_equal(answer(s.f, s.client, op)->status, -ENOSPC);
    nothing_happened(&s);
    ask_ok(s.f, s.client, MORE(&s, s.theirs), 1); /* there is room again */
    assert_int_equal(values_there(s.f), 2);
}

static void test_IP13_4_a_full_store_delays_what_acknowledges(void **state)
{
    struct scene s = begin_scene(state);

    s.f->hold = true;
    uint64_t op = ask(s.f, s.worker, TRANSACT(REST(&s)));
    store_go_on(s.f, -ENOSPC);
    s.f->hold = false;
    assert_int_equal(answer(s.f, s.worker, op)->status, 1);
    assert_int_equal(jobs_in(&s, JOB_READY), 1);
    assert_int_equal(values_there(s.f), 2);
}

static void test_IP13_4_one_that_takes_the_place_of_another_is_not_refused_half(void **state)
{
    struct scene s = begin_scene(state);
    struct request_submit once = further;
    struct request request = MORE(&s, s.theirs);

    once.once_key = (struct bytes){"key", 3};
    once.once_policy = ONCE_REPLACE;
    request.transact.jobs = &once;
    ask_ok(s.f, s.client, request, 1);
    s.f->hold = true;
    uint64_t op = ask(s.f, s.client, request), batches = s.f->batches;
    store_go_on(s.f, -ENOSPC);
    s.f->hold = false;
    assert_int_equal(answer(s.f, s.client, op)->status, 1);
    assert_int_equal(s.f->batches, batches);
    assert_int_equal(jobs_in(&s, JOB_CANCELLED), 1);
    assert_int_equal(values_there(s.f), 3);
}

static void test_IP13_4_no_allocation_that_fails_leaves_half_of_it(void **state)
{
    for (int at = 0; at < 60; at++) {
        struct scene s = begin_scene(state);

        s.f->allocations_left = at;
        uint64_t op = ask(s.f, s.worker, MORE(&s, s.mine));
        s.f->allocations_left = -1;
        advance_ms(s.f, 2);
        struct seen *seen = answer(s.f, s.worker, op); /* NULL: it could not even be said */
        bool happened = jobs_in(&s, JOB_READY) == 1;
        assert_true(!seen || happened == (seen->status >= 0));
        if (!happened)
            nothing_happened(&s);
        else
            assert_int_equal(values_there(s.f), 2);
        jobs_tear_down(state);
        jobs_set_up(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP13_4_a_worker_ends_its_job_with_all_else_in_one_write),
        TEST(test_IP13_4_what_the_worker_has_outlives_the_run),
        TEST(test_IP13_4_only_the_worker_of_the_run_ends_its_job),
        TEST(test_IP13_4_a_lease_that_is_over_ends_nothing),
        TEST(test_IP13_4_a_crash_leaves_all_of_it_or_nothing),
        TEST(test_IP13_4_without_a_job_to_end_all_else_happens_at_once),
        TEST(test_IP13_4_without_a_job_to_end_there_is_no_result),
        TEST(test_IP13_4_a_full_store_refuses_what_ends_and_acknowledges_nothing),
        TEST(test_IP13_4_a_full_store_delays_what_acknowledges),
        TEST(test_IP13_4_one_that_takes_the_place_of_another_is_not_refused_half),
        TEST(test_IP13_4_no_allocation_that_fails_leaves_half_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
