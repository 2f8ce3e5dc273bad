/* Messages that are encoded once for many frames: each frame has the bytes that it would have alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared.h"
#include "wire.h"

/* More than there are places for, and than there is memory for. */
enum { MANY = 3 << SHARED_BITS, LARGE = SHARED_BYTES / 8 };

static struct wire *wire, *alone;
static struct message messages[MANY];
static struct value values[MANY];

static int set_up(void **state)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;

    wire = wire_new(&bounds);
    alone = wire_new(&bounds);
    for (size_t i = 0; i < MANY; i++) {
        messages[i] = (struct message){.topic = {"t", 1}, .time_us = (int64_t)i};
        values[i] = (struct value){.body = {"body", 1 + i % 4}, .message = &messages[i]};
    }
    return wire && alone ? 0 : -1;
}

static int tear_down(void **state)
{
    wire = wire_delete(wire);
    alone = wire_delete(alone);
    return 0;
}

static struct bytes frame_of(struct wire *by, const struct value *of, size_t n)
{
    struct result result = {.op = 7, .status = (int32_t)n, .values = of, .values_n = n};
    struct server_frame frame = {.number = 3, .results = &result, .results_n = 1};
    struct wire_message message;

    assert_int_equal(wire_encode_server(by, &frame, &message), 0);
    void *bytes = malloc(message.head_bytes + 1);
    assert_non_null(bytes);
    wire_pack(&message, bytes);
    wire_reset(by);
    return (struct bytes){bytes, message.head_bytes};
}

static void assert_as_alone(const struct value *of, size_t n)
{
    struct bytes a = frame_of(alone, of, n), b = frame_of(wire, of, n);

    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    free((void *)a.data);
    free((void *)b.data);
}

static void test_frames_that_share_messages_are_as_they_would_be_alone(void **state)
{
    wire_share(wire);
    assert_as_alone(values, 3);
    assert_as_alone(values, 5);
    assert_as_alone(values + 4, 2);
    wire_unshare(wire);
}

static void test_what_is_told_to_one_alone_is_not_shared(void **state)
{
    struct message lost = messages[0];
    struct value own[3] = {values[0], values[0], {.body = {"body", 4}}};

    lost.lost = 5;
    own[0].flags = VALUE_RETURNED;
    own[1].message = &lost;
    wire_share(wire);
    assert_as_alone(values, 1);
    assert_as_alone(own, 3);
    assert_as_alone(values, 1);
    wire_unshare(wire);
}

static void test_there_are_more_than_it_remembers(void **state)
{
    static char large[LARGE];

    wire_share(wire);
    assert_as_alone(values, MANY);
    assert_as_alone(values, MANY);
    for (size_t i = 0; i < 32; i++)
        messages[i].key = (struct bytes){large, sizeof(large)};
    wire_unshare(wire);
    wire_share(wire);
    assert_as_alone(values, 32);
    assert_as_alone(values, 32);
    wire_unshare(wire);
}

static void test_behind_the_end_another_message_may_be_at_its_place(void **state)
{
    wire_share(wire);
    assert_as_alone(values, 9);
    wire_unshare(wire);
    messages[0].time_us = 77;
    values[1].body = (struct bytes){"else", 4};
    assert_as_alone(values, 9);
    wire_share(wire);
    assert_as_alone(values, 9);
    wire_unshare(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_frames_that_share_messages_are_as_they_would_be_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_told_to_one_alone_is_not_shared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_there_are_more_than_it_remembers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_behind_the_end_another_message_may_be_at_its_place, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
