/* What is set of a pool, as text; which queues and functions its words mean. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pool_settings.h"

#define TEXT(literal)                                                                                        \
    {                                                                                                        \
        literal, sizeof(literal) - 1                                                                         \
    }

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

static void test_a_text_is_read_and_written_back(void **state)
{
    static const char words[] = "queues=a,b functions=/p/x.so:f,/q/*.so hosts=4 goroutines=8";
    struct pool_part part = {.set = 0}, again = {.set = 0};
    char to[POOL_TEXT_MAX];
    struct bytes wrong;

    assert_int_equal(pool_part_read(&part, text(words), &wrong), 0);
    assert_int_equal(part.number[POOL_hosts], 4);
    assert_int_equal(part.number[POOL_goroutines], 8);
    struct bytes out = pool_part_write(&part, to, sizeof(to));
    assert_int_equal(pool_part_read(&again, out, &wrong), 0);
    assert_int_equal(again.set, part.set);
    assert_int_equal(again.number[POOL_hosts], 4);
    assert_true(bytes_are(pool_part_list(&again, POOL_functions), "/p/x.so:f,/q/*.so", 17));
}

static void test_an_empty_value_takes_back(void **state)
{
    struct pool_part part = {.set = 0};
    struct bytes wrong;

    pool_part_read(&part, text("queues=a hosts=4"), &wrong);
    assert_int_equal(pool_part_read(&part, text("hosts="), &wrong), 0);
    assert_int_equal(part.set, 1 << POOL_queues);
}

static void test_what_makes_no_sense_is_named(void **state)
{
    static const char *const wrong[][2] = {
        {"hosts=0", "'hosts=0' is not a number of processes from 1 to 1000"},
        {"goroutines=x", "'goroutines=x' is not a number of jobs from 1 to 100000"},
        {"colour=red", "'colour': there is no such setting of a pool"},
        {"queues=a,,b", "'queues=a,,b' is no list of queues with a comma between two"},
        {"queues=a,", "'queues=a,' is no list of queues with a comma between two"},
        {"functions=x.so", "'functions=x.so' is no list of /PATH or /PATH:FUNCTION with a comma between two"},
        {"functions=/p/x.so:", "'functions=/p/x.so:' is no list of /PATH or"},
        {".drained=0", "'.drained': there is no such"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct pool_part part = {.set = 0};
        struct bytes what;
        char words[200] = "";
        assert_int_equal(pool_part_read(&part, text(wrong[i][0]), &what), -EINVAL);
        pool_part_why(what, words, sizeof(words));
        assert_non_null(strstr(words, wrong[i][1]));
    }
}

static void test_a_word_has_no_zero_byte(void **state)
{
    static const struct bytes zero[] = {TEXT("functions=*\0:*"), TEXT("functions=/p/x.so,/\0"),
                                        TEXT("queues=a\0b")};
    struct pool_part part = {.set = 0};
    struct bytes wrong;

    for (size_t i = 0; i < sizeof(zero) / sizeof(*zero); i++)
        assert_int_equal(pool_part_read(&part, zero[i], &wrong), -EINVAL);
    assert_int_equal(part.set, 0);
}

static void test_stars_are_any_bytes(void **state)
{
    assert_true(pool_has_queue(text("mail.*,other"), text("mail.slow")));
    assert_true(pool_has_queue(text("mail.*,other"), text("other")));
    assert_false(pool_has_queue(text("mail.*,other"), text("others")));
    assert_true(pool_has_queue(text("a*b*c"), text("aXbXbc")));
    assert_false(pool_has_queue(text("a*b*c"), text("aXbXb")));
    assert_true(pool_has_queue(text(""), text("any")));
}

static void test_a_function_is_of_a_plugin(void **state)
{
    const struct bytes path = text("/p/x.so"), f = text("f");

    assert_true(pool_has_function(text("/p/x.so"), path, f));
    assert_true(pool_has_function(text("/p/x.so:f"), path, f));
    assert_false(pool_has_function(text("/p/x.so:g"), path, f));
    assert_true(pool_has_function(text("*:f"), path, f));
    assert_true(pool_has_function(text("/p/*.so:f*"), path, text("fast")));
    assert_false(pool_has_function(text("/p/y.so"), path, f));
    assert_true(pool_has_function(text("/a:b/x.so"), text("/a:b/x.so"), f));
}

static void test_some_function_of_a_plugin(void **state)
{
    assert_true(pool_has_plugin(text("/p/y.so,/p/x.so:g"), text("/p/x.so")));
    assert_true(pool_has_plugin(text("/p/*:g"), text("/p/x.so")));
    assert_true(pool_has_plugin(text(""), text("/p/x.so")));
    assert_false(pool_has_plugin(text("/p/y.so,/q/*"), text("/p/x.so")));
}

static void test_the_plugins_named_in_full(void **state)
{
    assert_true(bytes_are(pool_plugin(text("/p/x.so:f")), "/p/x.so", 7));
    assert_true(bytes_are(pool_plugin(text("/p/x.so:f*")), "/p/x.so", 7));
    assert_int_equal(pool_plugin(text("/p/*.so:f")).size, 0);
}

static void test_later_origins_win(void **state)
{
    struct pool_part parts[ORIGINS] = {{.set = 0}}, sum;
    uint8_t origin[POOL_FIELDS];
    struct bytes wrong;

    pool_part_read(&parts[ORIGIN_CONFIG], text("queues=a hosts=2 min=1"), &wrong);
    pool_part_read(&parts[ORIGIN_SET], text("hosts=5"), &wrong);
    pool_part_sum(parts, &sum, origin);
    assert_int_equal(sum.number[POOL_hosts], 5);
    assert_int_equal(origin[POOL_hosts], ORIGIN_SET);
    assert_int_equal(sum.number[POOL_min], 1);
    assert_int_equal(origin[POOL_queues], ORIGIN_CONFIG);
    assert_int_equal(sum.number[POOL_goroutines], 16);
    assert_int_equal(origin[POOL_goroutines], ORIGIN_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_is_read_and_written_back),
        cmocka_unit_test(test_an_empty_value_takes_back),
        cmocka_unit_test(test_what_makes_no_sense_is_named),
        cmocka_unit_test(test_a_word_has_no_zero_byte),
        cmocka_unit_test(test_stars_are_any_bytes),
        cmocka_unit_test(test_a_function_is_of_a_plugin),
        cmocka_unit_test(test_some_function_of_a_plugin),
        cmocka_unit_test(test_the_plugins_named_in_full),
        cmocka_unit_test(test_later_origins_win),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
