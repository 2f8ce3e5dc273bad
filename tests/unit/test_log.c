/* The log: what a line looks like, what is left out, and that nobody can forge one. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "log.h"

static int ends[2], error_fd;
static char said[1 << 20];

/* Standard error becomes a pipe. */
static int set_up(void **state)
{
    unsetenv("JOURNAL_STREAM");
    if (pipe2(ends, O_NONBLOCK) || fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) < 0)
        return -1;
    error_fd = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    return 0;
}

static int tear_down(void **state)
{
    dup2(error_fd, STDERR_FILENO);
    close(error_fd);
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* What was said since the last time. */
static const char *hear(void)
{
    ssize_t n = read(ends[0], said, sizeof(said) - 1);

    said[n > 0 ? n : 0] = '\0';
    return said;
}

static void test_a_line_is_level_and_pairs(void **state)
{
    log_start(LOG_LEVEL_INFO, false);
    log_warn("event=test number=%d", 7);
    assert_string_equal(hear(), "level=warning event=test number=7\n");
}

static void test_lines_below_the_level_are_not_said(void **state)
{
    log_start(LOG_LEVEL_WARN, false);
    log_info("event=test");
    assert_string_equal(hear(), "");
    assert_false(log_on(LOG_LEVEL_INFO));
}

static void test_a_value_cannot_begin_a_line_of_its_own(void **state)
{
    log_start(LOG_LEVEL_INFO, false);
    log_info("event=test name=\"%s\"", "a\nlevel=error event=forged\t\033[1m");
    assert_string_equal(hear(), "level=info event=test name=\"a level=error event=forged  [1m\"\n");
}

static void test_json_has_one_member_per_pair(void **state)
{
    log_start(LOG_LEVEL_INFO, true);
    log_info("event=test why=\"two words\" alone empty= last=x");
    json_t *line = json_loads(hear(), 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(line, "why")), "two words");
    assert_string_equal(json_string_value(json_object_get(line, "empty")), "");
    assert_string_equal(json_string_value(json_object_get(line, "last")), "x");
    assert_non_null(json_object_get(line, "alone"));
    assert_true(json_is_integer(json_object_get(line, "time_us")));
    json_decref(line);
}

static void test_json_of_text_that_is_not_utf8_is_still_json(void **state)
{
    log_start(LOG_LEVEL_INFO, true);
    log_info("event=test name=\"%s\"", "\xff\xfe");
    json_t *line = json_loads(hear(), 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "event")), "test");
    json_decref(line);
}

static void test_under_journald_lines_carry_its_level(void **state)
{
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_start(LOG_LEVEL_INFO, false);
    log_error("event=test");
    assert_string_equal(hear(), "<3>event=test\n");
    unsetenv("JOURNAL_STREAM");
}

static void test_a_long_line_is_cut(void **state)
{
    static char text[2 * LOG_LINE_BYTES];

    memset(text, 'x', sizeof(text) - 1);
    log_start(LOG_LEVEL_INFO, false);
    log_info("event=test text=%s", text);
    size_t n = strlen(hear());
    assert_in_range(n, LOG_LINE_BYTES / 2, LOG_LINE_BYTES);
    assert_int_equal(said[n - 1], '\n');
}

static int count_lines(const char *text)
{
    int n = 0;

    while ((text = strchr(text, '\n')))
        text++, n++;
    return n;
}

/* Last: it spends what the others need. */
static void test_a_flood_is_left_out_and_counted_but_no_error(void **state)
{
    log_start(LOG_LEVEL_INFO, false);
    for (int i = 0; i < 50 * LOG_BURST; i++)
        log_info("event=flood");
    int lines = count_lines(hear());
    assert_in_range(lines, LOG_BURST / 2, 50 * LOG_BURST - 1);
    log_error("event=important");
    assert_non_null(strstr(hear(), "left_out="));
    assert_non_null(strstr(said, "event=important"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_line_is_level_and_pairs),
        TEST(test_lines_below_the_level_are_not_said),
        TEST(test_a_value_cannot_begin_a_line_of_its_own),
        TEST(test_json_has_one_member_per_pair),
        TEST(test_json_of_text_that_is_not_utf8_is_still_json),
        TEST(test_under_journald_lines_carry_its_level),
        TEST(test_a_long_line_is_cut),
        TEST(test_a_flood_is_left_out_and_counted_but_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
