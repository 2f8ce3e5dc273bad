/* From effects to frames: order, numbers, and where a frame ends. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "outbox.h"

enum { SENT_MAX = 64, EFFECTS_MAX = 1024 };

/* What a frame said, as far as these tests look. */
struct sent {
    struct outbox_lane *lane;
    uint64_t number, first, last; /* operations of its first and last result */
    size_t results_n;
    bool welcome;
};

struct rig {
    struct outbox outbox;
    struct wire *wire, *reader;
    struct effects home, asked;
    struct effect effects[EFFECTS_MAX];
    struct result results[EFFECTS_MAX];
    size_t effects_n;
    struct sent sent[SENT_MAX];
    size_t sent_n;
    int fails_after; /* frames that are taken before the connection fails; -1: never */
};

static int take_frame(void *context, struct outbox_lane *lane, const struct server_frame *head,
                      const struct wire_message *message)
{
    struct rig *rig = context;
    void *bytes = malloc(message->head_bytes + 1);
    struct bytes part = {bytes, message->head_bytes};
    const struct server_frame *frame;
    const char *why;

    if (rig->fails_after >= 0 && rig->fails_after-- == 0) {
        free(bytes);
        return -EHOSTUNREACH;
    }
    wire_pack(message, bytes);
    assert_int_equal(wire_decode_server(rig->reader, &part, 1, &frame, &why), 0);
    assert_int_equal(frame->number, head->number);
    struct sent *sent = &rig->sent[rig->sent_n++];
    *sent = (struct sent){lane, frame->number, 0, 0, frame->results_n, frame->welcome != NULL};
    if (frame->results_n) {
        sent->first = frame->results[0].op;
        sent->last = frame->results[frame->results_n - 1].op;
    }
    wire_reset(rig->reader);
    free(bytes);
    return 0;
}

static int set_up(void **state)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    struct rig *rig = calloc(1, sizeof(*rig));

    rig->wire = wire_new(&bounds);
    rig->reader = wire_new(&bounds);
    rig->fails_after = -1;
    outbox_init(&rig->outbox, rig->wire, take_frame, rig);
    list_init(&rig->home.list);
    list_init(&rig->asked.list);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    wire_delete(rig->wire);
    wire_delete(rig->reader);
    free(rig);
    return 0;
}

static struct effect *new_effect(struct rig *rig, enum effect_kind kind)
{
    struct effect *effect = &rig->effects[rig->effects_n++];

    effect->kind = kind;
    list_init(&effect->link);
    list_append(&rig->asked.list, &effect->link);
    return effect;
}

static void add_result(struct rig *rig, struct outbox_lane *lane, struct result result)
{
    struct effect *effect = new_effect(rig, EFFECT_RESULT);

    rig->results[rig->effects_n] = result;
    effect->result = &rig->results[rig->effects_n];
    outbox_add(&rig->outbox, lane, effect);
}

static void add_reply(struct rig *rig, struct outbox_lane *lane, const struct server_frame *reply)
{
    struct effect *effect = new_effect(rig, EFFECT_REPLY);

    effect->reply = reply;
    outbox_add(&rig->outbox, lane, effect);
}

/* Writes, and checks that every effect came home. */
static void write_all(struct rig *rig)
{
    size_t home = 0;
    struct effect *effect;

    outbox_write(&rig->outbox, &rig->home);
    assert_true(list_empty(&rig->asked.list));
    assert_true(list_empty(&rig->outbox.ready));
    list_each (effect, &rig->home.list, link)
        home++;
    assert_int_equal(home, rig->effects_n);
}

static void test_results_of_a_turn_share_a_frame(void **state)
{
    struct rig *rig = *state;
    struct outbox_lane lane;

    outbox_lane_init(&lane);
    for (uint64_t op = 1; op <= 10; op++)
        add_result(rig, &lane, (struct result){.op = op});
    write_all(rig);
    assert_int_equal(rig->sent_n, 1);
    assert_int_equal(rig->sent[0].number, 1);
    assert_int_equal(rig->sent[0].results_n, 10);
    assert_int_equal(rig->sent[0].first, 1);
    assert_int_equal(rig->sent[0].last, 10);
}

static void test_each_connection_counts_its_own_frames(void **state)
{
    struct rig *rig = *state;
    struct outbox_lane a, b;

    outbox_lane_init(&a);
    outbox_lane_init(&b);
    add_result(rig, &a, (struct result){.op = 1});
    write_all(rig);
    add_result(rig, &b, (struct result){.op = 2});
    add_result(rig, &a, (struct result){.op = 3});
    write_all(rig);
    assert_int_equal(rig->sent_n, 3);
    assert_ptr_equal(rig->sent[1].lane, &b);
    assert_int_equal(rig->sent[1].number, 1);
    assert_ptr_equal(rig->sent[2].lane, &a);
    assert_int_equal(rig->sent[2].number, 2);
}

static void test_a_frame_ends_at_256_results(void **state)
{
    struct rig *rig = *state;
    struct outbox_lane lane;

    outbox_lane_init(&lane);
    for (uint64_t op = 1; op <= OUTBOX_RESULTS + 1; op++)
        add_result(rig, &lane, (struct result){.op = op});
    write_all(rig);
    assert_int_equal(rig->sent_n, 2);
    assert_int_equal(rig->sent[0].results_n, OUTBOX_RESULTS);
    assert_int_equal(rig->sent[1].first, OUTBOX_RESULTS + 1);
}

static void test_a_frame_ends_at_64_kib(void **state)
{
    static char text[PAYLOAD_FRAME_BYTES - 1];
    struct rig *rig = *state;
    struct outbox_lane lane;

    outbox_lane_init(&lane);
    for (uint64_t op = 1; op <= 16; op++)
        add_result(rig, &lane, (struct result){.op = op, .output = {text, sizeof(text)}});
    write_all(rig);
    assert_in_range(rig->sent_n, 2, 3);
    assert_int_equal(rig->sent[0].first, 1);
    assert_int_equal(rig->sent[rig->sent_n - 1].last, 16);
}

static void test_a_result_larger_than_a_frame_goes_alone(void **state)
{
    static struct value values[VALUES_MAX];
    struct rig *rig = *state;
    struct outbox_lane lane;

    outbox_lane_init(&lane);
    for (uint64_t op = 1; op <= 4; op++)
        add_result(rig, &lane, (struct result){.op = op, .values = values, .values_n = VALUES_MAX});
    write_all(rig);
    assert_int_equal(rig->sent_n, 2);
    assert_int_equal(rig->sent[0].results_n, OUTBOX_VALUES / VALUES_MAX);
}

static void test_IP7_a_welcome_begins_the_count_anew(void **state)
{
    struct rig *rig = *state;
    const struct welcome welcome = {.incarnation = 7};
    const struct server_frame reply = {.welcome = &welcome}, refusal = {.need_resume = true};
    struct outbox_lane lane;

    outbox_lane_init(&lane);
    add_result(rig, &lane, (struct result){.op = 1});
    add_reply(rig, &lane, &refusal);
    add_reply(rig, &lane, &reply);
    add_result(rig, &lane, (struct result){.op = 2});
    write_all(rig);
    assert_int_equal(rig->sent_n, 3);
    assert_int_equal(rig->sent[1].number, 2);
    assert_false(rig->sent[1].welcome);
    assert_int_equal(rig->sent[2].number, 1);
    assert_true(rig->sent[2].welcome);
    assert_int_equal(rig->sent[2].first, 2);
}

static void test_what_a_lost_connection_did_not_take_comes_home(void **state)
{
    struct rig *rig = *state;
    struct outbox_lane lost, other;

    outbox_lane_init(&lost);
    outbox_lane_init(&other);
    rig->fails_after = 0;
    for (uint64_t op = 1; op <= OUTBOX_RESULTS + 1; op++)
        add_result(rig, &lost, (struct result){.op = op});
    add_result(rig, &other, (struct result){.op = 9});
    write_all(rig);
    assert_int_equal(rig->sent_n, 1);
    assert_ptr_equal(rig->sent[0].lane, &other);
}

static void test_a_cleared_lane_writes_nothing(void **state)
{
    struct rig *rig = *state;
    struct outbox_lane lane;

    outbox_lane_init(&lane);
    add_result(rig, &lane, (struct result){.op = 1});
    outbox_lane_clear(&lane, &rig->home);
    write_all(rig);
    assert_int_equal(rig->sent_n, 0);
}

static void test_a_frame_said_without_effect_is_counted(void **state)
{
    struct rig *rig = *state;
    struct outbox_lane lane;

    outbox_lane_init(&lane);
    assert_int_equal(outbox_say(&rig->outbox, &lane, (struct server_frame){.refused = -EBADMSG}), 0);
    add_result(rig, &lane, (struct result){.op = 1});
    write_all(rig);
    assert_int_equal(rig->sent[0].number, 1);
    assert_int_equal(rig->sent[1].number, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_results_of_a_turn_share_a_frame),
        TEST(test_each_connection_counts_its_own_frames),
        TEST(test_a_frame_ends_at_256_results),
        TEST(test_a_frame_ends_at_64_kib),
        TEST(test_a_result_larger_than_a_frame_goes_alone),
        TEST(test_IP7_a_welcome_begins_the_count_anew),
        TEST(test_what_a_lost_connection_did_not_take_comes_home),
        TEST(test_a_cleared_lane_writes_nothing),
        TEST(test_a_frame_said_without_effect_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
