/* Standard output of goctl: bytes in JSON, instants, and when the reader of a pipe has taken what was written. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "output.h"

static void assert_json(const char *wanted, const void *data, size_t size)
{
    json_t *object = json_object();
    char *text;

    assert_int_equal(json_set_bytes(object, "value", data, size), 0);
    text = json_dumps(object, JSON_COMPACT);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(object);
}

static void test_text_stays_text_in_json(void **state)
{
    assert_json("{\"value\":\"\"}", NULL, 0);
    assert_json("{\"value\":\"hello\"}", "hello", 5);
    assert_json("{\"value\":\"a\\u0000\\n\\\"\"}", "a\0\n\"", 4);
    assert_json("{\"value\":\"\xc3\xbc\"}", "\xc3\xbc", 2);
}

static void test_other_bytes_are_base64_in_json(void **state)
{
    assert_json("{\"value_base64\":\"/w==\"}", "\xff", 1);
    assert_json("{\"value_base64\":\"//8=\"}", "\xff\xff", 2);
    assert_json("{\"value_base64\":\"////\"}", "\xff\xff\xff", 3);
    assert_json("{\"value_base64\":\"YQBi/wo=\"}", "a\0b\xff\n", 5);
}

static void test_instants_are_utc_to_the_microsecond(void **state)
{
    char text[INSTANT_TEXT_BYTES];

    assert_string_equal(format_instant(0, text), "1970-01-01T00:00:00.000000Z");
    assert_string_equal(format_instant(1715065689123456, text), "2024-05-07T07:08:09.123456Z");
}

/* Standard output is a pipe while a test runs. */
struct piped {
    int saved, read_fd, stop_fd;
};

static int piped_create(void **state)
{
    struct piped *piped = calloc(1, sizeof *piped);
    int fds[2];

    if (!piped || pipe(fds))
        return -1;
    fflush(stdout);
    piped->saved = dup(STDOUT_FILENO);
    piped->read_fd = fds[0];
    piped->stop_fd = eventfd(0, 0);
    dup2(fds[1], STDOUT_FILENO);
    close(fds[1]);
    *state = piped;
    return 0;
}

static int piped_destroy(void **state)
{
    struct piped *piped = *state;

    dup2(piped->saved, STDOUT_FILENO);
    close(piped->saved);
    close(piped->stop_fd);
    if (piped->read_fd >= 0)
        close(piped->read_fd);
    free(piped);
    return 0;
}

static void say(const char *text)
{
    assert_int_equal(write(STDOUT_FILENO, text, strlen(text)), strlen(text));
}

static void test_what_was_read_is_taken(void **state)
{
    struct piped *piped = *state;
    char bytes[16];

    assert_int_equal(output_taken(piped->stop_fd), 0);
    say("one\n");
    assert_int_equal(read(piped->read_fd, bytes, sizeof bytes), 4);
    assert_int_equal(output_taken(piped->stop_fd), 0);
}

static void *read_two_bytes_twice(void *arg)
{
    struct piped *piped = arg;
    char bytes[2];

    return (void *)(intptr_t)(read(piped->read_fd, bytes, 2) == 2 && read(piped->read_fd, bytes, 2) == 2);
}

static void test_waits_for_the_last_byte(void **state)
{
    pthread_t reader;
    void *read_all;
    struct piped *piped = *state;

    say("one\n");
    assert_int_equal(pthread_create(&reader, NULL, read_two_bytes_twice, piped), 0);
    assert_int_equal(output_taken(piped->stop_fd), 0);
    pthread_join(reader, &read_all);
    assert_non_null(read_all);
}

static void test_a_reader_that_left_has_not_taken_it(void **state)
{
    struct piped *piped = *state;

    say("one\n");
    close(piped->read_fd);
    piped->read_fd = -1;
    assert_int_equal(output_taken(piped->stop_fd), -EPIPE);
}

static void test_a_reader_that_read_and_left_has_taken_it(void **state)
{
    struct piped *piped = *state;
    char bytes[16];

    say("one\n");
    assert_int_equal(read(piped->read_fd, bytes, sizeof bytes), 4);
    close(piped->read_fd);
    piped->read_fd = -1;
    assert_int_equal(output_taken(piped->stop_fd), 0);
}

static void test_a_stop_ends_the_wait_for_the_reader(void **state)
{
    struct piped *piped = *state;

    say("one\n");
    eventfd_write(piped->stop_fd, 1);
    assert_int_equal(output_taken(piped->stop_fd), -ECANCELED);
}

int main(void)
{
#define PIPED_TEST(name) cmocka_unit_test_setup_teardown(name, piped_create, piped_destroy)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_stays_text_in_json),
        cmocka_unit_test(test_other_bytes_are_base64_in_json),
        cmocka_unit_test(test_instants_are_utc_to_the_microsecond),
        PIPED_TEST(test_what_was_read_is_taken),
        PIPED_TEST(test_waits_for_the_last_byte),
        PIPED_TEST(test_a_reader_that_left_has_not_taken_it),
        PIPED_TEST(test_a_reader_that_read_and_left_has_taken_it),
        PIPED_TEST(test_a_stop_ends_the_wait_for_the_reader),
    };

    return cmocka_run_group_tests_name("goctl_output", tests, NULL, NULL);
}
