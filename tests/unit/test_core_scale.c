/*
 * What many of something cost the core: bytes per parked receive, and work in one step when very many waits end at once.
 * The clients here are counters only.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"

enum {
    WAITERS = 1 << 17,
    BYTES_PER_WAITER = 400,
    SUBSCRIPTIONS = 100000,
    BYTES_PER_SUBSCRIPTION = 1050,
    MALLOC_HEAD = 8
};

static struct core *core;
static struct effects out;
static struct now now = {.mono_ns = 1000};
static size_t bytes; /* with what malloc rounds up and keeps in front */

static size_t real_size(void *p)
{
    return p ? malloc_usable_size(p) + MALLOC_HEAD : 0;
}

static void *count(void *context, void *p, size_t size)
{
    bytes -= real_size(p);
    if (size)
        p = realloc(p, size);
    else {
        free(p);
        p = NULL;
    }
    bytes += real_size(p);
    return p;
}

/* How many results the step gave; the handle of the last one in *handle. */
static size_t step(const struct input *in, uint64_t *handle)
{
    struct effect *e;
    size_t n = 0;

    core_step(core, now, in, &out);
    list_each (e, &out.list, link) {
        n += e->kind == EFFECT_RESULT;
        if (handle && e->kind == EFFECT_RESULT)
            *handle = e->result->handle;
    }
    effects_clear(core, &out);
    return n;
}

/* A session that has said HELLO on the connection of its number. */
static void client(uint64_t number)
{
    struct hello hello = {.session.byte = {(uint8_t)number, 1}};
    struct client_frame frame = {.version = PROTOCOL_VERSION, .number = 1, .hello = &hello};
    struct credentials who = {.uid = 1, .pid = (int)number, .known = true};

    step(&(struct input){.kind = IN_SESSION_UP, .peer = number, .session_up = {hello.session, who, 0, false}},
         NULL);
    step(&(struct input){.kind = IN_FRAME, .conn = number, .frame = {&frame, who, false}}, NULL);
}

static size_t ask(uint64_t client, uint64_t op, struct request request, uint64_t *handle)
{
    request.id = op;
    return step(&(struct input){.kind = IN_OP, .conn = client, .op = &request}, handle);
}

static uint64_t open_channel(uint64_t client)
{
    uint64_t handle = 0;

    assert_int_equal(
        ask(client, 1,
            (struct request){.verb = VERB_CHAN_OPEN, .chan_open = {.name = {"x", 1}, .flags = OPEN_CREATE}},
            &handle),
        1);
    return handle;
}

/* One session with WAITERS receives; another one that can close. Its handle. */
static uint64_t park(void)
{
    const struct limits limits = LIMITS_DEFAULT;
    const struct allocator memory = {count, NULL};

    core = core_new(&limits, &memory, 1, 1, 1);
    effects_init(&out);
    client(1);
    client(2);
    uint64_t mine = open_channel(1), theirs = open_channel(2);
    for (uint64_t op = 2; op < WAITERS + 2; op++)
        ask(1, op, (struct request){.verb = VERB_RECV, .recv = {mine, 1}}, NULL);
    return theirs;
}

static void test_IP6_a_parked_receive_takes_few_bytes(void **state)
{
    size_t before, all;

    bytes = 0;
    park();
    all = bytes;
    step(&(struct input){.kind = IN_SESSION_END, .peer = 1}, NULL);
    while (out.wake_ns <= now.mono_ns)
        step(&(struct input){.kind = IN_TICK}, NULL);
    before = bytes;
    print_message("%zu bytes per parked receive\n", (all - before) / WAITERS);
    assert_true((all - before) / WAITERS <= BYTES_PER_WAITER);
    core_delete(core);
    assert_int_equal(bytes, 0);
}

/* A turn: many inputs, then one IN_TICK. How many results it gave beside those of its pings. */
static size_t turn(uint64_t *op, uint64_t *frame)
{
    size_t told = 0;

    for (int i = 0; i < 20; i++) {
        struct client_frame marks = {.number = ++*frame, .ack_mark = *op - 1, .requests_n = 1};

        step(&(struct input){.kind = IN_FRAME, .conn = 2, .frame = {.head = &marks, .who = {1, 0, 2, true}}},
             NULL);
        told += ask(2, (*op)++, (struct request){.verb = VERB_PING}, NULL) - 1;
    }
    return told + step(&(struct input){.kind = IN_TICK}, NULL);
}

static void test_C2_a_close_with_many_waiters_ends_a_bounded_number_of_them_in_each_turn(void **state)
{
    const struct limits limits = LIMITS_DEFAULT;
    uint64_t handle = park(), op = 2, frame = 1;
    size_t told = ask(2, op++, (struct request){.verb = VERB_CLOSE, .close = {handle}}, NULL) - 1, turns = 0;

    for (; out.wake_ns <= now.mono_ns; turns++) {
        size_t n = turn(&op, &frame);

        assert_true(n <= limits.sweep_per_turn);
        told += n;
    }
    assert_int_equal(told, WAITERS);
    assert_true(turns >= WAITERS / limits.sweep_per_turn - 1);
    core_delete(core);
}

/* ---- subscriptions ---- */

/* All before it is acknowledged. */
static size_t ask_acked(uint64_t client, uint64_t op, struct request request)
{
    struct client_frame marks = {.number = op + 1, .ack_mark = op - 1, .requests_n = 1};

    step(&(struct input){.kind = IN_FRAME,
                         .conn = client,
                         .frame = {.head = &marks, .who = {1, 0, (int)client, true}}},
         NULL);
    return ask(client, op, request, NULL);
}

/* Session 1 subscribes: to one topic, or each time to a pattern of its own. */
static void subscribe_all(const char *format)
{
    const struct limits limits = LIMITS_DEFAULT;
    const struct allocator memory = {count, NULL};
    char pattern[64];

    core = core_new(&limits, &memory, 1, 1, 1);
    effects_init(&out);
    client(1);
    client(2);
    for (uint64_t op = 1; op <= SUBSCRIPTIONS; op++) {
        int size = snprintf(pattern, sizeof(pattern), format, (int)op);

        assert_int_equal(
            ask_acked(1, op,
                      (struct request){.verb = VERB_SUBSCRIBE, .subscribe.pattern = {pattern, (size_t)size}}),
            1);
    }
}

static void test_IP14_2_an_idle_subscription_takes_few_bytes(void **state)
{
    static const char *const formats[] = {"price.of.something.%d", "price.*.%d.>", "price.of.all"};

    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        bytes = 0;
        subscribe_all(formats[i]);
        print_message("%zu bytes per subscription to %s\n", bytes / SUBSCRIPTIONS, formats[i]);
        assert_true(bytes / SUBSCRIPTIONS <= BYTES_PER_SUBSCRIPTION);
        core_delete(core);
        assert_int_equal(bytes, 0);
    }
}

static uint64_t delivered(uint64_t op)
{
    struct request request = {.id = op, .verb = VERB_STATS, .stats.prefix = {"topics.delivered", 16}};
    struct effect *e;
    uint64_t n = 0;

    core_step(core, now, &(struct input){.kind = IN_OP, .conn = 2, .op = &request}, &out);
    list_each (e, &out.list, link)
        if (e->kind == EFFECT_RESULT && e->result->op == op)
            n = e->result->stats[0].value;
    effects_clear(core, &out);
    return n;
}

static void test_IP14_8_a_message_for_many_is_delivered_to_a_bounded_number_in_each_turn(void **state)
{
    const struct limits limits = LIMITS_DEFAULT;
    const struct outgoing message = {.value.body = {"m", 1}};
    uint64_t op = 1, told = 0, before = 0;
    size_t turns = 0;

    subscribe_all("price.of.all");
    told += ask(
        2, op++,
        (struct request){.verb = VERB_PUBLISH,
                         .publish = {.topic = {"price.of.all", 12}, .messages = &message, .messages_n = 1}},
        NULL);
    for (; out.wake_ns <= now.mono_ns; turns++) {
        uint64_t n = delivered(op++);

        assert_true(n - before <= limits.sweep_per_turn);
        before = n;
        told += step(&(struct input){.kind = IN_TICK}, NULL);
    }
    assert_int_equal(delivered(op), SUBSCRIPTIONS);
    assert_int_equal(told, 1);
    assert_true(turns >= SUBSCRIPTIONS / limits.sweep_per_turn);
    core_delete(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP6_a_parked_receive_takes_few_bytes),
        cmocka_unit_test(test_IP14_2_an_idle_subscription_takes_few_bytes),
        cmocka_unit_test(test_IP14_8_a_message_for_many_is_delivered_to_a_bounded_number_in_each_turn),
        cmocka_unit_test(test_C2_a_close_with_many_waiters_ends_a_bounded_number_of_them_in_each_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
