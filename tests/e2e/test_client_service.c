/* What a live context costs a client: no turn of its service thread for each call, and no memory when it is cancelled. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "client_node.h"
#include "goclient_context.h"

#ifdef REFUSES_MEMORY
/* Instead of the library's: none, while a test says so. */
static atomic_bool no_memory;

/* The same of what grows. */
static atomic_bool no_growth;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size)
{
    return atomic_load(&no_growth) ? NULL : __real_realloc(memory, size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return atomic_load(&no_memory) ? NULL : __real_calloc(n, size);
}
#endif

/* The thread that is watched, and how often it has gone to wait. */
static atomic_int watched;
static atomic_long turns;

static void count_turn(void)
{
    if (atomic_load(&watched) == gettid())
        atomic_fetch_add(&turns, 1);
}

/* These two stand in the place of libc's: the service thread sleeps on a condition or listens to two descriptors, and
 * nobody else in a client polls two. */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
    count_turn();
    return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, until);
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
    const struct timespec within = {ms / 1000, ms % 1000 * 1000000L};

    if (n == 2)
        count_turn();
    return ppoll(fds, n, ms < 0 ? NULL : &within, NULL);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static gc_ctx *fresh(gc_client *g)
{
    gc_ctx *ctx = NULL;

    assert_ok(gc_context_new(g, &ctx, GC_FOREVER));
    return ctx;
}

struct thread_seen {
    pid_t id;
    int to;
};

static void note_thread(void *arg)
{
    struct thread_seen *seen = arg;

    seen->id = gettid();
    peer_say(seen->to, 'n');
}

/* The one that runs functions of contexts. */
static pid_t service_thread(gc_client *g)
{
    gc_ctx *ctx = fresh(g);
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    struct thread_seen seen = {.to = ends[1]};
    gc_context_func *func = gc_context_after_func(ctx, note_thread, &seen);
    assert_fails(gc_context_cancel(ctx, 0, NULL, GC_FOREVER), 1);
    peer_hear(ends[0], 'n');
    gc_context_func_stop(func);
    gc_ctx_free(ctx);
    close(ends[0]);
    close(ends[1]);
    return seen.id;
}

/* It sleeps for CLIENT_QUIET_NS, which is a millisecond, while calls read for it, and listens once when none did. */
static void test_X7_a_live_context_costs_no_call_a_turn_of_the_service_thread(void **state)
{
    enum { CALLS = 2000 };
    gc_client *g = *state;
    gc_ctx *ctx = fresh(g);

    atomic_store(&watched, service_thread(g));
    atomic_store(&turns, 0);
    int64_t began = now_ns();
    for (int i = 0; i < CALLS; i++)
        assert_ok(gc_ping(g, GC_FOREVER));
    long n = atomic_load(&turns), ms = (long)((now_ns() - began) / 1000000);
    if (n > 2 * ms + 20)
        print_error("%ld turns in %ld ms\n", n, ms);
    assert_true(n <= 2 * ms + 20);
    gc_ctx_free(ctx);
}

static void test_X1_a_cancel_is_told_although_memory_is_out(void **state)
{
#ifdef REFUSES_MEMORY
    const struct gc_options by_hand = {.size = sizeof by_hand,
                                       .endpoint = node->endpoint,
                                       .answer_ms = NODE_ANSWER_MS,
                                       .flags = GC_NO_THREAD};
    const struct gc_context_options scarce = {.size = sizeof scarce, .name = "scarce"};
    gc_client *other = *state, *g;
    gc_ctx *ctx, *seen;
    struct gc_context_info info;

    assert_ok(gc_connect(&by_hand, &g, NULL));
    assert_ok(gc_context_derive(g, NULL, &scarce, &ctx, GC_FOREVER));
    assert_ok(gc_context_open(other, "scarce", &seen, GC_FOREVER));
    atomic_store(&no_memory, true);
    gc_ctx_cancel(ctx);
    gc_dispatch(g, GC_NOW);
    atomic_store(&no_memory, false);
    assert_ok(gc_ping(g, GC_FOREVER));
    assert_ok(gc_context_info(seen, &info, GC_FOREVER));
    assert_int_equal(info.status, -ECANCELED);
    assert_int_equal(info.code, -ECANCELED); /* not the end of its session */
    gc_ctx_free(seen);
    gc_ctx_free(ctx);
    gc_disconnect(g);
#else
    skip();
#endif
}

static void test_a_handle_that_memory_is_out_for_goes_back(void **state)
{
#ifdef REFUSES_MEMORY
    gc_client *g = *state;
    struct gc_chan_info info;
    gc_chan c;

    assert_ok(gc_ping(g, GC_FOREVER));
    atomic_store(&no_growth, true);
    int r = gc_make(g, "given.back", 1, &c, GC_FOREVER);
    atomic_store(&no_growth, false);
    assert_int_equal(r, -ENOMEM);
    assert_int_equal(c.id, 0);
    assert_ok(gc_chan_stat(g, "given.back", &info, GC_FOREVER));
    assert_int_equal(info.handles, 0);
    assert_ok(gc_make(g, "given.back", 1, &c, GC_FOREVER)); /* its session lives */
#else
    skip();
#endif
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, connect_client, disconnect_client)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_X7_a_live_context_costs_no_call_a_turn_of_the_service_thread),
        TEST(test_X1_a_cancel_is_told_although_memory_is_out),
        TEST(test_a_handle_that_memory_is_out_for_goes_back),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
