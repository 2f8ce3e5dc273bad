/* What is set of topics, as text; which of two patterns fits a topic better. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "topic_policy.h"

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

static void test_a_text_is_read_and_written_back(void **state)
{
    struct topic_part part = {.set = 0};
    char to[TOPIC_TEXT_MAX];
    struct bytes wrong;

    assert_int_equal(
        topic_part_read(&part, text("keep_for=60 durable=yes full=reject keep_messages=1000"), &wrong), 0);
    assert_int_equal(part.policy.keep_for, 60);
    assert_int_equal(part.policy.full, LOG_REJECT);
    struct bytes out = topic_part_write(&part, to, sizeof(to));
    assert_true(bytes_are(out, "durable=yes keep_messages=1000 keep_for=60 full=reject ", 55));
}

static void test_what_has_no_room_is_not_written(void **state)
{
    struct topic_part part = {.set = 0};
    struct bytes wrong;
    char to[20];

    topic_part_read(&part, text("keep_messages=100000000"), &wrong);
    assert_int_equal(topic_part_write(&part, to, sizeof(to)).size, 0);
}

static void test_an_empty_value_takes_back(void **state)
{
    struct topic_part part = {.set = 0};
    struct bytes wrong;

    topic_part_read(&part, text("durable=yes keep_bytes=9"), &wrong);
    assert_int_equal(topic_part_read(&part, text("keep_bytes="), &wrong), 0);
    assert_int_equal(part.set, 1 << TOPIC_durable);
}

static void test_what_makes_no_sense_is_named(void **state)
{
    static const char *const wrong[][2] = {
        {"durable=1", "'durable=1' is not one of no|yes"},
        {"dedup=-1", "'dedup=-1' is not a number of seconds from 0 to 1000000"},
        {"message_bytes_max=0", "'message_bytes_max=0' is not a number of bytes from 1 to 67108864"},
        {"colour=red", "'colour': there is no such setting of a topic"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct topic_part part = {.set = 0};
        struct bytes what;
        char words[200] = "";
        assert_int_equal(topic_part_read(&part, text(wrong[i][0]), &what), -EINVAL);
        topic_part_why(what, words, sizeof(words));
        assert_string_equal(words, wrong[i][1]);
    }
}

static void test_the_part_that_made_sense_stays(void **state)
{
    struct topic_part part = {.set = 0};
    struct bytes wrong;

    assert_int_equal(topic_part_read(&part, text("durable=maybe dedup=5"), &wrong), -EINVAL);
    assert_int_equal(part.set, 1 << TOPIC_dedup);
}

static void test_what_is_set_goes_before_the_configuration(void **state)
{
    struct topic_part parts[ORIGINS] = {{.set = 0}};
    struct topic_policy sum;
    uint8_t origin[TOPIC_FIELDS];
    struct bytes wrong;

    topic_part_read(&parts[ORIGIN_CONFIG], text("durable=yes dedup=7"), &wrong);
    topic_part_read(&parts[ORIGIN_SET], text("dedup=9"), &wrong);
    topic_part_sum(parts, &sum, origin);
    assert_int_equal(sum.durable, 1);
    assert_int_equal(origin[TOPIC_durable], ORIGIN_CONFIG);
    assert_int_equal(sum.dedup, 9);
    assert_int_equal(origin[TOPIC_dedup], ORIGIN_SET);
    assert_int_equal(sum.message_bytes_max, 1 << 20);
    assert_int_equal(origin[TOPIC_message_bytes_max], ORIGIN_DEFAULT);
}

/* From the best one of a topic on. */
static const char *const ranked[] = {"a.b.c", "a.b.*", "a.b.>", "a.*.c", "a.*.*",
                                     "a.>",   "*.b.c", "*.*.>", "*.>",   ">"};

static void test_a_word_is_better_than_a_star_and_that_than_the_rest(void **state)
{
    for (size_t i = 0; i < sizeof(ranked) / sizeof(*ranked); i++)
        for (size_t j = 0; j < sizeof(ranked) / sizeof(*ranked); j++) {
            int order = pattern_rank(text(ranked[i]), text(ranked[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static void test_words_are_alike(void **state)
{
    assert_int_equal(pattern_rank(text("a.b"), text("long.word")), 0);
    assert_true(pattern_rank(text("a.b"), text("a.*")) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_is_read_and_written_back),
        cmocka_unit_test(test_what_has_no_room_is_not_written),
        cmocka_unit_test(test_an_empty_value_takes_back),
        cmocka_unit_test(test_what_makes_no_sense_is_named),
        cmocka_unit_test(test_the_part_that_made_sense_stays),
        cmocka_unit_test(test_what_is_set_goes_before_the_configuration),
        cmocka_unit_test(test_a_word_is_better_than_a_star_and_that_than_the_rest),
        cmocka_unit_test(test_words_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
