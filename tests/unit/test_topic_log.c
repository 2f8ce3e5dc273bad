/* The index of a durable topic, against a list of all its messages. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bare_core.h"
#include "topic_log.h"

enum { MESSAGES = 20000, STEPS = 4000 };

struct kept_one {
    uint64_t sequence, bytes;
    int64_t time_us;
};

static struct core *core;
static struct topic_log topic_index;
static const struct topic_bounds none;

static int set_up(void **state)
{
    core = bare_core();
    topic_log_init(&topic_index);
    return core ? 0 : -1;
}

static int tear_down(void **state)
{
    topic_log_free(core, &topic_index);
    core_delete(core);
    assert_int_equal(bare_pieces, 0);
    return 0;
}

static void append(const struct topic_bounds *bounds, uint64_t sequence, uint64_t bytes, int64_t time_us)
{
    topic_log_append(core, &topic_index, bounds, sequence, bytes, time_us);
    topic_log_check(&topic_index);
}

static void test_a_block_has_at_most_256_messages(void **state)
{
    for (uint64_t i = 1; i <= 2 * TOPIC_BLOCK_MESSAGES + 1; i++)
        append(&none, i, 1, 0);
    assert_int_equal(topic_index.blocks, 3);
    assert_int_equal(topic_log_end_of(&topic_index, 1), TOPIC_BLOCK_MESSAGES);
}

static void test_a_block_is_at_most_a_sixteenth_of_each_bound(void **state)
{
    const struct topic_bounds number = {.messages = 160}, size = {.bytes = 1600}, age = {.age_us = 1600};

    for (uint64_t i = 1; i <= 11; i++)
        append(&number, i, 1, 0);
    assert_int_equal(topic_index.blocks, 2);
    append(&size, 20, 95, 0);
    assert_int_equal(topic_index.blocks, 2);
    append(&size, 21, 5, 0);
    assert_int_equal(topic_index.blocks, 3);
    append(&age, 22, 1, 100);
    assert_int_equal(topic_index.blocks, 3);
    append(&age, 23, 1, 101);
    assert_int_equal(topic_index.blocks, 4);
}

static void test_size_and_number_leave_the_last_block_and_age_does_not(void **state)
{
    const struct topic_bounds bounds = {.messages = 1, .age_us = 100};

    append(&bounds, 1, 1, 0);
    append(&bounds, 2, 1, 0);
    assert_int_equal(topic_log_excess(&topic_index, &bounds, 100), 1);
    assert_int_equal(topic_log_due_us(&topic_index, &bounds), 101);
    assert_int_equal(topic_log_excess(&topic_index, &bounds, 101), 2);
    topic_log_drop(&topic_index, 2);
    assert_int_equal(topic_log_first(&topic_index), 0);
    assert_int_equal(topic_index.last, 2);
    assert_int_equal(topic_log_due_us(&topic_index, &bounds), INT64_MAX);
}

static void test_without_memory_the_last_block_grows(void **state)
{
    append(&none, 1, 1, 0);
    bare_refuses = true;
    for (uint64_t i = 2; i <= 1000; i++)
        append(&none, i, 1, 0);
    bare_refuses = false;
    assert_int_equal(topic_index.blocks, 1);
    append(&none, 1001, 1, 0);
    assert_int_equal(topic_index.blocks, 2);
}

static void test_the_store_is_told_of_sealed_blocks_in_order(void **state)
{
    for (uint64_t i = 1; i <= 3 * TOPIC_BLOCK_MESSAGES; i++)
        append(&none, i, 1, 0);
    assert_int_equal(topic_log_untold(&topic_index)->first, 1);
    topic_log_tell(&topic_index);
    assert_int_equal(topic_log_untold(&topic_index)->first, TOPIC_BLOCK_MESSAGES + 1);
    topic_log_tell(&topic_index);
    assert_null(topic_log_untold(&topic_index));
}

static void test_what_was_told_is_loaded_and_goes_on(void **state)
{
    const struct topic_block block = {.first = 3, .last = 9, .messages = 4, .bytes = 40, .last_us = 5};
    const struct topic_block wrong = {.first = 9, .last = 10, .messages = 1};

    assert_int_equal(topic_log_load(core, &topic_index, &block), 0);
    assert_int_equal(topic_log_load(core, &topic_index, &wrong), -EINVAL);
    append(&none, 12, 1, 6);
    assert_int_equal(topic_index.blocks, 2);
    assert_null(topic_log_untold(&topic_index));
    assert_int_equal(topic_index.messages, 5);
}

static void test_a_loaded_block_that_must_grow_is_told_again(void **state)
{
    const struct topic_block block = {.first = 3, .last = 9, .messages = 4, .bytes = 40, .last_us = 5};

    topic_log_load(core, &topic_index, &block);
    bare_refuses = true;
    append(&none, 12, 1, 6);
    bare_refuses = false;
    append(&none, 13, 1, 6);
    for (uint64_t i = 14; topic_index.blocks == 1; i++)
        append(&none, i, 1, 6);
    assert_int_equal(topic_log_untold(&topic_index)->first, 3);
}

static void test_a_cut_inside_a_block_leaves_its_rest(void **state)
{
    for (uint64_t i = 1; i <= 300; i++)
        append(&none, i, 2, (int64_t)i);
    topic_log_cut(&topic_index, 10, &(struct topic_rest){11, 246, 492, 11});
    topic_log_check(&topic_index);
    assert_int_equal(topic_index.messages, 290);
    assert_int_equal(topic_index.bytes, 580);
    assert_int_equal(topic_log_first(&topic_index), 11);
    topic_log_cut(&topic_index, 300, &(struct topic_rest){0});
    assert_int_equal(topic_index.messages, 0);
}

/* ---- random programs ---- */

static struct kept_one model[MESSAGES];
static size_t model_from, model_n;

static uint64_t model_bytes(void)
{
    uint64_t sum = 0;

    for (size_t i = model_from; i < model_n; i++)
        sum += model[i].bytes;
    return sum;
}

/* What is dropped are whole blocks, no more of them than the bounds ask for, and what stays is within them but for a block. */
static void trim(const struct topic_bounds *bounds, int64_t now_us)
{
    size_t n = topic_log_excess(&topic_index, bounds, now_us);

    if (!n)
        return;
    uint64_t end = topic_log_end_of(&topic_index, n);
    topic_log_drop(&topic_index, n);
    while (model_from < model_n && model[model_from].sequence <= end)
        model_from++;
}

static void compare(const struct topic_bounds *bounds, int64_t now_us)
{
    topic_log_check(&topic_index);
    assert_int_equal(topic_index.messages, model_n - model_from);
    assert_int_equal(topic_index.bytes, model_bytes());
    assert_int_equal(topic_log_first(&topic_index), model_from < model_n ? model[model_from].sequence : 0);
    if (bounds->messages && topic_index.blocks > 1)
        assert_true(topic_index.messages <= bounds->messages);
    if (bounds->bytes && topic_index.blocks > 1)
        assert_true(topic_index.bytes <= bounds->bytes);
    if (bounds->age_us)
        for (size_t i = model_from; i < model_n; i++)
            assert_true(now_us - model[i].time_us <= bounds->age_us + bounds->age_us / TOPIC_BLOCK_SHARE);
}

/* Nothing of that time or later lies before what is found, and no more than a block of earlier ones behind it. */
static void look(int64_t time_us)
{
    uint64_t at = topic_log_at(&topic_index, time_us);
    size_t older = 0;

    for (size_t i = model_from; i < model_n; i++) {
        assert_true(model[i].time_us < time_us || model[i].sequence >= at);
        older += model[i].sequence >= at && model[i].time_us < time_us;
    }
    assert_true(older < TOPIC_BLOCK_MESSAGES);
}

static void count_behind(uint64_t sequence)
{
    uint64_t n = 0, told = topic_log_behind(&topic_index, sequence);

    for (size_t i = model_from; i < model_n; i++)
        n += model[i].sequence > sequence;
    assert_true(told <= n + TOPIC_BLOCK_MESSAGES && n <= told + TOPIC_BLOCK_MESSAGES);
}

static void random_program(const struct topic_bounds *bounds)
{
    uint64_t sequence = topic_index.last;
    int64_t now_us = 0;

    model_from = model_n = 0;
    for (int i = 0; i < STEPS; i++) {
        sequence += 1 + bare_draw(3);
        now_us += (int64_t)bare_draw(20);
        model[model_n++] = (struct kept_one){sequence, bare_draw(100), now_us};
        append(bounds, sequence, model[model_n - 1].bytes, now_us);
        trim(bounds, now_us);
        if (i % 64 == 0) {
            compare(bounds, now_us);
            look(now_us - (int64_t)bare_draw(2000));
            count_behind(sequence - bare_draw(sequence < 500 ? sequence : 500));
        }
    }
}

static void test_random_programs_agree_with_a_list(void **state)
{
    static const struct topic_bounds bounds[] = {
        {0}, {.messages = 100}, {.messages = 7}, {.bytes = 4000}, {.age_us = 900}, {1000, 20000, 30000}};

    for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
        topic_log_free(core, &topic_index);
        random_program(&bounds[i]);
    }
}

static void test_a_topic_is_full_at_its_bounds(void **state)
{
    const struct topic_bounds bounds = {.messages = 2, .bytes = 10};

    append(&none, 1, 6, 0);
    assert_false(topic_log_is_full(&topic_index, &bounds, 4));
    assert_true(topic_log_is_full(&topic_index, &bounds, 5));
    append(&none, 2, 1, 0);
    assert_true(topic_log_is_full(&topic_index, &bounds, 0));
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_a_block_has_at_most_256_messages),
        LOG_TEST(test_a_block_is_at_most_a_sixteenth_of_each_bound),
        LOG_TEST(test_size_and_number_leave_the_last_block_and_age_does_not),
        LOG_TEST(test_without_memory_the_last_block_grows),
        LOG_TEST(test_the_store_is_told_of_sealed_blocks_in_order),
        LOG_TEST(test_what_was_told_is_loaded_and_goes_on),
        LOG_TEST(test_a_loaded_block_that_must_grow_is_told_again),
        LOG_TEST(test_a_cut_inside_a_block_leaves_its_rest),
        LOG_TEST(test_random_programs_agree_with_a_list),
        LOG_TEST(test_a_topic_is_full_at_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
