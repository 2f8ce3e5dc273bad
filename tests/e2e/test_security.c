/*
 * What one session can do to another over tcp with keys: nothing. Hand-written frames name handles, tokens, operations,
 * runs, jobs, contexts and sessions of somebody else: of another key, and of the same key in another session. The clock is
 * a test's, so that no lease ends meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "raw.h"

#define NAME(text) ((struct bytes){(text), sizeof(text) - 1})

enum { ALICE, MALLORY, USERS, AROUND = 3 };

struct pair {
    char public[41], secret[41];
};

/* A session and its last operation. */
struct who {
    struct raw raw;
    uint64_t op;
};

static struct node node, far[USERS]; /* the same daemon, over tcp */
static struct pair server, users[USERS];
static struct who victim, same_key, other_key;

/* ---- the daemon and its clients ---- */

static void write_file(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void write_file(const char *path, const char *format, ...)
{
    va_list arguments;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    va_start(arguments, format);
    assert_true(vdprintf(fd, format, arguments) > 0);
    va_end(arguments);
    close(fd);
}

static int set_up(void **state)
{
    char secret[160], clients[160];

    node_make(&node);
    assert_int_equal(zmq_curve_keypair(server.public, server.secret), 0);
    for (int i = 0; i < USERS; i++)
        assert_int_equal(zmq_curve_keypair(users[i].public, users[i].secret), 0);
    snprintf(secret, sizeof(secret), "%s/keys", node.directory);
    snprintf(clients, sizeof(clients), "%s/clients", node.directory);
    write_file(secret, "public %s\nsecret %s\n", server.public, server.secret);
    write_file(clients, "alice %s\nmallory %s\n", users[ALICE].public, users[MALLORY].public);
    node_start(&node, (char *[]){"--test-clock", "--listen", "tcp://127.0.0.1:*", "--listen-secret-file",
                                 secret, "--listen-keys-file", clients, NULL});
    for (int i = 0; i < USERS; i++) {
        far[i] = node;
        assert_true(node_logged_value(&node, "event=listening endpoint=tcp", far[i].endpoint + 3,
                                      sizeof(far[i].endpoint) - 3));
        memcpy(far[i].endpoint, "tcp", 3);
        far[i].server_key = server.public;
        far[i].public_key = users[i].public;
        far[i].secret_key = users[i].secret;
    }
    return 0;
}

static int tear_down(void **state)
{
    node_stop(&node);
    node_remove(&node);
    return 0;
}

static void enter(struct who *who, const struct node *from)
{
    struct hello hello = {.program = {"far", 3}};

    *who = (struct who){0};
    raw_connect_by(&who->raw, from, false);
    raw_send(&who->raw, (struct client_frame){.hello = &hello});
    const struct server_frame *frame = raw_receive(&who->raw);
    assert_non_null(frame->welcome);
    who->raw.session = frame->welcome->session;
}

static int enter_all(void **state)
{
    enter(&victim, &far[ALICE]);
    enter(&same_key, &far[ALICE]);
    enter(&other_key, &far[MALLORY]);
    return 0;
}

static int leave_all(void **state)
{
    struct who *all[] = {&victim, &same_key, &other_key};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        raw_send(&all[i]->raw, (struct client_frame){.bye = true});
        raw_close(&all[i]->raw);
    }
    return 0;
}

static struct result ask(struct who *who, struct request request)
{
    request.id = ++who->op;
    raw_ask(&who->raw, request);
    return *raw_result(&who->raw);
}

static int32_t status(struct who *who, struct request request)
{
    return ask(who, request).status;
}

static uint64_t open_channel(struct who *who, struct bytes name)
{
    struct result result =
        ask(who, (struct request){.verb = VERB_CHAN_OPEN,
                                  .chan_open = {.name = name, .capacity = 4, .flags = OPEN_CREATE}});

    assert_int_equal(result.status, 0);
    return result.handle;
}

static int32_t send_one(struct who *who, uint64_t handle)
{
    struct value value = {.body = {"v", 1}};

    return status(who,
                  (struct request){.verb = VERB_SEND, .send = {handle, &value, 1}, .until.kind = UNTIL_NOW});
}

static struct chan_info look(struct who *who, uint64_t handle)
{
    struct result result = ask(who, (struct request){.verb = VERB_CHAN_INFO, .chan_info.handle = handle});

    assert_int_equal(result.status, 0);
    return result.chans[0];
}

/* ---- what others name ---- */

static void use_handle(struct who *who, uint64_t handle)
{
    struct select_case take = {.kind = CASE_RECV, .handle = handle};
    const struct request requests[] = {
        {.verb = VERB_RECV, .recv = {handle, 1}, .until.kind = UNTIL_NOW},
        {.verb = VERB_SELECT, .select = {&take, 1}, .until.kind = UNTIL_NOW},
        {.verb = VERB_CHAN_INFO, .chan_info.handle = handle},
        {.verb = VERB_CLOSE, .close.handle = handle},
        {.verb = VERB_CHAN_DROP, .chan_drop.handle = handle},
    };

    assert_int_equal(send_one(who, handle), -ENOENT);
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        assert_int_equal(status(who, requests[i]), -ENOENT);
}

static void test_IP0_a_handle_is_of_its_session_alone(void **state)
{
    uint64_t handle = open_channel(&victim, NAME("handles"));

    assert_int_equal(send_one(&victim, handle), 1);
    for (uint64_t guess = handle; guess < handle + AROUND; guess++) {
        use_handle(&same_key, guess);
        use_handle(&other_key, guess);
    }
    assert_int_equal(look(&victim, handle).length, 1);
    assert_int_equal(status(&victim, (struct request){.verb = VERB_RECV, .recv = {handle, 1}}), 1);
}

static void unlock_foreign(struct who *who, uint64_t token)
{
    struct request give = {.verb = VERB_UNLOCK, .unlock = {.name = NAME("lock"), .token = token}};
    struct request take = {.verb = VERB_LOCK, .lock.name = NAME("lock"), .until.kind = UNTIL_NOW};

    assert_true(status(who, give) < 0);
    assert_int_equal(status(who, take), -EAGAIN);
}

static void test_a_token_is_of_its_holder_alone(void **state)
{
    struct result held = ask(&victim, (struct request){.verb = VERB_LOCK, .lock.name = NAME("lock")});
    uint64_t token = held.handle;

    assert_int_equal(held.status, 0);
    for (uint64_t guess = token - 1; guess <= token + 1; guess++) {
        unlock_foreign(&same_key, guess);
        unlock_foreign(&other_key, guess);
    }
    assert_int_equal(status(&victim, (struct request){.verb = VERB_UNLOCK,
                                                      .unlock = {.name = NAME("lock"), .token = token}}),
                     0);
}

/* Acknowledges, returns and cancels whatever number an operation of the victim can have. */
static void meddle(struct who *who, uint64_t last)
{
    for (uint64_t op = 1; op <= last; op++) {
        struct ack one = {.op = op};
        raw_send(
            &who->raw,
            (struct client_frame){
                .cancels = &op, .cancels_n = 1, .acks = &one, .acks_n = 1, .returns = &one, .returns_n = 1});
    }
    who->op += last;
    assert_int_equal(status(who, (struct request){.verb = VERB_PING}), 0);
}

static void test_IP0_an_operation_number_is_of_its_session_alone(void **state)
{
    uint64_t handle = open_channel(&victim, NAME("operations")),
             mine = open_channel(&other_key, NAME("operations"));

    raw_ask(&victim.raw, (struct request){.id = ++victim.op, .verb = VERB_RECV, .recv = {handle, 1}});
    meddle(&same_key, victim.op + AROUND);
    meddle(&other_key, victim.op + AROUND);
    assert_int_equal(send_one(&other_key, mine), 1);
    const struct result *result = raw_result(&victim.raw);
    assert_int_equal(result->op, victim.op);
    assert_int_equal(result->status, 1);
}

/* RESUME lists operations: those of another session are unknown, and nothing of it is said again. */
static void test_IP7_a_resume_tells_nothing_of_another_session(void **state)
{
    uint64_t open_ops[] = {1, 2, 3, 4}, handle = open_channel(&victim, NAME("resume"));
    struct raw again;

    assert_int_equal(send_one(&victim, handle), 1);
    assert_int_equal(status(&victim, (struct request){.verb = VERB_RECV, .recv = {handle, 1}}), 1);
    raw_connect_by(&again, &far[MALLORY], false);
    raw_send(&again, (struct client_frame){.resume = &(struct resume){.session = other_key.raw.session,
                                                                      .open_ops = open_ops,
                                                                      .open_ops_n = 4}});
    const struct server_frame *frame = raw_receive(&again);
    assert_non_null(frame->welcome);
    assert_int_equal(frame->results_n, 0);
    assert_int_equal(frame->states_n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(frame->states[i].fate, FATE_UNKNOWN);
    raw_close(&other_key.raw);
    other_key.raw = again;
}

static void refuse_session(const struct node *from, struct client_frame frame)
{
    struct raw thief;

    raw_connect_by(&thief, from, false);
    raw_send(&thief, frame);
    assert_int_equal(raw_receive(&thief)->refused, -EPERM);
    raw_close(&thief);
}

/* Even who knows its secret: it belongs to the key that said HELLO. */
static void test_IP9_the_session_of_another_key_is_refused(void **state)
{
    struct hello hello = {.session = victim.raw.session};
    struct resume resume = {.session = victim.raw.session};

    refuse_session(&far[MALLORY], (struct client_frame){.hello = &hello});
    refuse_session(&far[MALLORY], (struct client_frame){.resume = &resume});
    refuse_session(&node, (struct client_frame){.hello = &hello});
    refuse_session(&node, (struct client_frame){.resume = &resume});
    assert_int_equal(status(&victim, (struct request){.verb = VERB_PING}), 0);
}

static void test_a_made_up_session_is_refused(void **state)
{
    struct hello hello = {.session = victim.raw.session};

    for (int i = 0; i < SECRET_BYTES; i++) {
        hello.session.byte[i] ^= 1;
        refuse_session(&far[ALICE], (struct client_frame){.hello = &hello});
        hello.session.byte[i] ^= 1;
    }
}

static void test_IP0_a_run_that_is_not_ones_own_is_over(void **state)
{
    for (uint64_t run = 1; run < 8; run++) {
        assert_int_equal(status(&other_key, (struct request){.verb = VERB_PING, .run = run}), -ESTALE);
        assert_int_equal(status(&other_key, (struct request){.verb = VERB_PING, .run = run << 32 | run}),
                         -ESTALE);
    }
}

/* A worker may say how its own jobs go, and this one has none. */
static void test_only_who_has_a_job_says_how_it_goes(void **state)
{
    static const enum verb hosts[] = {VERB_RESERVE, VERB_STARTED, VERB_DUMPED},
                           workers[] = {VERB_DONE, VERB_PRINT, VERB_PROGRESS, VERB_WORK_EXTEND};

    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
        assert_int_equal(status(&other_key, (struct request){.verb = hosts[i]}), -EPERM);
    for (size_t i = 0; i < sizeof(workers) / sizeof(*workers); i++)
        assert_int_equal(status(&other_key, (struct request){.verb = workers[i]}), -ESTALE);
    assert_int_equal(status(&other_key, (struct request){.verb = VERB_WORK_RESERVE}), -EPERM);
}

static uint64_t submit(struct who *who)
{
    char plugin[512];
    struct request_submit what = {
        .flags = SUBMIT_DETACHED, .function = NAME("receive"), .delay_ns = 3600000000000};

    assert_non_null(getenv("PLUGINS"));
    snprintf(plugin, sizeof(plugin), "%s/trial.so", getenv("PLUGINS"));
    what.plugin = (struct bytes){plugin, strlen(plugin)};
    struct result result = ask(who, (struct request){.verb = VERB_SUBMIT, .submit = what});
    if (result.status < 0)
        fail_msg("submit: %d %.*s", result.status, (int)result.text.size, (const char *)result.text.data);
    return result.handle;
}

static void test_a_job_is_of_the_key_that_submitted_it(void **state)
{
    uint64_t job = submit(&victim);
    struct select_case end = {.kind = CASE_JOB, .handle = job};
    const struct request requests[] = {
        {.verb = VERB_JOB_INFO, .job_info.job = job},
        {.verb = VERB_JOB_WAIT, .job_wait.job = job, .until.kind = UNTIL_NOW},
        {.verb = VERB_JOB_CANCEL, .job_cancel.job = job},
        {.verb = VERB_JOB_OUTPUT, .job_output.job = job},
        {.verb = VERB_SELECT, .select = {&end, 1}, .until.kind = UNTIL_NOW},
    };

    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        assert_int_equal(status(&other_key, requests[i]), -EPERM);
    assert_int_equal(ask(&other_key, (struct request){.verb = VERB_JOB_LIST}).jobs_n, 0);
    struct result result = ask(&same_key, (struct request){.verb = VERB_JOB_INFO, .job_info.job = job});
    assert_int_equal(result.status, 0);
    assert_int_equal(result.jobs[0].state, JOB_SCHEDULED);
}

static void test_a_context_without_a_name_is_of_its_key(void **state)
{
    uint64_t id = ask(&victim, (struct request){.verb = VERB_CTX_NEW}).handle;
    const struct request requests[] = {
        {.verb = VERB_CTX_CANCEL, .ctx_cancel.context = id},
        {.verb = VERB_CTX_DROP, .ctx_drop.context = id},
        {.verb = VERB_CTX_INFO, .ctx_info.context = id},
        {.verb = VERB_CTX_WATCH, .ctx_watch.context = id, .until.kind = UNTIL_NOW},
        {.verb = VERB_CTX_NEW, .ctx_new.parent = id},
    };

    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        assert_int_equal(status(&other_key, requests[i]), -EPERM);
    struct result result = ask(&victim, (struct request){.verb = VERB_CTX_INFO, .ctx_info.context = id});
    assert_int_equal(result.ctxs[0].status, 0);
}

/* What waits is told to whom it belongs. */
static void test_a_dump_tells_a_key_of_its_own_waits(void **state)
{
    uint64_t handle = open_channel(&victim, NAME("dumped"));

    raw_ask(&victim.raw, (struct request){.id = ++victim.op, .verb = VERB_RECV, .recv = {handle, 1}});
    while (look(&same_key, open_channel(&same_key, NAME("dumped"))).receivers == 0)
        ;
    assert_int_equal(ask(&other_key, (struct request){.verb = VERB_DUMP}).waits_n, 0);
    assert_int_equal(ask(&same_key, (struct request){.verb = VERB_DUMP}).waits_n, 1);
}

/* ---- without a key ---- */

/* The events of handshakes; the first of them is returned. */
static int first_handshake(void *monitor)
{
    uint16_t event = 0;

    while (!(event & (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                      ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                      ZMQ_EVENT_DISCONNECTED))) {
        unsigned char head[6];
        assert_int_equal(zmq_recv(monitor, head, sizeof(head), 0), sizeof(head));
        memcpy(&event, head, sizeof(event));
        assert_true(zmq_recv(monitor, NULL, 0, 0) >= 0); /* the address */
    }
    return event;
}

/* How a client ends that speaks no CURVE: `secure` sets its mechanism. */
static int handshake_of(void (*secure)(void *socket))
{
    const int none = 0;
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER), *monitor;

    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof(none));
    if (secure)
        secure(socket);
    assert_int_equal(zmq_socket_monitor(socket, "inproc://monitor", ZMQ_EVENT_ALL), 0);
    monitor = zmq_socket(context, ZMQ_PAIR);
    assert_int_equal(zmq_connect(monitor, "inproc://monitor"), 0);
    assert_int_equal(zmq_connect(socket, far[ALICE].endpoint), 0);
    int event = first_handshake(monitor);
    zmq_close(socket);
    zmq_close(monitor);
    zmq_ctx_term(context);
    return event;
}

static void plain(void *socket)
{
    assert_int_equal(zmq_setsockopt(socket, ZMQ_PLAIN_USERNAME, "alice", 5), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_PLAIN_PASSWORD, "alice", 5), 0);
}

static void curve(void *socket)
{
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server.public, sizeof(server.public)), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, users[ALICE].public, 41), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, users[ALICE].secret, 41), 0);
}

static void stranger(void *socket)
{
    struct pair own;

    assert_int_equal(zmq_curve_keypair(own.public, own.secret), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server.public, sizeof(server.public)), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own.public, sizeof(own.public)), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own.secret, sizeof(own.secret)), 0);
}

static void test_a_client_without_a_key_that_is_let_in_gets_no_handshake(void **state)
{
    assert_int_equal(handshake_of(curve), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_int_not_equal(handshake_of(NULL), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_int_not_equal(handshake_of(plain), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_int_not_equal(handshake_of(stranger), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_all, leave_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP0_a_handle_is_of_its_session_alone),
        TEST(test_a_token_is_of_its_holder_alone),
        TEST(test_IP0_an_operation_number_is_of_its_session_alone),
        TEST(test_IP7_a_resume_tells_nothing_of_another_session),
        TEST(test_IP9_the_session_of_another_key_is_refused),
        TEST(test_a_made_up_session_is_refused),
        TEST(test_IP0_a_run_that_is_not_ones_own_is_over),
        TEST(test_only_who_has_a_job_says_how_it_goes),
        TEST(test_a_job_is_of_the_key_that_submitted_it),
        TEST(test_a_context_without_a_name_is_of_its_key),
        TEST(test_a_dump_tells_a_key_of_its_own_waits),
        cmocka_unit_test(test_a_client_without_a_key_that_is_let_in_gets_no_handshake),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
