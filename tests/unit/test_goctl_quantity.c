/* Numbers, durations and sizes as people write them on a command line; errors as exit statuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quantity.h"
#include "status.h"

static void test_durations_of_every_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"0", 0},
        {"0s", 0},
        {"7ns", 7},
        {"3us", 3000},
        {"200ms", 200000000},
        {"2s", 2000000000},
        {"1m", 60000000000},
        {"3h", 10800000000000},
        {"2d", 172800000000000},
        {"1.5s", 1500000000},
        {"0.25ms", 250000},
        {"1m30s", 90000000000},
        {"1h0.5m", 3630000000000},
        {"1.9ns", 1},
        {"0.0000000019999999999999999999999999s", 1},
        {"106751d", 106751 * INT64_C(86400000000000)},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ns = -1;

        assert_int_equal(parse_duration(rows[i].text, &ns), 0);
        assert_int_equal(ns, rows[i].ns);
    }
}

static void test_durations_refused(void **state)
{
    static const char *const wrong[] = {"",    "s",   "2",    "-2s", "2x",   "2 s",  "2sx", ".5s",
                                        "1.s", "+1s", "1e3s", "2S",  "1,5s", "0x1s", "2min"};
    static const char *const large[] = {"106752d", "99999999999999999999s", "9223372036854775808ns",
                                        "9223372036s9223372036s"};
    int64_t ns;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(parse_duration(wrong[i], &ns), -EINVAL);
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        assert_int_equal(parse_duration(large[i], &ns), -ERANGE);
}

static void test_instants(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"1970-01-01", 0},
        {"1970-01-02T00:00", 86400000000},
        {"1970-01-01T00:00:01Z", 1000000},
        {"2026-03-01T12:00:00.5Z", 1772366400500000},
        {"2026-03-01T12:00:00.1234569", 1772366400123456},
        {"1969-12-31T23:59:59", -1000000},
    };
    static const char *const wrong[] = {
        "", "now", "2026-03", "2026-03-01T", "2026-03-01T12:00:00+01:00", "2026-13-01", "2026-03-01ZZ"};
    int64_t us;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(parse_instant(rows[i].text, &us), 0);
        assert_int_equal(us, rows[i].us);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(parse_instant(wrong[i], &us), -EINVAL);
}

static void test_counts(void **state)
{
    uint64_t n;

    assert_int_equal(parse_count("0", &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(parse_count("18446744073709551615", &n), 0);
    assert_true(n == UINT64_MAX);
    assert_int_equal(parse_count("18446744073709551616", &n), -ERANGE);
    assert_int_equal(parse_count("", &n), -EINVAL);
    assert_int_equal(parse_count("-1", &n), -EINVAL);
    assert_int_equal(parse_count("1k", &n), -EINVAL);
}

static void test_sizes(void **state)
{
    uint64_t n;

    assert_int_equal(parse_size("4096", &n), 0);
    assert_int_equal(n, 4096);
    assert_int_equal(parse_size("64K", &n), 0);
    assert_int_equal(n, 65536);
    assert_int_equal(parse_size("1M", &n), 0);
    assert_int_equal(n, 1 << 20);
    assert_int_equal(parse_size("2G", &n), 0);
    assert_true(n == UINT64_C(2) << 30);
    assert_int_equal(parse_size("1T", &n), -EINVAL);
    assert_int_equal(parse_size("1KB", &n), -EINVAL);
    assert_int_equal(parse_size("K", &n), -EINVAL);
    assert_int_equal(parse_size("17179869184G", &n), -ERANGE);
}

static void test_job_numbers_have_63_bits(void **state)
{
    uint64_t id;

    assert_int_equal(parse_job("1", &id), 0);
    assert_int_equal(parse_job("9223372036854775807", &id), 0);
    assert_int_equal(parse_job("9223372036854775808", &id), -ERANGE);
    assert_int_equal(parse_job("0", &id), -ERANGE);
    assert_int_equal(parse_job("job", &id), -EINVAL);
}

static void test_durations_are_printed_short(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {0, "0ns"},
        {999, "999ns"},
        {85400, "85us"},
        {1500000, "1.5ms"},
        {1234567890, "1.2s"},
        {35000000000, "35s"},
        {60000000000, "1m"},
        {150000000000, "2.5m"},
        {7200000000000, "2h"},
        {86400000000000, "1d"},
        {INT64_MAX, "106751d"},
    };
    char text[DURATION_TEXT_BYTES];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(format_duration(rows[i].ns, text), rows[i].text);
}

static void test_every_error_has_its_exit_status(void **state)
{
    static const struct {
        int error;
        enum exit_status status;
    } rows[] = {
        {0, STATUS_OK},
        {1, STATUS_OK},
        {-EINVAL, STATUS_USAGE},
        {-ETIMEDOUT, STATUS_TIMEOUT},
        {-EPIPE, STATUS_CLOSED},
        {-ENOENT, STATUS_NOT_FOUND},
        {-ECANCELED, STATUS_CANCELLED},
        {-ECONNREFUSED, STATUS_UNAVAILABLE},
        {-ECONNRESET, STATUS_UNAVAILABLE},
        {-ENETRESET, STATUS_UNAVAILABLE},
        {-EPROTO, STATUS_UNAVAILABLE},
        {-EAGAIN, STATUS_WOULD_BLOCK},
        {-E2BIG, STATUS_FAILURE},
        {-EEXIST, STATUS_FAILURE},
        {-ENOBUFS, STATUS_FAILURE},
        {-ENOEXEC, STATUS_FAILURE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(status_of(rows[i].error), rows[i].status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations_of_every_unit),
        cmocka_unit_test(test_durations_refused),
        cmocka_unit_test(test_instants),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_job_numbers_have_63_bits),
        cmocka_unit_test(test_durations_are_printed_short),
        cmocka_unit_test(test_every_error_has_its_exit_status),
    };

    return cmocka_run_group_tests_name("goctl_quantity", tests, NULL, NULL);
}
