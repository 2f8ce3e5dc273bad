/* Jobs through the client library, a real daemon and a real host: submit, wait, select, cancel, errors in words. */
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "client_fixture.h"
#include "goclient_chan.h"
#include "goclient_context.h"
#include "goclient_job.h"
#include "goclient_schedule.h"

static struct node *node;
static char plugin[256];

static int start_node(void **state)
{
    snprintf(plugin, sizeof plugin, "%s/trial.so", getenv("PLUGINS"));
    node = node_start();
    return 0;
}

static int stop_node(void **state)
{
    node = node_delete(node);
    return 0;
}

static int connect_client(void **state)
{
    *state = node_connect(node);
    return 0;
}

static int disconnect_client(void **state)
{
    *state = gc_disconnect(*state);
    return 0;
}

static gc_job submit(gc_client *g, const char *function, const char *argument)
{
    struct gc_submit what = {.size = sizeof what,
                             .plugin = plugin,
                             .function = function,
                             .argument = argument,
                             .argument_bytes = strlen(argument)};
    gc_job job = {0};

    assert_ok(gc_submit(g, &what, &job, GC_FOREVER));
    return job;
}

static void assert_result(struct gc_result *result, const char *text)
{
    assert_int_equal(result->bytes, strlen(text));
    assert_memory_equal(result->data, text, result->bytes);
    gc_result_clear(result);
}

static void test_wait_gives_the_result_and_gives_it_again(void **state)
{
    gc_client *g = *state;
    gc_job job = submit(g, "echo", "hello");
    struct gc_result result;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(gc_wait(g, job, &result, GC_FOREVER), 1);
        assert_result(&result, "hello");
    }
}

struct told {
    sem_t came;
    struct gc_end end;
};

static void tell(gc_client *g, struct gc_end *end, void *arg)
{
    struct told *t = arg;

    t->end = *end;
    sem_post(&t->came);
}

static void assert_told(struct told *t, int index, const char *text)
{
    while (sem_wait(&t->came) < 0)
        ;
    assert_int_equal(t->end.index, index);
    assert_int_equal(t->end.status, 1);
    assert_result(&t->end.result, text);
}

static void test_started_wait_tells_the_result_of_the_job(void **state)
{
    gc_client *g = *state;
    gc_job job = submit(g, "echo", "hello");
    struct gc_case cases[] = {gc_case_job((gc_job){0}, NULL), gc_case_recv(GC_NIL, NULL),
                              gc_case_recv(make(g, "started", 0), NULL), gc_case_job(job, NULL)};
    struct told t;

    sem_init(&t.came, 0, 0);
    assert_ok(gc_start_wait(g, job, tell, &t, NULL, GC_FOREVER));
    assert_told(&t, 0, "hello");
    assert_ok(gc_start(g, cases, 4, 0, tell, &t, NULL, GC_FOREVER)); /* only the store has it now */
    assert_told(&t, 3, "hello");
}

static uint64_t handles_of(gc_client *g, gc_chan c)
{
    struct gc_chan_info info;

    assert_ok(gc_chan_info(g, c, &info, GC_FOREVER));
    return info.handles;
}

static void test_U6_a_job_answers_on_the_channel_it_receives(void **state)
{
    gc_client *g = *state;
    gc_chan requests = make(g, "jobs.requests", 1);
    struct gc_passed reply = {make(g, NULL, 1), GC_MAY_SEND};
    gc_job job = submit(g, "answer", "jobs.requests");
    struct gc_value v;

    assert_ok(gc_send(g, requests, gc_carrying(gc_string("?"), &reply, 1), GC_FOREVER));
    assert_fails(gc_recv(g, reply.chan, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "answer");
    assert_int_equal(gc_wait(g, job, NULL, GC_FOREVER), 1);
    assert_int_equal(handles_of(g, reply.chan), 1); /* that of the run has ended with it */
    assert_int_equal(handles_of(g, requests), 1);
}

static void test_U6_jobs_pass_channels_to_each_other(void **state)
{
    gc_client *g = *state;
    gc_chan requests = make(g, "jobs.between", 0);
    gc_job asking = submit(g, "ask", "jobs.between"), answering = submit(g, "answer", "jobs.between");
    struct gc_result result;

    assert_int_equal(gc_wait(g, asking, &result, GC_FOREVER), 1);
    assert_result(&result, "answer");
    assert_int_equal(gc_wait(g, answering, NULL, GC_FOREVER), 1);
    assert_int_equal(handles_of(g, requests), 1);
}

static void test_select_takes_the_job_that_ends(void **state)
{
    gc_client *g = *state;
    struct gc_result result = {0};
    gc_job slow = submit(g, "wait", ""), quick = submit(g, "echo", "quick");
    struct gc_case cases[] = {gc_case_job(slow, NULL), gc_case_job(quick, &result)};

    assert_int_equal(gc_select(g, cases, 2, 0, GC_FOREVER), 1);
    assert_int_equal(cases[1].status, 1);
    assert_result(&result, "quick");
    assert_ok(gc_job_cancel(g, slow, "enough", GC_FOREVER));
    assert_int_equal(gc_wait(g, slow, &result, GC_FOREVER), 0);
    assert_int_equal(result.state, GC_JOB_CANCELLED);
    gc_result_clear(&result);
}

static void test_select_gives_the_result_of_a_job_that_had_ended(void **state)
{
    gc_client *g = *state;
    struct gc_result result = {0};
    gc_job job = submit(g, "echo", "early");
    struct gc_case k = gc_case_job(job, &result);

    assert_int_equal(gc_wait(g, job, NULL, GC_FOREVER), 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(gc_select(g, &k, 1, 0, GC_NOW), 0);
        assert_int_equal(k.status, 1);
        assert_result(&result, "early");
    }
}

static void test_a_function_that_is_missing_is_named(void **state)
{
    gc_client *g = *state;
    struct gc_submit what = {.size = sizeof what, .plugin = plugin, .function = "nothing"};
    gc_job job;

    assert_fails(gc_submit(g, &what, &job, GC_FOREVER), -ENOENT);
    assert_non_null(strstr(gc_why(), "has no function nothing"));
}

static void test_a_job_is_bound_to_the_real_path_of_its_plugin(void **state)
{
    char folder[] = "/tmp/test_client_jobs-XXXXXX", link[64], *real = realpath(plugin, NULL);
    gc_client *g = *state;
    struct gc_submit what = {.size = sizeof what, .plugin = link, .function = "echo"};
    struct gc_job_info info;
    gc_job job = {0};

    assert_non_null(mkdtemp(folder));
    snprintf(link, sizeof link, "%s/link.so", folder);
    assert_int_equal(symlink(plugin, link), 0);
    assert_ok(gc_submit(g, &what, &job, GC_FOREVER));
    assert_ok(gc_job_info(g, job, &info, GC_FOREVER));
    assert_string_equal(info.plugin, real);
    gc_job_info_clear(&info);
    free(real);
    unlink(link);
    rmdir(folder);
}

static void test_a_try_to_wait_would_block_while_the_job_runs(void **state)
{
    gc_client *g = *state;
    gc_job job = submit(g, "wait", "");

    assert_fails(gc_wait(g, job, NULL, GC_NOW), -EAGAIN);
    assert_ok(gc_job_cancel(g, job, "enough", GC_FOREVER));
    assert_int_equal(gc_wait(g, job, NULL, GC_FOREVER), 0);
}

static int job_info(gc_client *g, gc_job job, enum gc_job_state *state)
{
    struct gc_job_info info;
    int r = gc_job_info(g, job, &info, GC_FOREVER);

    *state = info.state;
    gc_job_info_clear(&info);
    return r;
}

/* One runs, one waits in the queue of a plugin that is not due, one does not care. */
static void test_X1_a_cancel_reaches_jobs_that_run_and_jobs_that_wait(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    struct gc_submit what = {.size = sizeof what, .plugin = plugin, .function = "wait"};
    enum gc_job_state now;
    struct gc_result result;
    gc_job running, later, detached, none;
    gc_ctx *ctx, *same;

    assert_ok(gc_context_new(g, &ctx, GC_FOREVER));
    assert_ok(gc_context_of(other, gc_context_id(ctx), &same, GC_FOREVER));
    assert_ok(gc_submit(g, &what, &running, gc_with(ctx)));
    what.delay_ns = 3600 * 1000000000LL;
    assert_ok(gc_submit(other, &what, &later, gc_with(same)));
    what.flags = GC_DETACHED;
    assert_ok(gc_submit(g, &what, &detached, gc_with(ctx)));
    do
        assert_ok(job_info(g, running, &now));
    while (now != GC_JOB_RUNNING);
    assert_fails(gc_context_cancel(ctx, 0, "superseded", GC_FOREVER), 1);
    assert_int_equal(gc_wait(g, running, &result, GC_FOREVER), 0);
    assert_int_equal(result.state, GC_JOB_CANCELLED);
    gc_result_clear(&result);
    assert_int_equal(gc_wait(g, later, &result, GC_FOREVER), 0);
    assert_int_equal(result.state, GC_JOB_CANCELLED);
    assert_string_equal(result.text, "superseded");
    gc_result_clear(&result);
    assert_fails(gc_wait(g, detached, NULL, GC_NOW), -EAGAIN);
    assert_fails(gc_submit(g, &what, &none, gc_with(ctx)), -ECANCELED);
    assert_ok(gc_job_cancel(g, detached, NULL, GC_FOREVER));
    gc_ctx_free(same);
    gc_disconnect(other);
    gc_ctx_free(ctx);
}

static void test_X10_the_values_of_a_context_are_there_for_its_jobs(void **state)
{
    gc_client *g = *state;
    struct gc_submit what = {
        .size = sizeof what, .plugin = plugin, .function = "lookup", .argument = "user", .argument_bytes = 4};
    struct gc_result result;
    gc_job job;
    gc_ctx *ctx;

    assert_ok(gc_context_with_value(g, NULL, "user", gc_string("12345"), &ctx, GC_FOREVER));
    assert_ok(gc_submit(g, &what, &job, gc_with(ctx)));
    assert_int_equal(gc_wait(g, job, &result, GC_FOREVER), 1);
    assert_result(&result, "12345");
    assert_ok(gc_submit(g, &what, &job, GC_FOREVER));
    assert_int_equal(gc_wait(g, job, &result, GC_FOREVER), 0);
    assert_int_equal(result.error, -ENOENT);
    gc_result_clear(&result);
    gc_ctx_free(ctx);
}

/* A job whose time is over with that of its context is not tried again. */
static void test_X5_the_deadline_of_a_context_ends_its_jobs_for_good(void **state)
{
    gc_client *g = *state;
    struct gc_submit what = {.size = sizeof what, .plugin = plugin, .function = "wait", .attempts_max = 5};
    struct gc_result result;
    gc_job job;
    gc_ctx *ctx;
    int r;

    for (int64_t ms = 200;; ms *= 2) { /* the time it takes to submit is not what is asked here */
        assert_ok(gc_context_with_timeout(g, NULL, ms, &ctx, GC_FOREVER));
        r = gc_submit(g, &what, &job, gc_with(ctx));
        if (r != -ETIMEDOUT)
            break;
        gc_ctx_free(ctx);
    }
    assert_ok(r);
    assert_int_equal(gc_wait(g, job, &result, GC_FOREVER), 0);
    assert_int_equal(result.cause, GC_CAUSE_TIMEOUT);
    assert_true(result.attempt <= 1);
    gc_result_clear(&result);
    gc_ctx_free(ctx);
}

/* What makes no sense more than once is refused, in words. */
static void test_a_schedule_has_no_key_nor_jobs_to_come_after(void **state)
{
    gc_client *g = *state;
    const struct gc_once once = {.key = "k"};
    const uint64_t after[] = {1};
    const struct gc_submit submits[] = {
        {.once = &once}, {.after = after, .after_n = 1}, {.flags = GC_DETACHED}};
    const char *const words[] = {"has a key of its own", "which end once", "has no context"};

    for (size_t i = 0; i < sizeof submits / sizeof *submits; i++) {
        struct gc_submit submit = submits[i];
        struct gc_schedule what = {.size = sizeof what, .name = "no", .spec = "@daily", .submit = &submit};

        submit.size = sizeof submit;
        submit.plugin = plugin;
        submit.function = "echo";
        assert_fails(gc_schedule_set(g, &what, GC_FOREVER), -EINVAL);
        assert_non_null(strstr(gc_why(), words[i]));
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, connect_client, disconnect_client)
    const struct CMUnitTest tests[] = {
        TEST(test_wait_gives_the_result_and_gives_it_again),
        TEST(test_started_wait_tells_the_result_of_the_job),
        TEST(test_U6_a_job_answers_on_the_channel_it_receives),
        TEST(test_U6_jobs_pass_channels_to_each_other),
        TEST(test_select_takes_the_job_that_ends),
        TEST(test_select_gives_the_result_of_a_job_that_had_ended),
        TEST(test_a_function_that_is_missing_is_named),
        TEST(test_a_job_is_bound_to_the_real_path_of_its_plugin),
        TEST(test_a_try_to_wait_would_block_while_the_job_runs),
        TEST(test_X1_a_cancel_reaches_jobs_that_run_and_jobs_that_wait),
        TEST(test_X10_the_values_of_a_context_are_there_for_its_jobs),
        TEST(test_X5_the_deadline_of_a_context_ends_its_jobs_for_good),
        TEST(test_a_schedule_has_no_key_nor_jobs_to_come_after),
    };

    return cmocka_run_group_tests(tests, start_node, stop_node);
}
