/* Entries read and written by hand are what protobuf-c makes of them, and what is not plain is left to it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plain.h"
#include "wire.h"

enum { TEXT_BYTES = 400, ROUNDS = 20000 };

static uint8_t text[TEXT_BYTES];
static uint64_t seed = 1;

static uint64_t chance(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

/* Numbers of every length, zero among them. */
static uint64_t any_number(void)
{
    return chance(3) ? (chance(UINT32_MAX) << 32 | chance(UINT32_MAX)) >> chance(64) : 0;
}

static ProtobufCBinaryData any_bytes(void)
{
    size_t size = chance(3) ? chance(chance(4) ? 20 : TEXT_BYTES) : 0;

    return (ProtobufCBinaryData){size, text};
}

static Goroutined__Value *any_value(struct plain_room *room)
{
    Goroutined__Value *value = &room->value;
    Goroutined__Message *message = &room->message;

    goroutined__value__init(value);
    goroutined__message__init(message);
    value->body = any_bytes();
    value->flags = (uint32_t)any_number();
    value->message = chance(2) ? message : NULL;
    message->topic = any_bytes();
    message->sequence = any_number();
    message->time_us = (int64_t)any_number() * (chance(2) ? 1 : -1);
    message->tries = (uint32_t)any_number();
    message->lost = any_number();
    message->key = any_bytes();
    message->of = any_number();
    return value;
}

static Goroutined__Outgoing any_outgoing(struct plain_room *room)
{
    Goroutined__Outgoing outgoing = GOROUTINED__OUTGOING__INIT;

    outgoing.value = chance(8) ? any_value(room) : NULL;
    outgoing.key = any_bytes();
    outgoing.once = any_bytes();
    return outgoing;
}

static struct bytes bytes_of(ProtobufCBinaryData in)
{
    return (struct bytes){in.data, in.len};
}

/* What stands in the schema's structs, as the frames of the project have it. */
static struct outgoing outgoing_of(const Goroutined__Outgoing *in, struct message *message)
{
    struct outgoing out = {.key = bytes_of(in->key), .once = bytes_of(in->once)};
    const Goroutined__Message *from = in->value ? in->value->message : NULL;

    if (in->value)
        out.value = (struct value){.body = bytes_of(in->value->body), .flags = in->value->flags};
    if (!from)
        return out;
    *message = (struct message){.topic = bytes_of(from->topic),
                                .sequence = from->sequence,
                                .time_us = from->time_us,
                                .tries = from->tries,
                                .lost = from->lost,
                                .key = bytes_of(from->key),
                                .of = from->of};
    out.value.message = message;
    return out;
}

static bool is_empty(const Goroutined__Value *value)
{
    return value && !value->body.len && !value->flags && !value->message;
}

/* What protobuf-c writes. */
static ProtobufCBinaryData packed(const void *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    ProtobufCBinaryData out = {size, malloc(size + 1)};

    assert_non_null(out.data);
    protobuf_c_message_pack(message, out.data);
    return out;
}

static void assert_same(ProtobufCBinaryData expected, const uint8_t *data, size_t size)
{
    assert_int_equal(size, expected.len);
    assert_memory_equal(data, expected.data, size);
}

static void test_a_plain_entry_is_written_as_protobuf_c_writes_it(void **state)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct plain_room memory;
        struct message message;
        Goroutined__Outgoing of_schema = any_outgoing(&memory);
        of_schema.value = is_empty(of_schema.value) ? NULL : of_schema.value;
        ProtobufCBinaryData expected = packed(&of_schema);
        struct outgoing outgoing = outgoing_of(&of_schema, &message);
        size_t room = plain_outgoing_room(&outgoing);
        uint8_t *to = malloc(room);
        assert_non_null(to);
        assert_same(expected, to, (size_t)(plain_write_outgoing(to, &outgoing) - to));
        assert_true(room >= expected.len);
        free(expected.data);
        free(to);
    }
}

/* Reads it by hand, from memory of just its size. What was read, as protobuf-c writes it; false: it is not plain. */
static bool read_and_pack(const uint8_t *data, size_t size, bool is_value, ProtobufCBinaryData *out)
{
    ProtobufCBinaryData in = {size, size ? malloc(size) : NULL};
    struct plain_room room;
    Goroutined__Value value;
    Goroutined__Outgoing outgoing;

    if (size)
        memcpy(in.data, data, size);
    bool plain = is_value ? plain_read_value(&in, &value, &room) : plain_read_outgoing(&in, &outgoing, &room);
    if (plain)
        *out = packed(is_value ? (void *)&value : &outgoing);
    free(in.data);
    return plain;
}

static void assert_read_alike(const uint8_t *data, size_t size, bool is_value, size_t *plain)
{
    const ProtobufCMessageDescriptor *kind =
        is_value ? &goroutined__value__descriptor : &goroutined__outgoing__descriptor;
    ProtobufCMessage *whole = protobuf_c_message_unpack(kind, NULL, size, data);
    ProtobufCBinaryData expected, got;

    if (read_and_pack(data, size, is_value, &got)) {
        assert_non_null(whole);
        expected = packed(whole);
        assert_same(expected, got.data, got.len);
        free(expected.data);
        free(got.data);
        ++*plain;
    }
    if (whole)
        protobuf_c_message_free_unpacked(whole, NULL);
}

static void test_what_is_read_by_hand_is_what_protobuf_c_reads(void **state)
{
    size_t plain = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct plain_room memory;
        bool is_value = chance(2);
        Goroutined__Outgoing outgoing = any_outgoing(&memory);
        ProtobufCBinaryData bytes = packed(is_value ? (void *)any_value(&memory) : &outgoing);
        assert_read_alike(bytes.data, bytes.len, is_value, &plain);
        free(bytes.data);
    }
    assert_int_equal(plain, ROUNDS);
}

static void test_wrong_bytes_are_never_read_as_something_else(void **state)
{
    size_t plain = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct plain_room memory;
        Goroutined__Outgoing outgoing = any_outgoing(&memory);
        ProtobufCBinaryData bytes = packed(&outgoing);
        for (uint64_t n = chance(3); n && bytes.len; n--)
            bytes.data[chance(bytes.len < 24 ? bytes.len : 24)] = (uint8_t)chance(256);
        assert_read_alike(bytes.data, bytes.len ? chance(bytes.len + 1) : 0, chance(4) == 0, &plain);
        free(bytes.data);
    }
    assert_true(plain > ROUNDS / 100 && plain < ROUNDS);
}

static void test_parts_handles_and_headers_are_not_plain(void **state)
{
    Goroutined__Passed passed = GOROUTINED__PASSED__INIT, *handles[] = {&passed};
    Goroutined__Header header = GOROUTINED__HEADER__INIT, *headers[] = {&header};
    Goroutined__Message message = GOROUTINED__MESSAGE__INIT;
    Goroutined__Value values[] = {GOROUTINED__VALUE__INIT, GOROUTINED__VALUE__INIT, GOROUTINED__VALUE__INIT};
    const struct message headed = {.headers_n = 1};
    const struct value parts[] = {{.body.size = PAYLOAD_FRAME_BYTES}, {.handles_n = 1}, {.message = &headed}};

    header.name = (ProtobufCBinaryData){3, text};
    message.headers = headers;
    message.n_headers = 1;
    values[0].part = 1;
    values[1].handles = handles;
    values[1].n_handles = 1;
    values[2].message = &message;
    for (int i = 0; i < 3; i++) {
        ProtobufCBinaryData bytes = packed(&values[i]), unused;
        assert_int_equal(plain_value_room(&parts[i]), 0);
        assert_int_equal(plain_outgoing_room(&(struct outgoing){.value = parts[i]}), 0);
        assert_false(read_and_pack(bytes.data, bytes.len, true, &unused));
        free(bytes.data);
    }
    assert_int_equal(plain_outgoing_room(&(struct outgoing){.headers_n = 1}), 0);
}

/* Two messages in one value are one with the fields of both, which is not for a hand that is quick. */
static void test_a_message_said_twice_is_left_to_protobuf_c(void **state)
{
    const uint8_t twice[] = {0x2a, 2, 0x10, 7, 0x2a, 2, 0x28, 9};
    ProtobufCBinaryData unused;

    assert_false(read_and_pack(twice, sizeof twice, true, &unused));
    assert_true(read_and_pack(twice, sizeof twice / 2, true, &unused));
    free(unused.data);
}

/* ---- in frames ---- */

static struct bytes encoded(struct wire *wire, const struct client_frame *client,
                            const struct server_frame *server)
{
    struct wire_message message;

    assert_int_equal(
        client ? wire_encode_client(wire, client, &message) : wire_encode_server(wire, server, &message), 0);
    void *head = malloc(message.head_bytes);
    assert_non_null(head);
    wire_pack(&message, head);
    return (struct bytes){head, message.head_bytes};
}

static struct wire *new_wire(void)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    struct wire *wire = wire_new(&bounds);

    assert_non_null(wire);
    return wire;
}

static void assert_bytes(struct bytes expected, struct bytes got)
{
    assert_int_equal(expected.size, got.size);
    if (got.size)
        assert_memory_equal(expected.data, got.data, got.size);
}

static void assert_message(const struct message *expected, const struct message *got)
{
    assert_int_equal(!expected, !got);
    if (!expected)
        return;
    assert_bytes(expected->topic, got->topic);
    assert_bytes(expected->key, got->key);
    assert_true(expected->sequence == got->sequence && expected->time_us == got->time_us);
    assert_true(expected->tries == got->tries && expected->lost == got->lost && expected->of == got->of);
    assert_int_equal(got->headers_n, 0);
}

static void test_plain_values_and_messages_arrive(void **state)
{
    const struct message messages[] = {
        {.topic = {"a.b", 3}, .time_us = -1, .lost = 300, .key = {"k", 1}},
        {.topic = {"a", 1}, .sequence = UINT64_MAX, .tries = UINT32_MAX, .of = 1}};
    const struct value values[] = {{.body = {"one", 3}},
                                   {.flags = 0},
                                   {.body = {"two", 3}, .message = &messages[0]},
                                   {.flags = VALUE_RETURNED, .message = &messages[1]}};
    const struct result result = {.op = 1, .status = 4, .values = values, .values_n = 4};
    const struct server_frame frame = {.number = 1, .results = &result, .results_n = 1}, *got;
    struct wire *wire = new_wire();
    struct bytes head = encoded(wire, NULL, &frame);
    const char *why;

    assert_int_equal(wire_decode_server(wire, &head, 1, &got, &why), 0);
    assert_int_equal(got->results[0].values_n, 4);
    for (int i = 0; i < 4; i++) {
        assert_bytes(values[i].body, got->results[0].values[i].body);
        assert_int_equal(got->results[0].values[i].flags, values[i].flags);
        assert_message(values[i].message, got->results[0].values[i].message);
    }
    free((void *)head.data);
    wire_delete(wire);
}

static void test_plain_messages_to_be_published_arrive(void **state)
{
    const struct outgoing messages[] = {{.value = {.body = {"one", 3}}}, {.key = {"k", 1}, .once = {"o", 1}}};
    struct request request = {.verb = VERB_PUBLISH, .publish = {.topic = {"a", 1}, .messages = messages, 2}};
    const struct client_frame frame = {.number = 1, .requests = &request, .requests_n = 1}, *got;
    struct wire *wire = new_wire();
    struct bytes head = encoded(wire, &frame, NULL);
    const char *why;

    assert_int_equal(wire_decode_client(wire, &head, 1, &got, &why), 0);
    assert_int_equal(got->requests[0].fault, 0);
    assert_int_equal(got->requests[0].publish.messages_n, 2);
    for (int i = 0; i < 2; i++) {
        const struct outgoing *message = &got->requests[0].publish.messages[i];
        assert_bytes(messages[i].value.body, message->value.body);
        assert_bytes(messages[i].key, message->key);
        assert_bytes(messages[i].once, message->once);
    }
    free((void *)head.data);
    wire_delete(wire);
}

static void test_an_entry_that_is_none_refuses_the_frame(void **state)
{
    const struct value value = {.body = {"one", 3}};
    const struct result result = {.op = 1, .values = &value, .values_n = 1};
    const struct server_frame frame = {.number = 1, .results = &result, .results_n = 1}, *got;
    struct wire *wire = new_wire();
    struct bytes head = encoded(wire, NULL, &frame);
    uint8_t *body = memmem(head.data, head.size, "one", 3);
    const char *why;

    assert_non_null(body);
    body[-1] = 4; /* one byte more than there are */
    assert_int_equal(wire_decode_server(wire, &head, 1, &got, &why), -EBADMSG);
    assert_string_equal(why, "an entry of 5 bytes is not a Value");
    free((void *)head.data);
    wire_delete(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_entry_is_written_as_protobuf_c_writes_it),
        cmocka_unit_test(test_what_is_read_by_hand_is_what_protobuf_c_reads),
        cmocka_unit_test(test_wrong_bytes_are_never_read_as_something_else),
        cmocka_unit_test(test_parts_handles_and_headers_are_not_plain),
        cmocka_unit_test(test_a_message_said_twice_is_left_to_protobuf_c),
        cmocka_unit_test(test_plain_values_and_messages_arrive),
        cmocka_unit_test(test_plain_messages_to_be_published_arrive),
        cmocka_unit_test(test_an_entry_that_is_none_refuses_the_frame),
    };

    memset(text, 'x', sizeof text);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
