/*
 * What each call of goclient.h costs on the connection, against the table under "Frames per call" in PROTOCOL.md: the
 * figures are read from there, and every row of it is proven.
 *
 * A client without a service thread, used by one thread: every frame is that of the call, however slow the machine is.
 */
#include <pthread.h>
#include <stdio.h>

#include "costs.h"
#include "goclient_chan.h"
#include "goclient_context.h"
#include "goclient_inspect.h"
#include "goclient_job.h"

static struct node *node;
static char plugin[256];

/* ---- fixtures ---- */

static int start(void **state)
{
    if (!read_table(getenv("PROTOCOL")))
        return -1;
    snprintf(plugin, sizeof plugin, "%s/trial.so", getenv("PLUGINS"));
    node = node_start();
    return 0;
}

static int stop(void **state)
{
    node = node_delete(node);
    return 0;
}

static int connect_client(void **state)
{
    struct gc_options options = {.size = sizeof options,
                                 .endpoint = node->endpoint,
                                 .answer_ms = NODE_ANSWER_MS,
                                 .flags = GC_NO_THREAD};
    gc_client *g;
    int r = gc_connect(&options, &g, NULL);

    *state = g;
    return r;
}

static int disconnect_client(void **state)
{
    *state = gc_disconnect(*state);
    return 0;
}

/* ---- the rows ---- */

static void test_connecting_costs_what_the_table_says(void **state)
{
    gc_client *g = *state;

    count_from(g);
    memset(&before, 0, sizeof before); /* of all it did */
    assert_cost(g, "gc_connect");
}

static void test_channels_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    struct gc_chan_info info;
    struct gc_chan_page page;
    gc_chan c, again;

    costs("gc_make", assert_ok(gc_make(g, "costs", 8, &c, GC_FOREVER)));
    costs("gc_open", assert_ok(gc_open(g, "costs", NULL, &again, GC_FOREVER)));
    costs("gc_chan_info", assert_ok(gc_chan_info(g, c, &info, GC_FOREVER)));
    costs("gc_chan_stat", assert_ok(gc_chan_stat(g, "costs", &info, GC_FOREVER)));
    costs("gc_len", assert_int_equal(gc_len(g, c, GC_FOREVER), 0));
    costs("gc_cap", assert_int_equal(gc_cap(g, c, GC_FOREVER), 8));
    costs("gc_channels", assert_fails(gc_channels(g, "costs", NULL, 0, &page, GC_FOREVER), 1));
    gc_chan_page_clear(&page);
    costs("gc_close", assert_ok(gc_close(g, c, GC_FOREVER)));
    costs("gc_unlink", assert_ok(gc_unlink(g, "costs", GC_FOREVER)));
}

/* Does not wait for its answer, which may share a frame with that of the next call. */
static void test_drop_costs_what_the_table_says(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "costs.drop", 1);
    struct gc_about now;

    count_from(g);
    assert_ok(gc_drop(g, c));
    for (gc_about(g, &now); now.frames_received == before.frames_received; gc_about(g, &now))
        gc_dispatch(g, GC_FOREVER);
    assert_cost(g, "gc_drop");
}

static void test_sends_and_receives_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "costs.values", GC_VALUES_MAX);
    static struct gc_value values[GC_VALUES_MAX];
    struct gc_value v = {0};

    for (int i = 0; i < GC_VALUES_MAX; i++)
        values[i] = gc_string("value");
    costs("gc_send", assert_ok(gc_send(g, c, values[0], GC_FOREVER)));
    costs("gc_recv", assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1));
    gc_value_clear(&v);
    costs("gc_send_many", assert_fails(gc_send_many(g, c, values, GC_VALUES_MAX, GC_FOREVER), GC_VALUES_MAX));
    costs("gc_range", assert_fails(gc_range(g, c, &v, 0, GC_FOREVER), 1));
    gc_value_clear(&v);
    struct gc_case k = gc_case_recv(c, &v);
    costs("gc_select", assert_ok(gc_select(g, &k, 1, 0, GC_FOREVER)));
    costs("gc_recv_many",
          assert_fails(gc_recv_many(g, c, values, GC_VALUES_MAX, 0, GC_FOREVER), GC_VALUES_MAX - 2));
    for (int i = 0; i < GC_VALUES_MAX - 2; i++)
        gc_value_clear(&values[i]);
    gc_value_clear(&v);
}

/* The receive that meets the close is the one that was under way ahead of the last values. */
static void test_windows_cost_what_the_table_says(void **state)
{
    enum { VALUES = 64, WINDOW = 16, FETCHES = VALUES / (WINDOW / 2) + 1 };
    struct row *row =
        find_row("gc_window_range over a window of n, for every n / 2 values and for the close");
    gc_client *g = *state;
    gc_chan c = make(g, "costs.window", VALUES);
    struct gc_value values[VALUES], v = {0};
    struct gc_about now;
    gc_window *w;
    int n = 0;

    for (int i = 0; i < VALUES; i++)
        values[i] = gc_string("value");
    costs("gc_window_open", assert_ok(gc_window_open(g, c, WINDOW, &w, GC_FOREVER)));
    assert_fails(gc_send_many(g, c, values, VALUES, GC_FOREVER), VALUES);
    assert_fails(gc_window_range(w, &v, 0, GC_FOREVER), 1);
    costs("gc_window_close with values or a receive to give back", gc_window_close(w));
    gc_value_clear(&v);

    assert_ok(gc_window_open(g, c, WINDOW, &w, GC_FOREVER));
    assert_ok(gc_close(g, c, GC_FOREVER));
    count_from(g);
    while (gc_window_range(w, &v, 0, GC_FOREVER) > 0)
        n++;
    gc_about(g, &now);
    assert_int_equal(n, VALUES - 1);
    assert_int_equal(now.frames_received - before.frames_received, FETCHES * row->received);
    if (counted_ns() < 40000000) /* acknowledgements that wait for longer leave by themselves */
        assert_int_equal(now.frames_sent - before.frames_sent, FETCHES * row->sent);
    row->proven = true;
    gc_window_close(w);
}

static void note_end(gc_client *g, struct gc_end *end, void *index)
{
    gc_value_clear(&end->value);
    *(int *)index = end->index;
}

static void await_end(gc_client *g, const int *index)
{
    while (*index == 1)
        gc_dispatch(g, GC_FOREVER);
}

static void test_started_operations_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "costs.start", 1);
    gc_started started;
    int index = 1;

    costs("gc_start, of an operation that can take effect at once",
          assert_ok(gc_start_send(g, c, gc_string("value"), note_end, &index, NULL, GC_FOREVER));
          await_end(g, &index));
    assert_int_equal(index, 0);
    index = 1;
    assert_ok(gc_start_send(g, c, gc_string("value"), note_end, &index, &started, GC_FOREVER));
    assert_ok(gc_ping(g, GC_FOREVER)); /* it has left */
    costs("gc_start_cancel", assert_ok(gc_start_cancel(g, started)); await_end(g, &index));
    assert_int_equal(index, -ECANCELED);
}

/* ---- what another process has part in ---- */

static void *send_two(void *name)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, name, 0);
    int r = gc_send(g, c, gc_string("one"), GC_FOREVER);

    if (r == 0)
        r = gc_send(g, c, gc_string("two"), GC_FOREVER);
    gc_disconnect(g);
    return (void *)(intptr_t)r;
}

static void test_IP0_values_whose_senders_wait_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "costs.handed", 0);
    struct gc_value v;
    pthread_t sender;
    void *sent;

    assert_int_equal(pthread_create(&sender, NULL, send_two, "costs.handed"), 0);
    wait_parked(g, c, 1, 0);
    costs("a receive or select of a value whose sender waits (HANDED)",
          assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1));
    gc_value_clear(&v);
    wait_parked(g, c, 1, 0);
    assert_fails(gc_recv(g, c, &v, GC_HOLD, GC_FOREVER), 1);
    costs("gc_ack of a value whose sender waits", assert_ok(gc_ack(g, &v)));
    gc_value_clear(&v);
    pthread_join(sender, &sent);
    assert_null(sent);
}

struct canceler {
    gc_ctx *ctx;
    const char *name;
};

static void *cancel_parked(void *arg)
{
    const struct canceler *canceler = arg;
    gc_client *g = node_connect(node);

    wait_parked(g, make(g, canceler->name, 0), 0, 1);
    gc_ctx_cancel(canceler->ctx);
    gc_disconnect(g);
    return NULL;
}

static void test_waits_that_end_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    struct canceler canceler = {gc_ctx_new(g), "costs.waits"};
    gc_chan c = make(g, canceler.name, 0);
    struct gc_value v;
    pthread_t thread;

    costs("a wait that ends by its deadline, or GC_NOW",
          assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(2)), -ETIMEDOUT));
    costs("a wait that ends by its deadline, or GC_NOW", assert_fails(gc_recv(g, c, &v, 0, GC_NOW), -EAGAIN));
    count_from(g);
    assert_int_equal(pthread_create(&thread, NULL, cancel_parked, &canceler), 0);
    assert_fails(gc_recv(g, c, &v, 0, gc_with(canceler.ctx)), -ECANCELED);
    assert_cost(g, "a wait that ends by its context");
    pthread_join(thread, NULL);
    gc_ctx_free(canceler.ctx);
}

/* ---- the rest ---- */

static void test_held_values_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "costs.hold", 2);
    struct gc_value v[2] = {{0}};

    assert_ok(gc_send(g, c, gc_string("a"), GC_FOREVER));
    assert_ok(gc_send(g, c, gc_string("b"), GC_FOREVER));
    assert_fails(gc_recv_many(g, c, v, 2, GC_HOLD, GC_FOREVER), 2);
    costs("gc_ack", assert_ok(gc_ack(g, &v[0])));
    costs("gc_return", assert_ok(gc_return(g, &v[1])));
    gc_value_clear(&v[0]);
    gc_value_clear(&v[1]);
}

static void test_locks_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    uint64_t token;

    costs("gc_lock", assert_ok(gc_lock(g, "costs", &token, 0, GC_FOREVER)));
    costs("gc_lock_offer", assert_ok(gc_lock_offer(g, "costs", token, GC_FOREVER)));
    costs("gc_lock_claim", assert_ok(gc_lock_claim(g, "costs", token, &token, GC_FOREVER)));
    costs("gc_unlock", assert_ok(gc_unlock(g, "costs", token, 0, GC_FOREVER)));
}

static void test_what_is_taken_and_counted_by_name_costs_what_the_table_says(void **state)
{
    const struct gc_breaking when = {1, 1000000};
    gc_client *g = *state;
    uint64_t token;

    costs("gc_rwlock", assert_ok(gc_rwlock(g, "costs.rw", &token, 0, GC_FOREVER)));
    costs("gc_rwunlock", assert_ok(gc_rwunlock(g, "costs.rw", token, 0, GC_FOREVER)));
    costs("gc_rlock", assert_ok(gc_rlock(g, "costs.rw", GC_FOREVER)));
    costs("gc_runlock", assert_ok(gc_runlock(g, "costs.rw", GC_FOREVER)));
    costs("gc_sem_acquire", assert_ok(gc_sem_acquire(g, "costs.sem", 1, 1, GC_FOREVER)));
    costs("gc_sem_release", assert_ok(gc_sem_release(g, "costs.sem", 1, GC_FOREVER)));
    costs("gc_wg_add", assert_ok(gc_wg_add(g, "costs.wg", 1, GC_DETACHED_UNITS, NULL, GC_FOREVER)));
    costs("gc_wg_claim", assert_ok(gc_wg_claim(g, "costs.wg", 1, GC_FOREVER)));
    costs("gc_wg_done", assert_ok(gc_wg_done(g, "costs.wg", 1, GC_FOREVER)));
    costs("gc_wg_wait", assert_ok(gc_wg_wait(g, "costs.wg", 0, NULL, GC_FOREVER)));
    costs("gc_counter_add", assert_ok(gc_counter_add(g, "costs.n", 1, NULL, GC_FOREVER)));
    costs("gc_counter_wait", assert_ok(gc_counter_wait(g, "costs.n", 1, NULL, GC_FOREVER)));
    costs("gc_sync_reset", assert_ok(gc_sync_reset(g, GC_SYNC_COUNTER, "costs.n", GC_FOREVER)));
    costs("gc_barrier_wait", assert_fails(gc_barrier_wait(g, "costs.b", 1, GC_FOREVER), GC_BARRIER_LAST));
    costs("gc_group_start", assert_ok(gc_group_start(g, "costs.g", 1, GC_FOREVER)));
    costs("gc_group_end", assert_ok(gc_group_end(g, "costs.g", 0, GC_FOREVER)));
    costs("gc_group_wait", assert_ok(gc_group_wait(g, "costs.g", NULL, GC_FOREVER)));
    costs("gc_limit_take",
          assert_ok(gc_limit_take(g, "costs.l", (struct gc_rate){1000000, 1}, 1, GC_FOREVER)));
    costs("gc_breaker_enter", assert_ok(gc_breaker_enter(g, "costs.c", when, &token, GC_FOREVER)));
    costs("gc_breaker_leave", assert_ok(gc_breaker_leave(g, "costs.c", token, false, GC_FOREVER)));
}

static int do_nothing(void *arg)
{
    return 0;
}

static void test_once_costs_what_the_table_says(void **state)
{
    gc_client *g = *state;

    costs("the one gc_once or gc_flight_do that runs it",
          assert_ok(gc_once(g, "costs.o", do_nothing, NULL, GC_FOREVER)));
    costs("gc_once, gc_flight_do where another ran it",
          assert_ok(gc_once(g, "costs.o", do_nothing, NULL, GC_FOREVER)));
    assert_ok(gc_sync_reset(g, GC_SYNC_ONCE, "costs.o", GC_FOREVER));
}

/* Has the lock only when somebody waits. */
static void *signal_one(void *arg)
{
    uint64_t token;

    if (gc_lock(arg, "costs.m", &token, 0, GC_FOREVER) == 0 &&
        gc_cond_signal(arg, "costs.cond", GC_FOREVER) == 1)
        gc_unlock(arg, "costs.m", token, 0, GC_FOREVER);
    return NULL;
}

/* A deadline that is over when the call comes to the daemon leaves the lock where it was: that is no wait. */
static void wait_in_vain(gc_client *g, uint64_t *token)
{
    struct gc_about now;
    int64_t ms = 1;

    do {
        count_from(g);
        assert_fails(gc_cond_wait(g, "costs.cond", "costs.m", token, gc_after_ms(ms)), -ETIMEDOUT);
        gc_about(g, &now);
        ms *= 2;
    } while (now.frames_sent - before.frames_sent < 2 && ms < 10000);
}

static void test_conditions_cost_what_the_table_says(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    pthread_t thread;
    uint64_t token;

    costs("gc_cond_signal", assert_ok(gc_cond_signal(g, "costs.cond", GC_FOREVER)));
    costs("gc_cond_broadcast", assert_ok(gc_cond_broadcast(g, "costs.cond", GC_FOREVER)));
    assert_ok(gc_lock(g, "costs.m", &token, 0, GC_FOREVER));
    let_ack_leave(g);
    assert_int_equal(pthread_create(&thread, NULL, signal_one, other), 0);
    costs("gc_cond_wait", assert_ok(gc_cond_wait(g, "costs.cond", "costs.m", &token, GC_FOREVER)));
    pthread_join(thread, NULL);
    let_ack_leave(g);
    wait_in_vain(g, &token);
    assert_cost(g, "a gc_cond_wait that ends by its deadline, with the lock held again");
    assert_ok(gc_unlock(g, "costs.m", token, 0, GC_FOREVER));
    gc_disconnect(other);
}

/* Its answers have come, so that they are not counted with the next call. */
static void forget(gc_client *g, gc_ctx *ctx)
{
    gc_ctx_free(ctx);
    assert_ok(gc_ping(g, GC_FOREVER));
}

/* A context that is made or found is watched: the second frame asks for its end, and is answered with that. */
static void test_contexts_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    gc_ctx *ctx, *below, *other;
    struct gc_context_options named = {.size = sizeof named, .name = "costs.context"};
    struct gc_context_page page;
    struct gc_context_info info;
    struct gc_value v;

    costs("gc_context_new", assert_ok(gc_context_new(g, &ctx, GC_FOREVER)));
    forget(g, ctx);
    costs("gc_context_with_deadline",
          assert_ok(gc_context_with_deadline(g, NULL, gc_after_ms(60000).ns, &ctx, GC_FOREVER)));
    forget(g, ctx);
    costs("gc_context_with_timeout", assert_ok(gc_context_with_timeout(g, NULL, 60000, &ctx, GC_FOREVER)));
    forget(g, ctx);
    costs("gc_context_derive", assert_ok(gc_context_derive(g, NULL, &named, &ctx, GC_FOREVER)));
    costs("gc_context_with_value",
          assert_ok(gc_context_with_value(g, ctx, "key", gc_string("value"), &below, GC_FOREVER)));
    costs("gc_context_without_cancel", assert_ok(gc_context_without_cancel(g, ctx, &other, GC_FOREVER)));
    assert_ok(gc_context_drop(other, GC_FOREVER));
    forget(g, other);
    costs("gc_context_open", assert_ok(gc_context_open(g, "costs.context", &other, GC_FOREVER)));
    forget(g, other);
    costs("gc_context_of", assert_ok(gc_context_of(g, gc_context_id(ctx), &other, GC_FOREVER)));
    forget(g, other);
    costs("gc_context_value", assert_fails(gc_context_value(below, "key", &v, GC_FOREVER), 1));
    gc_value_clear(&v);
    costs("gc_context_info", assert_ok(gc_context_info(ctx, &info, GC_FOREVER)));
    costs("gc_contexts", assert_fails(gc_contexts(g, "costs.", NULL, 0, &page, GC_FOREVER), 1));
    gc_context_page_clear(&page);
    costs("gc_context_cancel and gc_context_drop, also of a context that the client watches",
          assert_fails(gc_context_cancel(ctx, 0, NULL, GC_FOREVER), 1));
    costs("gc_context_wait", assert_ok(gc_context_wait(below, GC_FOREVER)));
    costs("gc_context_cancel and gc_context_drop, also of a context that the client watches",
          assert_ok(gc_context_drop(ctx, GC_FOREVER)));
    forget(g, below);
    forget(g, ctx);
}

static void test_waits_that_end_by_a_context_of_the_daemon_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "costs.context", 0);
    struct gc_value v;
    struct gc_about now;
    gc_ctx *ctx;

    for (int64_t ms = 5;; ms *= 2) {
        assert_ok(gc_context_with_timeout(g, NULL, ms, &ctx, GC_FOREVER));
        count_from(g);
        assert_fails(gc_recv(g, c, &v, 0, gc_with(ctx)), -ETIMEDOUT);
        gc_about(g, &now);
        if (now.frames_received - before.frames_received == 1 || ms > 5000)
            break;
        forget(g, ctx); /* its time was over before the call was there: that was told in a frame of its own */
    }
    assert_cost(g, "a wait that ends by a context of the daemon");
    forget(g, ctx);
}

static void test_jobs_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    struct gc_submit what = {.size = sizeof what, .plugin = plugin, .function = "echo"};
    struct gc_job_page page;
    struct gc_job_info info;
    struct gc_value output;
    gc_job job, ended;

    assert_ok(gc_submit(g, &what, &ended, GC_FOREVER));
    assert_fails(gc_wait(g, ended, NULL, GC_FOREVER), 1);
    costs("gc_submit", assert_ok(gc_submit(g, &what, &job, GC_FOREVER)));
    struct gc_op op = gc_last_op();
    costs("gc_submit_many", assert_true(gc_submit_many(g, &what, 1, &job, NULL, GC_FOREVER) == 1));
    costs("gc_submit_batch", assert_true(gc_submit_batch(g, &what, 1, &job, NULL, GC_FOREVER) == 1));
    costs("gc_wait", assert_fails(gc_wait(g, ended, NULL, GC_FOREVER), 1));
    costs("gc_job_info", assert_ok(gc_job_info(g, ended, &info, GC_FOREVER)));
    gc_job_info_clear(&info);
    costs("gc_jobs", assert_fails(gc_jobs(g, NULL, &page, GC_FOREVER), 4));
    gc_job_page_clear(&page);
    costs("gc_job_output", assert_ok(gc_job_output(g, ended, 0, 0, &output, GC_FOREVER)));
    gc_value_clear(&output);
    costs("gc_op_status", gc_op_status(g, &op, NULL, GC_FOREVER));
    costs("gc_job_cancel", assert_ok(gc_job_cancel(g, ended, NULL, GC_FOREVER)));
    struct gc_ended dead = {.size = sizeof dead};
    costs("gc_job_retry", assert_fails(gc_job_retry(g, ended, GC_FOREVER), -EINVAL));
    costs("gc_jobs_retry", assert_int_equal(gc_jobs_retry(g, &dead, &dead.after, GC_FOREVER), 0));
    costs("gc_jobs_purge", assert_int_equal(gc_jobs_purge(g, &dead, &dead.after, GC_FOREVER), 0));
    struct gc_case k = gc_case_job(ended, NULL);
    costs("a gc_select that takes a job that had ended before",
          assert_ok(gc_select(g, &k, 1, 0, GC_FOREVER)));
    assert_fails(gc_wait(g, job, NULL, GC_FOREVER), 1);
}

static void test_the_daemons_own_calls_cost_what_the_table_says(void **state)
{
    gc_client *g = *state;
    struct gc_stats stats;

    costs("gc_ping", assert_ok(gc_ping(g, GC_FOREVER)));
    costs("gc_stats", assert_true(gc_stats(g, NULL, &stats, GC_FOREVER) > 0));
    gc_stats_clear(&stats);
    costs("gc_clock_advance", assert_fails(gc_clock_advance(g, 1, GC_FOREVER), -EOPNOTSUPP));
}

static void test_schedules_and_feeds_cost_what_the_table_says(void **state)
{
    prove_costs_of_feeds(*state, plugin);
    prove_costs_of_schedules(*state, plugin);
}

static void test_what_is_told_of_waits_costs_what_the_table_says(void **state)
{
    gc_client *g = *state;
    struct gc_told told = {0};
    struct gc_stats figures = {0};
    struct gc_question question = {.size = sizeof question, .what = GC_ASK_STACKS, .job = {1}};
    struct gc_parked_page page;
    char path[GC_PATH_BYTES];

    costs("gc_parked", assert_true(gc_parked(g, NULL, &page, GC_FOREVER) >= 0));
    gc_parked_page_clear(&page);
    costs("gc_callers", assert_ok(gc_callers(g, 0, GC_FOREVER)));
    costs("gc_deadlocks", assert_ok(gc_deadlocks(g, 0, &page, GC_FOREVER)));
    gc_parked_page_clear(&page);
    costs("gc_leaks", assert_true(gc_leaks(g, 0, 0, &page, GC_FOREVER) >= 0));
    gc_parked_page_clear(&page);
    costs("gc_goroutines", assert_fails(gc_goroutines(g, UINT64_MAX >> 1, &told, GC_FOREVER), -ENOENT));
    costs("gc_inspect", assert_fails(gc_inspect(g, &question, &told, GC_FOREVER), -ENOENT));
    costs("gc_figures", assert_fails(gc_figures(g, question.job, &figures, GC_FOREVER), -ENOENT));
    costs("gc_backup", assert_ok(gc_backup(g, path, GC_FOREVER)));
    costs("gc_drain", assert_int_equal(gc_drain(g, GC_DRAIN_END, GC_FOREVER), 0));
    gc_told_clear(&told);
}

static void test_what_is_asked_of_queues_and_pools_costs_what_the_table_says(void **state)
{
    prove_costs_of_queues(*state);
    prove_costs_of_pools(*state);
}

static void test_what_is_published_costs_what_the_table_says(void **state)
{
    prove_costs_of_topics(*state);
    prove_costs_of_durable_subscriptions(*state);
}

static void test_what_a_worker_does_costs_what_the_table_says(void **state)
{
    prove_costs_of_a_worker(*state);
}

static void test_what_is_decided_here_costs_nothing(void **state)
{
    const char *row =
        "what is decided here: the nil channel, a foreign handle, a context or deadline that is over";
    gc_client *g = *state;
    gc_chan c = make(g, "costs.none", 0);
    struct gc_value v;

    let_ack_leave(g);
    count_from(g);
    gc_ctx *ctx = gc_ctx_new(g);
    gc_ctx_cancel(ctx);
    assert_true(gc_ctx_done(ctx));
    assert_true(gc_fd(g) >= 0);
    assert_fails(gc_recv(g, c, &v, 0, gc_with(ctx)), -ECANCELED);
    assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(0)), -ETIMEDOUT);
    assert_fails(gc_recv(g, GC_NIL, &v, 0, gc_after_ms(1)), -ETIMEDOUT);
    assert_fails(gc_select(g, NULL, 0, 0, GC_NOW), -EAGAIN);
    assert_fails(gc_recv(g, gc_chan_of(99), &v, 0, GC_FOREVER), -ENOENT);
    assert_fails(gc_send_many(g, c, NULL, 0, GC_FOREVER), -EINVAL);
    gc_ctx_free(ctx);
    assert_cost(g, row);
    costs("gc_dispatch", assert_ok(gc_dispatch(g, GC_NOW)));
}

/* Runs last. */
static void test_every_row_of_the_table_is_proven(void **state)
{
    assert_int_equal(unproven_rows(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_client, disconnect_client)
    const struct CMUnitTest tests[] = {
        TEST(test_connecting_costs_what_the_table_says),
        TEST(test_channels_cost_what_the_table_says),
        TEST(test_drop_costs_what_the_table_says),
        TEST(test_sends_and_receives_cost_what_the_table_says),
        TEST(test_windows_cost_what_the_table_says),
        TEST(test_started_operations_cost_what_the_table_says),
        TEST(test_IP0_values_whose_senders_wait_cost_what_the_table_says),
        TEST(test_waits_that_end_cost_what_the_table_says),
        TEST(test_held_values_cost_what_the_table_says),
        TEST(test_locks_cost_what_the_table_says),
        TEST(test_what_is_taken_and_counted_by_name_costs_what_the_table_says),
        TEST(test_once_costs_what_the_table_says),
        TEST(test_conditions_cost_what_the_table_says),
        TEST(test_contexts_cost_what_the_table_says),
        TEST(test_waits_that_end_by_a_context_of_the_daemon_cost_what_the_table_says),
        TEST(test_jobs_cost_what_the_table_says),
        TEST(test_the_daemons_own_calls_cost_what_the_table_says),
        TEST(test_schedules_and_feeds_cost_what_the_table_says),
        TEST(test_what_is_told_of_waits_costs_what_the_table_says),
        TEST(test_what_is_asked_of_queues_and_pools_costs_what_the_table_says),
        TEST(test_what_is_published_costs_what_the_table_says),
        TEST(test_what_a_worker_does_costs_what_the_table_says),
        TEST(test_what_is_decided_here_costs_nothing),
        cmocka_unit_test(test_every_row_of_the_table_is_proven),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
