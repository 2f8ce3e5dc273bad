/*
 * Very many of one thing on a real daemon: idle sessions, named channels, parked receives. `--full` is the whole number of
 * each; without it there are few, so that the test itself is tried. The figures it prints are for people.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "raw.h"

enum { OPS_PER_FRAME = 4096, DESCRIPTORS_PER_SESSION = 3, DESCRIPTORS_BESIDE = 100 };

static struct node node;
static bool full;
static uint64_t op_last; /* of all clients: ids may be left out */

static int set_up(void **state)
{
    node_make(&node);
    return 0;
}

static int tear_down(void **state)
{
    node_remove(&node);
    return 0;
}

static void start(void)
{
    node_start(&node, (char *[]){"--ephemeral", "--limit", "sessions_max=20000", "--limit",
                                 "sessions_per_account=20000", NULL});
}

/* ---- what is asked of the daemon ---- */

/* Of a client that has no other operation under way: all results before are acknowledged. */
static const struct result *ask(struct raw *raw, struct request request)
{
    uint64_t mark = op_last;

    request.id = ++op_last;
    raw_send(raw, (struct client_frame){.ack_mark = mark, .requests = &request, .requests_n = 1});
    return raw_result(raw);
}

static uint64_t stat_of(struct raw *raw, const char *name)
{
    const struct result *result =
        ask(raw, (struct request){.verb = VERB_STATS, .stats.prefix = {name, strlen(name)}});

    assert_int_equal(result->op, op_last);
    for (size_t i = 0; i < result->stats_n; i++)
        if (result->stats[i].name.size == strlen(name))
            return result->stats[i].value;
    fail_msg("no counter %s", name);
    return 0;
}

static size_t resident_bytes(void)
{
    char path[64];
    unsigned long pages = 0;

    snprintf(path, sizeof(path), "/proc/%d/statm", node.pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void ping(struct raw *raw)
{
    assert_int_equal(ask(raw, (struct request){.verb = VERB_PING})->status, 0);
}

/* ---- idle sessions ---- */

/* As many as this machine's limit of descriptors lets one daemon have. */
static size_t sessions_wanted(void)
{
    struct rlimit limit;
    size_t most, want = full ? 10000 : 200;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    most = (size_t)(limit.rlim_max - DESCRIPTORS_BESIDE) / DESCRIPTORS_PER_SESSION;
    if (most < want)
        print_message("the limit of %llu descriptors leaves %zu sessions, not %zu\n",
                      (unsigned long long)limit.rlim_max, most, want);
    return most < want ? most : want;
}

static void hello(struct raw *raw, void *context)
{
    const int none = 0;
    struct hello hello = {.program = {"idle", 4}};

    *raw = (struct raw){.context = context, .stream = -1, .lifeline = -1};
    raw->socket = zmq_socket(context, ZMQ_DEALER);
    assert_non_null(raw->socket);
    zmq_setsockopt(raw->socket, ZMQ_LINGER, &none, sizeof(none));
    assert_int_equal(zmq_connect(raw->socket, node.endpoint), 0);
    raw->lifeline = lifeline_open(&node, &raw->session);
    hello.session = raw->session;
    raw->in = raw->out = wire_new(&(struct wire_bounds)WIRE_BOUNDS_DEFAULT);
    raw_send(raw, (struct client_frame){.hello = &hello});
    assert_non_null(raw_receive(raw)->welcome);
    raw->in = raw->out = wire_delete(raw->in);
}

static void test_IP0_thousands_of_idle_sessions_cost_a_ping_nothing(void **state)
{
    size_t n = sessions_wanted();
    struct raw *idle = calloc(n, sizeof(*idle)), client;
    void *context = zmq_ctx_new();

    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)n + 16);
    start();
    raw_open(&client, &node);
    size_t before = resident_bytes();
    for (size_t i = 0; i < n; i++)
        hello(&idle[i], context);
    assert_int_equal(stat_of(&client, "sessions"), n + 1);
    print_message("%zu idle sessions: %zu bytes each\n", n, (resident_bytes() - before) / n);
    ping(&client);
    for (size_t i = 0; i < n; i++) {
        close(idle[i].lifeline);
        zmq_close(idle[i].socket);
    }
    while (stat_of(&client, "sessions") > 1)
        ;
    raw_close(&client);
    zmq_ctx_term(context);
    free(idle);
    node_stop(&node);
}

/* ---- named channels ---- */

/* Frames of operations until there were n; each result is looked at. */
static void many(struct raw *raw, size_t n, struct request (*make)(size_t i),
                 void (*look)(const struct result *))
{
    struct request *requests = calloc(OPS_PER_FRAME, sizeof(*requests));

    for (size_t done = 0; done < n;) {
        size_t part = n - done < 1000 ? n - done : 1000; /* the window */

        for (size_t i = 0; i < part; i++) {
            requests[i] = make(done + i);
            requests[i].id = ++op_last;
        }
        raw_send(raw,
                 (struct client_frame){.ack_mark = op_last - part, .requests = requests, .requests_n = part});
        for (size_t got = 0; got < part;) {
            const struct server_frame *frame = raw_receive(raw);
            for (size_t i = 0; i < frame->results_n; i++, got++)
                look(&frame->results[i]);
        }
        done += part;
    }
    free(requests);
}

static struct request make_channel(size_t i)
{
    static char names[OPS_PER_FRAME][24];
    char *name = names[i % OPS_PER_FRAME];
    int n = snprintf(name, sizeof(names[0]), "scale.%zu", i);

    return (struct request){.verb = VERB_CHAN_OPEN,
                            .chan_open = {.name = {name, (size_t)n}, .flags = OPEN_CREATE}};
}

static void look_ok(const struct result *result)
{
    assert_int_equal(result->status, 0);
}

static void test_a_hundred_thousand_named_channels(void **state)
{
    size_t n = full ? 100000 : 2000;
    struct raw maker, other;

    start();
    raw_open(&maker, &node);
    raw_open(&other, &node);
    size_t before = resident_bytes();
    many(&maker, n, make_channel, look_ok);
    assert_int_equal(stat_of(&other, "channels.named"), n);
    print_message("%zu named channels with a handle: %zu bytes each\n", n, (resident_bytes() - before) / n);
    const struct result *list =
        ask(&other,
            (struct request){.verb = VERB_CHAN_LIST, .chan_list = {.prefix = {"scale.7", 7}, .limit = 10}});
    assert_int_equal(list->chans_n, 10);
    assert_memory_equal(list->chans[0].name.data, "scale.7", 7);
    ping(&other);
    raw_close(&maker);
    while (stat_of(&other, "handles"))
        ;
    raw_close(&other);
    node_stop(&node);
}

/* ---- parked receives ---- */

static uint64_t open_one(struct raw *raw)
{
    const struct result *result =
        ask(raw, (struct request){.verb = VERB_CHAN_OPEN,
                                  .chan_open = {.name = {"crowd", 5}, .flags = OPEN_CREATE}});

    assert_int_equal(result->status, 0);
    return result->handle;
}

static void park_receives(struct raw *raw, uint64_t handle, size_t n)
{
    struct request *requests = calloc(OPS_PER_FRAME, sizeof(*requests));

    for (size_t done = 0; done < n;) {
        size_t part = n - done < OPS_PER_FRAME ? n - done : OPS_PER_FRAME;

        for (size_t i = 0; i < part; i++)
            requests[i] = (struct request){.id = ++op_last, .verb = VERB_RECV, .recv = {handle, 1}};
        raw_send(raw, (struct client_frame){.requests = requests, .requests_n = part});
        done += part;
    }
    free(requests);
}

static void take_closed(struct raw *raw, size_t n)
{
    for (size_t got = 0; got < n;) {
        const struct server_frame *frame = raw_receive(raw);

        for (size_t i = 0; i < frame->results_n; i++, got++) {
            assert_int_equal(frame->results[i].status, 0);
            assert_true(frame->results[i].flags & RESULT_CLOSED);
        }
    }
}

static void test_IP6_a_million_parked_receives_and_their_close_leave_room_for_others(void **state)
{
    size_t n = full ? 1000000 : 50000;
    struct raw crowd, closer, other;

    start();
    raw_open(&crowd, &node);
    raw_open(&closer, &node);
    raw_open(&other, &node);
    uint64_t mine = open_one(&crowd), theirs = open_one(&closer);
    size_t before = resident_bytes();
    park_receives(&crowd, mine, n);
    while (stat_of(&other, "ops.parked") < n)
        ping(&closer);
    size_t each = (resident_bytes() - before) / n;
    print_message("%zu parked receives: %zu bytes each in the process\n", n, each);
    int64_t begun = now_ms();
    raw_ask(&closer, (struct request){.id = ++op_last, .verb = VERB_CLOSE, .close = {theirs}});
    ping(&other);
    int64_t answered = now_ms();
    uint64_t left = stat_of(&other, "ops.parked");
    assert_true(left || !full); /* the ping came in between, where there is much to do */
    assert_int_equal(raw_result(&closer)->status, 0);
    take_closed(&crowd, n);
    print_message(
        "closed: a ping of another client came after %lld ms, with %llu left; all ended after %lld ms\n",
        (long long)(answered - begun), (unsigned long long)left, (long long)(now_ms() - begun));
    assert_int_equal(stat_of(&other, "ops.parked"), 0);
    raw_close(&crowd);
    raw_close(&closer);
    raw_close(&other);
    node_stop(&node);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP0_thousands_of_idle_sessions_cost_a_ping_nothing),
        TEST(test_a_hundred_thousand_named_channels),
        TEST(test_IP6_a_million_parked_receives_and_their_close_leave_room_for_others),
    };

    full = argc > 1 && strcmp(argv[1], "--full") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
