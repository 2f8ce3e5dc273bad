/* Standard input as values: one a line, or all of it as one. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "lines.h"

/* A pipe whose reading end `lines` reads. */
struct input {
    int write_fd;
    struct lines lines;
};

static int input_create(void **state)
{
    struct input *input = calloc(1, sizeof *input);
    int fds[2];

    if (!input || pipe(fds))
        return -1;
    input->lines.fd = fds[0];
    input->lines.stop_fd = eventfd(0, 0);
    input->write_fd = fds[1];
    *state = input;
    return 0;
}

static int input_destroy(void **state)
{
    struct input *input = *state;

    close(input->lines.fd);
    close(input->lines.stop_fd);
    if (input->write_fd >= 0)
        close(input->write_fd);
    lines_release(&input->lines);
    free(input);
    return 0;
}

static void feed(struct input *input, const char *text)
{
    assert_int_equal(write(input->write_fd, text, strlen(text)), strlen(text));
}

static void feed_end(struct input *input)
{
    close(input->write_fd);
    input->write_fd = -1;
}

static void assert_value(const struct gc_value *value, const char *text)
{
    assert_int_equal(value->size, strlen(text));
    assert_memory_equal(value->data, text, value->size);
}

static void test_takes_all_whole_lines_that_are_there(void **state)
{
    struct input *input = *state;
    struct gc_value values[8];

    feed(input, "one\n\nthree\nbegun");
    assert_int_equal(lines_take(&input->lines, values, 8), 3);
    assert_value(&values[0], "one");
    assert_value(&values[1], "");
    assert_value(&values[2], "three");
    feed(input, " and ended\n");
    assert_int_equal(lines_take(&input->lines, values, 8), 1);
    assert_value(&values[0], "begun and ended");
}

static void test_last_line_needs_no_newline(void **state)
{
    struct input *input = *state;
    struct gc_value values[8];

    feed(input, "one\ntwo");
    feed_end(input);
    assert_int_equal(lines_take(&input->lines, values, 8), 1);
    assert_int_equal(lines_take(&input->lines, values, 8), 1);
    assert_value(&values[0], "two");
    assert_int_equal(lines_take(&input->lines, values, 8), 0);
}

static void test_takes_no_more_than_asked(void **state)
{
    struct input *input = *state;
    struct gc_value values[2];

    feed(input, "1\n2\n3\n");
    feed_end(input);
    assert_int_equal(lines_take(&input->lines, values, 2), 2);
    assert_int_equal(lines_take(&input->lines, values, 2), 1);
    assert_value(&values[0], "3");
    assert_int_equal(lines_take(&input->lines, values, 2), 0);
}

static void test_zero_bytes_are_data(void **state)
{
    struct input *input = *state;
    struct gc_value value;

    assert_int_equal(write(input->write_fd, "a\0b\n", 4), 4);
    assert_int_equal(lines_take(&input->lines, &value, 1), 1);
    assert_int_equal(value.size, 3);
    assert_memory_equal(value.data, "a\0b", 3);
}

static void test_rest_is_one_value_with_its_newlines(void **state)
{
    struct input *input = *state;
    struct gc_value value;

    feed(input, "one\ntwo\n");
    feed_end(input);
    assert_int_equal(lines_rest(&input->lines, &value), 0);
    assert_value(&value, "one\ntwo\n");
    assert_int_equal(lines_rest(&input->lines, &value), 0);
    assert_int_equal(value.size, 0);
}

static void test_a_stop_ends_the_wait(void **state)
{
    struct input *input = *state;
    struct gc_value value;

    feed(input, "half a line");
    eventfd_write(input->lines.stop_fd, 1);
    assert_int_equal(lines_take(&input->lines, &value, 1), -ECANCELED);
}

static void test_a_read_error_is_told(void **state)
{
    struct input *input = *state;
    struct gc_value value;
    int end = input->lines.fd;

    input->lines.fd = open("/", O_RDONLY | O_DIRECTORY);
    assert_int_equal(lines_take(&input->lines, &value, 1), -EISDIR);
    close(input->lines.fd);
    input->lines.fd = end;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, input_create, input_destroy)
    const struct CMUnitTest tests[] = {
        TEST(test_takes_all_whole_lines_that_are_there),
        TEST(test_last_line_needs_no_newline),
        TEST(test_takes_no_more_than_asked),
        TEST(test_zero_bytes_are_data),
        TEST(test_rest_is_one_value_with_its_newlines),
        TEST(test_a_stop_ends_the_wait),
        TEST(test_a_read_error_is_told),
    };

    return cmocka_run_group_tests_name("goctl_lines", tests, NULL, NULL);
}
