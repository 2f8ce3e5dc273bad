/* Frames in a stream of bytes (lane.h). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endpoint.h"
#include "lane.h"

enum { LARGE = 20000 };

static struct wire *wire;
static char large[LARGE];

static int set_up(void **state)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;

    wire = wire_new(&bounds);
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 7);
    return 0;
}

static int tear_down(void **state)
{
    wire_delete(wire);
    return 0;
}

/* A SEND with a small and two large values, packed; heap. */
static char *pack(size_t *size)
{
    const struct value values[] = {{{"small", 5}, 0}, {{large, sizeof(large)}, 0}, {{large, 9000}, 0}};
    const struct request send = {.id = 1, .verb = VERB_SEND, .send = {7, values, 3}};
    const struct client_frame frame = {.version = 1, .number = 2, .requests = &send, .requests_n = 1};
    struct wire_message message;

    assert_int_equal(wire_encode_client(wire, &frame, &message), 0);
    *size = lane_message_bytes(&message);
    char *packed = malloc(*size);
    lane_pack(&message, packed);
    return packed;
}

static void test_a_frame_comes_out_as_it_went_in(void **state)
{
    const struct client_frame *frame;
    const char *why;
    struct bytes parts[8];
    size_t size;
    char *packed = pack(&size);

    assert_int_equal(lane_frame_bytes(packed, LANE_WORD_BYTES, 1 << 20), size);
    assert_int_equal(lane_split(packed, size, parts, 8), 3);
    assert_int_equal(wire_decode_client(wire, parts, 3, &frame, &why), 0);
    assert_int_equal(frame->number, 2);
    const struct request *request = &frame->requests[0];
    assert_int_equal(request->send.values_n, 3);
    assert_memory_equal(request->send.values[0].body.data, "small", 5);
    assert_int_equal(request->send.values[1].body.size, sizeof(large));
    assert_memory_equal(request->send.values[1].body.data, large, sizeof(large));
    assert_int_equal(request->send.values[2].body.size, 9000);
    assert_memory_equal(request->send.values[2].body.data, large, 9000);
    free(packed);
}

static void test_no_more_parts_are_told_than_asked_for(void **state)
{
    struct bytes parts[2] = {{0}};
    size_t size;
    char *packed = pack(&size);

    assert_int_equal(lane_split(packed, size, parts, 1), 1);
    assert_null(parts[1].data);
    free(packed);
}

static void test_a_length_is_known_when_its_word_is_there(void **state)
{
    const uint32_t words[] = {100, 1};

    assert_int_equal(lane_frame_bytes(words, 0, 1 << 20), 0);
    assert_int_equal(lane_frame_bytes(words, 3, 1 << 20), 0);
    assert_int_equal(lane_frame_bytes(words, 4, 1 << 20), 104);
    assert_int_equal(lane_frame_bytes(words, 4, 104), 104);
    assert_int_equal(lane_frame_bytes(words, 4, 103), -EBADMSG);
}

static void test_a_farewell_is_no_frame_whatever_is_allowed(void **state)
{
    const struct farewell farewell = {.magic = FAREWELL_MAGIC};
    const uint32_t none = 3;

    assert_int_equal(lane_frame_bytes(&farewell, sizeof(farewell), SIZE_MAX), -EBADMSG);
    assert_int_equal(lane_frame_bytes(&none, sizeof(none), SIZE_MAX), -EBADMSG);
}

static void expect_bad(const uint32_t *words, size_t size)
{
    struct bytes parts[4];
    void *exact = malloc(size); /* a sanitizer sees what lies behind it */

    memcpy(exact, words, size);
    assert_int_equal(lane_split(exact, size, parts, 4), -EBADMSG);
    free(exact);
}

static void test_sizes_that_do_not_add_up_are_refused(void **state)
{
    const uint32_t none[] = {4, 0}, more[] = {8, 3, 0}, long_body[] = {12, 2, 5, 0};
    const uint32_t wrapped[] = {16, 3, UINT32_MAX, UINT32_MAX, 0}, many[] = {8, UINT32_MAX, 0};

    expect_bad(none, sizeof(none));
    expect_bad(more, sizeof(more));
    expect_bad(long_body, sizeof(long_body));
    expect_bad(wrapped, sizeof(wrapped));
    expect_bad(many, sizeof(many));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_frame_comes_out_as_it_went_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_more_parts_are_told_than_asked_for, set_up, tear_down),
        cmocka_unit_test(test_a_length_is_known_when_its_word_is_there),
        cmocka_unit_test(test_a_farewell_is_no_frame_whatever_is_allowed),
        cmocka_unit_test(test_sizes_that_do_not_add_up_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
