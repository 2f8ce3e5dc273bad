/* Where a subscription begins, as people write it on a command line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "from.h"

enum { NOW_US = 1000000000 };

static void test_words_sequences_times_and_how_long_ago(void **state)
{
    static const struct {
        const char *text;
        enum gc_from from;
        uint64_t sequence;
        int64_t time_us;
    } rows[] = {
        {"now", GC_FROM_NEW, 0, 0},
        {"start", GC_FROM_START, 0, 0},
        {"last", GC_FROM_LAST, 0, 0},
        {"17", GC_FROM_SEQUENCE, 17, 0},
        {"18446744073709551615", GC_FROM_SEQUENCE, UINT64_MAX, 0},
        {"10s", GC_FROM_TIME, 0, NOW_US - 10000000},
        {"1m30s", GC_FROM_TIME, 0, NOW_US - 90000000},
        {"1970-01-02", GC_FROM_TIME, 0, 86400000000},
        {"1970-01-01T00:01:00.25Z", GC_FROM_TIME, 0, 60250000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gc_subscribe_options options = {.size = sizeof options};

        assert_int_equal(from_parse(rows[i].text, NOW_US, &options), 0);
        assert_int_equal(options.from, rows[i].from);
        assert_int_equal(options.from_sequence, rows[i].sequence);
        assert_int_equal(options.from_time_us, rows[i].time_us);
    }
}

static void test_anything_else_is_refused(void **state)
{
    static const char *const wrong[] = {"", "begin", "-1", "17x", "1970-01-02x", "18446744073709551616"};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct gc_subscribe_options options = {.size = sizeof options};

        assert_int_equal(from_parse(wrong[i], NOW_US, &options), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_sequences_times_and_how_long_ago),
        cmocka_unit_test(test_anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
