/* The codec: every field both ways, and nothing that a stranger can write does harm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "goroutined.pb-c.h"
#include "status.h"
#include "wire_fill.h"

enum { PARTS = 64 };

/* A message as a transport holds it: each part in memory of its own, so that a read past its end is seen. */
struct packed {
    struct bytes parts[PARTS];
    size_t n;
};

static struct wire *wire;
static struct filler filler;

static int set_up(void **state)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;

    wire = wire_new(&bounds);
    filler = (struct filler){0};
    return wire ? 0 : -1;
}

static int tear_down(void **state)
{
    wire = wire_delete(wire);
    filler_clear(&filler);
    return 0;
}

static struct bytes copy_exact(const void *data, size_t size)
{
    void *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    if (size)
        memcpy(copy, data, size);
    return (struct bytes){copy, size};
}

static struct packed pack(const struct wire_message *message)
{
    struct packed packed = {.n = 1 + message->bodies_n};
    void *head = malloc(message->head_bytes + 1);

    assert_non_null(head);
    assert_in_range(packed.n, 1, PARTS);
    wire_pack(message, head);
    packed.parts[0] = copy_exact(head, message->head_bytes);
    for (size_t i = 0; i < message->bodies_n; i++)
        packed.parts[i + 1] = copy_exact(message->bodies[i].data, message->bodies[i].size);
    free(head);
    wire_reset(wire);
    return packed;
}

static void packed_free(struct packed *packed)
{
    for (size_t i = 0; i < packed->n; i++)
        free((void *)packed->parts[i].data);
    packed->n = 0;
}

static struct packed pack_client(const struct client_frame *frame)
{
    struct wire_message message;

    assert_int_equal(wire_encode_client(wire, frame, &message), 0);
    return pack(&message);
}

static struct packed pack_server(const struct server_frame *frame)
{
    struct wire_message message;

    assert_int_equal(wire_encode_server(wire, frame, &message), 0);
    return pack(&message);
}

/* A frame with one operation of each verb. */
static struct client_frame every_verb(void)
{
    struct client_frame frame;
    struct request *requests = filler_take(&filler, VERBS_N * sizeof(*requests));

    fill_client_frame(&filler, &frame);
    for (int i = 0; i < VERBS_N; i++) {
        requests[i] = (struct request){.id = 1000 + (uint64_t)i, .verb = verb_numbers[i]};
        fill_verb(&filler, &requests[i]);
    }
    frame.requests = requests;
    frame.requests_n = VERBS_N;
    return frame;
}

static const struct client_frame *decoded(const struct packed *packed)
{
    const struct client_frame *frame;
    const char *why = NULL;

    int r = wire_decode_client(wire, packed->parts, packed->n, &frame, &why);
    if (r)
        fail_msg("%d: %s", r, why);
    assert_null(why);
    return frame;
}

static void test_every_field_a_client_writes_arrives(void **state)
{
    struct client_frame frame = every_verb();
    struct packed packed = pack_client(&frame);

    assert_true(packed.n > 1);
    same_client_frame(&frame, decoded(&packed));
    packed_free(&packed);
}

static void test_every_field_of_a_resume_arrives(void **state)
{
    struct client_frame frame = {.version = 1, .number = 1, .resume = fill_each_resume(&filler, 1)};
    struct packed packed = pack_client(&frame);

    same_client_frame(&frame, decoded(&packed));
    packed_free(&packed);
}

static void test_every_field_the_daemon_writes_arrives(void **state)
{
    struct server_frame frame;
    const struct server_frame *got;
    const char *why;

    fill_server_frame(&filler, &frame);
    struct packed packed = pack_server(&frame);
    assert_int_equal(wire_decode_server(wire, packed.parts, packed.n, &got, &why), 0);
    same_server_frame(&frame, got);
    packed_free(&packed);
}

static void test_an_empty_frame_arrives_empty(void **state)
{
    struct client_frame frame = {0};
    struct packed packed = pack_client(&frame);

    assert_int_equal(packed.parts[0].size, 0);
    same_client_frame(&frame, decoded(&packed));
    packed_free(&packed);
}

/* ---- rows and schema ---- */

#define COUNT(kind, f, bound) +ONE_OF_##kind

static void test_rows_are_as_many_as_the_fields_of_the_schema(void **state)
{
#define COUNT_MESSAGE(NAME, name, ctype, schema)                                                             \
    assert_int_equal(goroutined__##name##__descriptor.n_fields, 0 NAME##_FIELDS(COUNT));
    MESSAGES(COUNT_MESSAGE)
#define COUNT_VERB(NAME, name, number, flags, help)                                                          \
    assert_int_equal(protobuf_c_message_descriptor_get_field(&goroutined__op__descriptor, number)->id,       \
                     number);                                                                                \
    assert_int_equal(((const ProtobufCMessageDescriptor *)protobuf_c_message_descriptor_get_field(           \
                          &goroutined__op__descriptor, number)                                               \
                          ->descriptor)                                                                      \
                         ->n_fields,                                                                         \
                     0 REQUEST_##NAME(COUNT));
    VERBS(COUNT_VERB)
    assert_int_equal(goroutined__client_frame__descriptor.n_fields, 0 CLIENT_FRAME_FIELDS(COUNT));
    assert_int_equal(goroutined__server_frame__descriptor.n_fields, 0 SERVER_FRAME_FIELDS(COUNT));
    assert_int_equal(goroutined__op__descriptor.n_fields, 6 + VERBS_N);
}

/* A member of message.h that no row names would be lost on its way. Only gcc can blank out padding. */
#if __has_builtin(__builtin_clear_padding)
#define ZERO(kind, f, bound) ZERO_##kind(f)
#define ZERO_NUM(f)          memset(&all.f, 0, sizeof(all.f));
#define ZERO_RANGE           ZERO_NUM
#define ZERO_ENUM            ZERO_NUM
#define ZERO_FLAGS           ZERO_NUM
#define ZERO_NAME            ZERO_NUM
#define ZERO_TEXT            ZERO_NUM
#define ZERO_SECRET          ZERO_NUM
#define ZERO_BODY            ZERO_NUM
#define ZERO_VALUE           ZERO_NUM
#define ZERO_STATUS          ZERO_NUM
#define ZERO_OUTCOME         ZERO_NUM
#define ZERO_ONE             ZERO_NUM
#define ZERO_NUMS(f)         ZERO_NUM(f) ZERO_NUM(f##_n)
#define ZERO_MANY            ZERO_NUMS
#define ZERO_SOME            ZERO_NUMS
#define ZERO_RAWS            ZERO_NUMS
#define ASSERT_COVERED(ctype, rows)                                                                          \
    {                                                                                                        \
        ctype all, zero;                                                                                     \
        memset(&zero, 0, sizeof(zero));                                                                      \
        memset(&all, 0xaa, sizeof(all));                                                                     \
        rows(ZERO) __builtin_clear_padding(&all);                                                            \
        assert_memory_equal(&all, &zero, sizeof(all));                                                       \
    }
#define MESSAGE_COVERED(NAME, name, ctype, schema)    ASSERT_COVERED(ctype, NAME##_FIELDS)
#define VERB_COVERED(NAME, name, number, flags, help) ASSERT_COVERED(struct request_##name, REQUEST_##NAME)

static void test_rows_name_every_member(void **state)
{
    MESSAGES(MESSAGE_COVERED)
    VERBS(VERB_COVERED)
    ASSERT_COVERED(struct client_frame, CLIENT_FRAME_FIELDS)
    ASSERT_COVERED(struct server_frame, SERVER_FRAME_FIELDS)
}
#else
static void test_rows_name_every_member(void **state)
{
    skip();
}
#endif

static void test_every_status_has_one_error_and_back(void **state)
{
    for (unsigned i = 0; i < goroutined__status__descriptor.n_values; i++) {
        int status = goroutined__status__descriptor.values[i].value;
        int32_t error = status_to_error(status);
        assert_int_equal(status_of_error(error), status);
        assert_int_equal(!error, !status);
    }
    assert_int_equal(status_of_error(-EDOM), GOROUTINED__STATUS__OTHER);
    assert_int_equal(status_of_error(INT32_MIN), GOROUTINED__STATUS__OTHER);
    assert_int_equal(status_to_error(9999), -EREMOTEIO);
}

/* ---- bytes of strangers ---- */

static int decode_bytes(const void *data, size_t size, const char **why)
{
    const struct client_frame *frame;
    struct bytes part = copy_exact(data, size);
    int r = wire_decode_client(wire, &part, 1, &frame, why);

    free((void *)part.data);
    return r;
}

static void test_every_truncation_is_refused_or_a_frame(void **state)
{
    struct client_frame frame = every_verb();
    struct packed packed = pack_client(&frame);
    size_t whole = packed.parts[0].size, refused = 0;

    for (size_t size = 0; size < whole; size++) {
        const char *why = NULL;
        int r = decode_bytes(packed.parts[0].data, size, &why);
        assert_true(!r == !why);
        refused += r != 0;
        wire_reset(wire);
    }
    assert_true(refused > whole / 2);
    packed_free(&packed);
}

static void test_every_flipped_byte_is_refused_or_a_frame(void **state)
{
    struct client_frame frame = every_verb();
    struct packed packed = pack_client(&frame);
    uint8_t *head = (uint8_t *)packed.parts[0].data;

    for (size_t i = 0; i < packed.parts[0].size; i++)
        for (int bit = 0; bit < 8; bit++) {
            const struct client_frame *got;
            const char *why = NULL;
            head[i] ^= 1 << bit;
            assert_true(!wire_decode_client(wire, packed.parts, packed.n, &got, &why) == !why);
            head[i] ^= 1 << bit;
            wire_reset(wire);
        }
    packed_free(&packed);
}

static void test_garbage_is_refused_in_words(void **state)
{
    const char *why = NULL;

    assert_int_equal(decode_bytes("\xff\xff\xff\xff", 4, &why), -EBADMSG);
    assert_string_equal(why, "the first part (4 bytes) is not a ClientFrame");
}

static void test_a_message_without_parts_is_refused(void **state)
{
    const struct client_frame *frame;
    const char *why;

    assert_int_equal(wire_decode_client(wire, NULL, 0, &frame, &why), -EBADMSG);
    assert_string_equal(why, "the message has no part");
}

static void test_unknown_fields_are_ignored(void **state)
{
    struct client_frame frame = {.version = 1, .number = 7};
    struct packed packed = pack_client(&frame);
    char longer[64];
    size_t size = packed.parts[0].size;

    memcpy(longer, packed.parts[0].data, size);
    memcpy(longer + size, "\xfa\x3f\x03new", 6); /* field 1023, three bytes */
    packed_free(&packed);
    packed.parts[packed.n++] = copy_exact(longer, size + 6);
    same_client_frame(&frame, decoded(&packed));
    packed_free(&packed);
}

static void test_an_unknown_verb_fails_alone_and_is_named(void **state)
{
    /* requests: { id: 5, field 95: {} }, { id: 6, ping: {} } */
    const char head[] = "\x52\x05\x08\x05\xfa\x05\x00\x52\x05\x08\x06\x82\x03\x00";
    const struct client_frame *frame;
    struct bytes part = {head, sizeof(head) - 1};
    const char *why;

    assert_int_equal(wire_decode_client(wire, &part, 1, &frame, &why), 0);
    assert_int_equal(frame->requests_n, 2);
    assert_int_equal(frame->requests[0].verb, VERB_NONE);
    assert_int_equal(frame->requests[0].fault, -EOPNOTSUPP);
    assert_memory_equal(frame->requests[0].fault_text.data, "verb 95 is not known", 20);
    assert_int_equal(frame->requests[1].verb, VERB_PING);
}

/* ---- bounds ---- */

static struct request open_name(struct bytes name)
{
    return (struct request){.id = 1, .verb = VERB_CHAN_OPEN, .chan_open = {.name = name}};
}

/* The fault that decoding `request` finds; 0 for none. */
static int fault_of(const struct request *request, const char *words)
{
    struct client_frame frame = {.version = 1, .requests = request, .requests_n = 1};
    struct packed packed = pack_client(&frame);
    const struct request *got = decoded(&packed)->requests;
    int fault = got->fault;

    assert_int_equal(got->verb, fault ? VERB_NONE : request->verb);
    if (words)
        assert_non_null(memmem(got->fault_text.data, got->fault_text.size, words, strlen(words)));
    packed_free(&packed);
    wire_reset(wire);
    return fault;
}

static void test_names_have_255_bytes_of_their_alphabet(void **state)
{
    char longest[NAME_BYTES_MAX + 1];
    struct request request;

    memset(longest, 'x', sizeof(longest));
    request = open_name((struct bytes){longest, NAME_BYTES_MAX});
    assert_int_equal(fault_of(&request, NULL), 0);
    request = open_name((struct bytes){longest, NAME_BYTES_MAX + 1});
    assert_int_equal(fault_of(&request, "name has 256 bytes; at most 255"), -E2BIG);
    request = open_name((struct bytes){"a b", 3});
    assert_int_equal(fault_of(&request, "byte 0x20 at 1"), -EINVAL);
    request = open_name((struct bytes){"a\0b", 3});
    assert_int_equal(fault_of(&request, "byte 0x00 at 1"), -EINVAL);
    request = open_name((struct bytes){"aZ09_.:/-", 9});
    assert_int_equal(fault_of(&request, NULL), 0);
}

static void test_IP6_1_a_vector_has_1_to_1024_values(void **state)
{
    struct value *values = filler_take(&filler, (VALUES_MAX + 1) * sizeof(*values));
    struct request request = {.id = 1, .verb = VERB_SEND, .send = {1, values, VALUES_MAX}};

    assert_int_equal(fault_of(&request, NULL), 0);
    request.send.values_n = VALUES_MAX + 1;
    assert_int_equal(fault_of(&request, "values has 1025 entries"), -E2BIG);
    request.send.values_n = 0;
    assert_int_equal(fault_of(&request, "values has 0 entries"), -EINVAL);
    request = (struct request){.id = 1, .verb = VERB_RECV, .recv = {1, 0}};
    assert_int_equal(fault_of(&request, "max is 0; it must be 1 to 1024"), -EINVAL);
    request.recv.max = VALUES_MAX + 1;
    assert_int_equal(fault_of(&request, "max is 1025"), -EINVAL);
}

static void test_a_context_binds_64_values_at_most(void **state)
{
    struct ctx_value *values = filler_take(&filler, (CTX_VALUES_MAX + 1) * sizeof(*values));
    struct request request = {
        .id = 1, .verb = VERB_CTX_NEW, .ctx_new = {.values = values, .values_n = CTX_VALUES_MAX}};

    for (int i = 0; i <= CTX_VALUES_MAX; i++)
        values[i] = (struct ctx_value){.name = {"n", 1}};
    assert_int_equal(fault_of(&request, NULL), 0);
    request.ctx_new.values_n = CTX_VALUES_MAX + 1;
    assert_int_equal(fault_of(&request, "values has 65 entries"), -E2BIG);
}

static void test_paths_and_lists_of_names_have_an_end(void **state)
{
    char *path = memset(filler_take(&filler, WIRE_PLUGIN_BYTES_MAX + 1), 'p', WIRE_PLUGIN_BYTES_MAX + 1);
    struct request request = {.id = 1, .verb = VERB_SUBMIT, .submit.plugin = {path, WIRE_PLUGIN_BYTES_MAX}};

    request.submit.function = (struct bytes){"f", 1};
    assert_int_equal(fault_of(&request, NULL), 0);
    request.submit.plugin.size++;
    assert_int_equal(fault_of(&request, "plugin has 4097 bytes; at most 4096"), -E2BIG);
    path = filler_take(&filler, WORK_NAMES_BYTES_MAX + 1);
    request = (struct request){.id = 1, .verb = VERB_WORK_RESERVE, .work_reserve.queues = {path, 16385}};
    assert_int_equal(fault_of(&request, "queues has 16385 bytes; at most 16384"), -E2BIG);
}

/* Of a frame, not of an operation: the whole of it is refused. */
static int cancels_of(size_t n, const char **why)
{
    uint64_t *ids = calloc(n, sizeof(*ids));
    struct client_frame frame = {.version = 1, .cancels = ids, .cancels_n = n};
    struct packed packed = pack_client(&frame);
    const struct client_frame *got;
    int r = wire_decode_client(wire, packed.parts, packed.n, &got, why);

    packed_free(&packed);
    free(ids);
    return r;
}

static void test_a_frame_has_65536_cancels_at_most(void **state)
{
    const char *why = NULL;

    assert_int_equal(cancels_of(WIRE_ACKS_MAX, &why), 0);
    wire_reset(wire);
    assert_true(cancels_of(WIRE_ACKS_MAX + 1, &why) < 0);
    assert_non_null(strstr(why, "cancels has 65537 entries"));
    wire_reset(wire);
}

static void test_enums_and_flags_outside_their_range_fail_their_operation(void **state)
{
    struct request request = open_name((struct bytes){"a", 1});
    struct value flagged = {.body = {"v", 1}, .flags = VALUE_RETURNED};

    request.chan_open.flags = OPEN_FLAGS_ALL + 1;
    assert_int_equal(fault_of(&request, "flags has bits 0x40"), -EINVAL);
    request.chan_open.flags = 0;
    request.chan_open.full = FULL_DROP_NEWEST + 1;
    assert_int_equal(fault_of(&request, "full is 3; it must be 0 to 2"), -EINVAL);
    request.chan_open.full = 0;
    request.until.kind = UNTIL_IN + 1;
    assert_int_equal(fault_of(&request, "until is 4"), -EINVAL);
    request = (struct request){.id = 1, .verb = VERB_SEND, .send = {1, &flagged, 1}};
    assert_int_equal(fault_of(&request, "only the daemon sets them"), -EINVAL);
}

static void test_more_operations_than_allowed_refuse_the_frame(void **state)
{
    const struct wire_bounds two = {.ops_max = 2, .memory_max = 1 << 20};
    struct wire *narrow = wire_new(&two);
    struct request requests[3] = {
        {.id = 1, .verb = VERB_PING}, {.id = 2, .verb = VERB_PING}, {.id = 3, .verb = VERB_PING}};
    struct client_frame frame = {.requests = requests, .requests_n = 3};
    struct packed packed = pack_client(&frame);
    const struct client_frame *got;
    const char *why;

    assert_int_equal(wire_decode_client(narrow, packed.parts, packed.n, &got, &why), -E2BIG);
    assert_string_equal(why, "the frame has 3 operations; at most 2 are allowed");
    packed_free(&packed);
    frame.requests_n = 2;
    packed = pack_client(&frame);
    assert_int_equal(wire_decode_client(narrow, packed.parts, packed.n, &got, &why), 0);
    packed_free(&packed);
    wire_delete(narrow);
}

static void test_a_frame_that_unfolds_beyond_the_memory_is_refused(void **state)
{
    const struct wire_bounds small = {.ops_max = 4096, .memory_max = 4096};
    struct wire *narrow = wire_new(&small);
    struct ack acks[200] = {{0}};
    struct client_frame frame = {.acks = acks, .acks_n = 200};
    struct packed packed = pack_client(&frame);
    const struct client_frame *got;
    const char *why;

    assert_true(packed.parts[0].size < 1024);
    assert_int_equal(wire_decode_client(narrow, packed.parts, packed.n, &got, &why), -E2BIG);
    packed_free(&packed);
    wire_delete(narrow);
}

static void test_a_fault_before_the_operations_refuses_the_frame(void **state)
{
    char long_name[256];
    struct hello hello = {.program = {long_name, sizeof(long_name)}};
    struct request ping = {.id = 1, .verb = VERB_PING};
    struct client_frame frame = {.hello = &hello, .requests = &ping, .requests_n = 1};
    const struct client_frame *got;
    const char *why;

    memset(long_name, 'x', sizeof(long_name));
    struct packed packed = pack_client(&frame);
    assert_int_equal(wire_decode_client(wire, packed.parts, packed.n, &got, &why), -EBADMSG);
    assert_string_equal(why, "program has 256 bytes; at most 255 are allowed");
    packed_free(&packed);
}

static void test_hello_and_resume_in_one_frame_are_refused(void **state)
{
    struct hello hello = {0};
    struct resume resume = {{{0}}};
    struct client_frame frame = {.hello = &hello, .resume = &resume};
    struct packed packed = pack_client(&frame);
    const struct client_frame *got;
    const char *why;

    assert_int_equal(wire_decode_client(wire, packed.parts, packed.n, &got, &why), -EBADMSG);
    packed_free(&packed);
}

/* ---- parts ---- */

static int decode_parts(const char *head, size_t head_bytes, size_t parts_n, const char **why)
{
    struct bytes parts[] = {{head, head_bytes}, {"one", 3}, {"two", 3}};
    const struct client_frame *frame;
    int r = wire_decode_client(wire, parts, 1 + parts_n, &frame, why);

    if (!r)
        same_bytes(frame->requests[0].send.values[0].body, parts[1]);
    return r;
}

/* requests: { send: { values: { part: 1 }, values: { part: N } } } */
#define SEND_PARTS(N) "\x52\x0b\x9a\x01\x08\x12\x02\x10\x01\x12\x02\x10" N

static void test_each_part_belongs_to_exactly_one_value(void **state)
{
    const char *why;

    assert_int_equal(decode_parts(SEND_PARTS("\x02"), 13, 2, &why), 0);
    assert_int_equal(decode_parts(SEND_PARTS("\x01"), 13, 2, &why), -EBADMSG);
    assert_string_equal(why, "part 1 is said to be more than one value");
    assert_int_equal(decode_parts(SEND_PARTS("\x03"), 13, 2, &why), -EBADMSG);
    assert_string_equal(why, "a value is said to be part 3 of a message with 2");
    assert_int_equal(decode_parts("", 0, 2, &why), -EBADMSG);
    assert_string_equal(why, "2 of 2 parts belong to no value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_a_client_writes_arrives),
        cmocka_unit_test(test_every_field_of_a_resume_arrives),
        cmocka_unit_test(test_every_field_the_daemon_writes_arrives),
        cmocka_unit_test(test_an_empty_frame_arrives_empty),
        cmocka_unit_test(test_rows_are_as_many_as_the_fields_of_the_schema),
        cmocka_unit_test(test_rows_name_every_member),
        cmocka_unit_test(test_every_status_has_one_error_and_back),
        cmocka_unit_test(test_every_truncation_is_refused_or_a_frame),
        cmocka_unit_test(test_every_flipped_byte_is_refused_or_a_frame),
        cmocka_unit_test(test_garbage_is_refused_in_words),
        cmocka_unit_test(test_a_message_without_parts_is_refused),
        cmocka_unit_test(test_unknown_fields_are_ignored),
        cmocka_unit_test(test_an_unknown_verb_fails_alone_and_is_named),
        cmocka_unit_test(test_names_have_255_bytes_of_their_alphabet),
        cmocka_unit_test(test_IP6_1_a_vector_has_1_to_1024_values),
        cmocka_unit_test(test_a_context_binds_64_values_at_most),
        cmocka_unit_test(test_paths_and_lists_of_names_have_an_end),
        cmocka_unit_test(test_a_frame_has_65536_cancels_at_most),
        cmocka_unit_test(test_enums_and_flags_outside_their_range_fail_their_operation),
        cmocka_unit_test(test_more_operations_than_allowed_refuse_the_frame),
        cmocka_unit_test(test_a_frame_that_unfolds_beyond_the_memory_is_refused),
        cmocka_unit_test(test_a_fault_before_the_operations_refuses_the_frame),
        cmocka_unit_test(test_hello_and_resume_in_one_frame_are_refused),
        cmocka_unit_test(test_each_part_belongs_to_exactly_one_value),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
