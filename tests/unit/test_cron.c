/* Schedules: known cases of every form, of the changes of clocks, and of what is refused and how. */
#include "cron_fixture.h"

#include <errno.h>
#include <stdlib.h>

#include "calendar.h"
#include "quantity.h"

enum { RUNS_MAX = 5 };

struct runs {
    const char *schedule, *zone, *after;
    const char *at[RUNS_MAX]; /* UTC */
};

static void check_runs(const struct runs *row)
{
    struct cron cron = cron_of(row->schedule);
    struct zone *zone = zone_of(row->zone);
    int64_t ns = utc_s(row->after) * second_ns;

    for (int i = 0; i < RUNS_MAX && row->at[i]; i++) {
        int64_t wanted = utc_s(row->at[i]) * second_ns;

        ns = cron_next(&cron, zone, ns);
        if (ns != wanted)
            fail_msg("%s in %s after %s, run %d: %lld s, not %s (%lld s)", row->schedule, row->zone,
                     row->after, i, (long long)(ns / second_ns), row->at[i], (long long)(wanted / second_ns));
    }
    zone_delete(zone);
}

static void test_every_form_of_a_field(void **state)
{
    static const struct runs rows[] = {
        {"*/20 * * * *",
         "UTC",
         "2024-01-01 00:00:00",
         {"2024-01-01 00:20:00", "2024-01-01 00:40:00", "2024-01-01 01:00:00"}},
        {"5,10-12,50/5 7 * * *",
         "UTC",
         "2024-01-01 00:00:00",
         {"2024-01-01 07:05:00", "2024-01-01 07:10:00", "2024-01-01 07:11:00", "2024-01-01 07:12:00",
          "2024-01-01 07:50:00"}},
        {"0 10-20/4 * * *",
         "UTC",
         "2024-01-01 00:00:00",
         {"2024-01-01 10:00:00", "2024-01-01 14:00:00", "2024-01-01 18:00:00", "2024-01-02 10:00:00"}},
        {"15,45 30 8 * * *",
         "UTC",
         "2024-01-01 00:00:00",
         {"2024-01-01 08:30:15", "2024-01-01 08:30:45", "2024-01-02 08:30:15"}},
        {"* * * * * *",
         "UTC",
         "2024-12-31 23:59:58",
         {"2024-12-31 23:59:59", "2025-01-01 00:00:00", "2025-01-01 00:00:01"}},
        {"0 9 * jan,JUL-Aug mon",
         "UTC",
         "2024-07-20 00:00:00",
         {"2024-07-22 09:00:00", "2024-07-29 09:00:00", "2024-08-05 09:00:00"}},
        {"0 9 ? * fri-sun",
         "UTC",
         "2024-07-20 00:00:00",
         {"2024-07-20 09:00:00", "2024-07-21 09:00:00", "2024-07-26 09:00:00"}},
        {"0 9 * * 7", "UTC", "2024-07-20 00:00:00", {"2024-07-21 09:00:00", "2024-07-28 09:00:00"}},
        {"0 9 * * 5-7", "UTC", "2024-07-20 12:00:00", {"2024-07-21 09:00:00", "2024-07-26 09:00:00"}},
        {"0 0 L * ?",
         "UTC",
         "2024-01-15 00:00:00",
         {"2024-01-31 00:00:00", "2024-02-29 00:00:00", "2024-03-31 00:00:00", "2024-04-30 00:00:00"}},
        {"0 0 15,L 2 *",
         "UTC",
         "2023-01-01 00:00:00",
         {"2023-02-15 00:00:00", "2023-02-28 00:00:00", "2024-02-15 00:00:00", "2024-02-29 00:00:00"}},
        {"0 0 31 * *", "UTC", "2024-01-31 00:00:00", {"2024-03-31 00:00:00", "2024-05-31 00:00:00"}},
        {"0 0 29 2 *", "UTC", "2024-03-01 00:00:00", {"2028-02-29 00:00:00", "2032-02-29 00:00:00"}},
        {"0 0 29 2 *", "UTC", "2096-02-29 00:00:00", {"2104-02-29 00:00:00"}},
        {" \t0  0\t1 * * ", "UTC", "2024-01-01 00:00:00", {"2024-02-01 00:00:00"}},
        {"0 0 1 1 *", "UTC", "1970-01-01 00:00:00", {"1971-01-01 00:00:00"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_runs(&rows[i]);
}

static void test_day_fields_are_either_when_both_restrict(void **state)
{
    static const struct runs rows[] = {
        {"0 0 13 * fri",
         "UTC",
         "2024-09-01 00:00:00",
         {"2024-09-06 00:00:00", "2024-09-13 00:00:00", "2024-09-20 00:00:00"}},
        {"0 0 13 * 1", "UTC", "2024-09-09 00:00:00", {"2024-09-13 00:00:00", "2024-09-16 00:00:00"}},
        {"0 0 30 2 mon", "UTC", "2024-02-26 00:00:00", {"2025-02-03 00:00:00"}},
        /* One that begins with a star does not restrict: both must fit. */
        {"0 0 */10 * fri", "UTC", "2024-09-01 00:00:00", {"2024-10-11 00:00:00", "2024-11-01 00:00:00"}},
        {"0 0 13 * */5", "UTC", "2024-09-01 00:00:00", {"2024-09-13 00:00:00", "2024-10-13 00:00:00"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_runs(&rows[i]);
}

static void test_macros(void **state)
{
    static const struct runs rows[] = {
        {"@hourly", "UTC", "2024-01-01 00:10:00", {"2024-01-01 01:00:00", "2024-01-01 02:00:00"}},
        {"@daily", "UTC", "2024-01-01 00:00:00", {"2024-01-02 00:00:00"}},
        {"@Midnight ", "Europe/Berlin", "2024-01-01 00:00:00", {"2024-01-01 23:00:00"}},
        {" @weekly", "UTC", "2024-01-01 00:00:00", {"2024-01-07 00:00:00", "2024-01-14 00:00:00"}},
        {"@monthly", "UTC", "2024-01-01 00:00:00", {"2024-02-01 00:00:00"}},
        {"@yearly", "UTC", "2024-01-01 00:00:00", {"2025-01-01 00:00:00"}},
        {"@annually", "UTC", "2024-01-01 00:00:00", {"2025-01-01 00:00:00"}},
        {"@every 90s",
         "Europe/Berlin",
         "1970-01-01 00:00:00",
         {"1970-01-01 00:01:30", "1970-01-01 00:03:00"}},
        {"@every 1m30s", "UTC", "1970-01-01 00:02:00", {"1970-01-01 00:03:00"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_runs(&rows[i]);
}

static void test_clocks_go_forward(void **state)
{
    static const struct runs rows[] = {
        /* Berlin: 02:00 to 03:00 on 31 March 2024, at 01:00 UTC. */
        {"30 2 * * *",
         "Europe/Berlin",
         "2024-03-30 02:00:00",
         {"2024-03-31 01:00:00", "2024-04-01 00:30:00"}},
        {"0,15,30 2 * * *",
         "Europe/Berlin",
         "2024-03-30 02:00:00",
         {"2024-03-31 01:00:00", "2024-04-01 00:00:00"}},
        {"0 2,3 * * *",
         "Europe/Berlin",
         "2024-03-30 23:30:00",
         {"2024-03-31 01:00:00", "2024-04-01 00:00:00"}},
        {"30 2 31 3 *",
         "Europe/Berlin",
         "2024-01-01 00:00:00",
         {"2024-03-31 01:00:00", "2025-03-31 00:30:00"}},
        {"30 2 30 3 *", "Europe/Berlin", "2024-03-30 12:00:00", {"2025-03-30 01:00:00"}},
        {"30 * * * *",
         "Europe/Berlin",
         "2024-03-31 00:00:00",
         {"2024-03-31 00:30:00", "2024-03-31 01:30:00"}},
        {"*/30 2 * * *",
         "Europe/Berlin",
         "2024-03-30 12:00:00",
         {"2024-04-01 00:00:00", "2024-04-01 00:30:00"}},
        {"5,20 30 2 * * *",
         "Europe/Berlin",
         "2024-03-30 12:00:00",
         {"2024-03-31 01:00:00", "2024-04-01 00:30:05"}},
        {"30 3 * * *", "Europe/Berlin", "2024-03-31 00:00:00", {"2024-03-31 01:30:00"}},
        /* Lord Howe: 02:00 to 02:30. */
        {"15 2 * * *",
         "Australia/Lord_Howe",
         "2024-10-05 00:00:00",
         {"2024-10-05 15:30:00", "2024-10-06 15:15:00"}},
        {"45 2 * * *", "Australia/Lord_Howe", "2024-10-05 00:00:00", {"2024-10-05 15:45:00"}},
        /* Apia had no 30 December 2011. */
        {"0 12 30 12 *",
         "Pacific/Apia",
         "2011-12-01 00:00:00",
         {"2011-12-30 10:00:00", "2012-12-29 22:00:00"}},
        /* Sao Paulo's midnights. */
        {"@daily",
         "America/Sao_Paulo",
         "2018-11-03 12:00:00",
         {"2018-11-04 03:00:00", "2018-11-05 02:00:00"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_runs(&rows[i]);
}

static void test_clocks_go_back(void **state)
{
    static const struct runs rows[] = {
        /* Berlin: 03:00 to 02:00 on 27 October 2024, at 01:00 UTC. */
        {"30 2 * * *",
         "Europe/Berlin",
         "2024-10-26 12:00:00",
         {"2024-10-27 00:30:00", "2024-10-28 01:30:00"}},
        {"30 2 * * *", "Europe/Berlin", "2024-10-27 01:00:00", {"2024-10-28 01:30:00"}},
        {"30 * * * *",
         "Europe/Berlin",
         "2024-10-27 00:00:00",
         {"2024-10-27 00:30:00", "2024-10-27 01:30:00", "2024-10-27 02:30:00"}},
        {"*/30 2 * * *",
         "Europe/Berlin",
         "2024-10-26 12:00:00",
         {"2024-10-27 00:00:00", "2024-10-27 00:30:00", "2024-10-28 01:00:00"}},
        {"0 2,3 * * *",
         "Europe/Berlin",
         "2024-10-26 12:00:00",
         {"2024-10-27 00:00:00", "2024-10-27 02:00:00"}},
        {"0 1-23 * * *",
         "Europe/Berlin",
         "2024-10-26 23:30:00",
         {"2024-10-27 00:00:00", "2024-10-27 02:00:00"}},
        {"45 1 * * *",
         "Australia/Lord_Howe",
         "2024-04-06 00:00:00",
         {"2024-04-06 14:45:00", "2024-04-07 15:15:00"}},
        {"30 1 * * *",
         "America/New_York",
         "2024-11-02 12:00:00",
         {"2024-11-03 05:30:00", "2024-11-04 06:30:00"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_runs(&rows[i]);
}

static void test_within_a_second(void **state)
{
    static const struct zone utc = {0};
    struct cron cron = cron_of("* * * * * *");

    assert_int_equal(cron_next(&cron, &utc, -1), 0);
    assert_int_equal(cron_next(&cron, &utc, 0), second_ns);
    assert_int_equal(cron_next(&cron, &utc, 1), second_ns);
    assert_int_equal(cron_next(&cron, &utc, second_ns - 1), second_ns);
    assert_int_equal(cron_next(&cron, &utc, second_ns), 2 * second_ns);
}

static void test_there_is_no_next_moment(void **state)
{
    static const struct zone utc = {0};
    struct cron second = cron_of("* * * * * *"), every = cron_of("@every 10227d"), year = cron_of("@yearly");
    /* 29 February on a Sunday: 2088 has one, 2100 has none at all, the next is 2128. */
    struct cron rare = cron_of("0 0 29 2 */6");

    rare.weekdays = 1;
    assert_int_equal(cron_next(&second, &utc, -2), -EINVAL);
    assert_int_equal(cron_next(&second, &utc, INT64_MIN), -EINVAL);
    assert_int_equal(cron_next(&second, &utc, INT64_MAX), -ENOENT);
    assert_int_equal(cron_next(&year, &utc, INT64_MAX - second_ns), -ENOENT);
    assert_int_equal(cron_next(&every, &utc, INT64_MAX), -ENOENT);
    assert_int_equal(cron_next(&rare, &utc, utc_s("2032-02-29 00:00:00") * second_ns),
                     utc_s("2060-02-29 00:00:00") * second_ns);
    assert_int_equal(cron_next(&rare, &utc, utc_s("2088-02-29 00:00:00") * second_ns), -ENOENT);
    assert_int_equal(cron_next(&rare, &utc, utc_s("2110-01-01 00:00:00") * second_ns),
                     utc_s("2128-02-29 00:00:00") * second_ns);
}

static void test_errors_say_where_and_what(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "character 1: there are 0 fields, 5 are needed, or 6 with seconds"},
        {"* * * *", "character 8: there are 4 fields, 5 are needed, or 6 with seconds"},
        {"* * * * * * *", "character 12: there are 7 fields, 5 are needed, or 6 with seconds"},
        {"60 * * * *", "character 1: minute '60': must be 0 to 59"},
        {"0 7,25 * * *", "character 5: hour '25': must be 0 to 23"},
        {"0 0 0 * *", "character 5: day of the month '0': must be 1 to 31"},
        {"0 0 * 13 *", "character 7: month '13': must be 1 to 12, or a name of three letters"},
        {"0 0 * foo *", "character 7: month 'foo': must be 1 to 12, or a name of three letters"},
        {"0 0 * * monday",
         "character 9: day of the week 'monday': must be 0 to 7, or a name of three letters"},
        {"0 0 * * 8", "character 9: day of the week '8': must be 0 to 7, or a name of three letters"},
        {"99 0 0 * * *", "character 1: second '99': must be 0 to 59"},
        {"4294967297 0 * * *", "character 1: minute '4294967297': must be 0 to 59"},
        {"0 20-10 * * *", "character 3: hour '20-10': runs backwards"},
        {"0 0 * * fri-mon", "character 9: day of the week 'fri-mon': runs backwards"},
        {"*/0 * * * *", "character 3: step '0': must be 1 to 59"},
        {"*/60 * * * *", "character 3: step '60': must be 1 to 59"},
        {"*/ * * * *", "character 3: step '': must be 1 to 59"},
        {"*/5/5 * * * *", "character 3: step '5/5': must be 1 to 59"},
        {"1, * * * *", "character 3: minute '': must be 0 to 59"},
        {",1 * * * *", "character 1: minute '': must be 0 to 59"},
        {"-5 * * * *", "character 1: minute '': must be 0 to 59"},
        {"+5 * * * *", "character 1: minute '+5': must be 0 to 59"},
        {"*5 * * * *", "character 1: minute '*5': a comma or blank is missing in it"},
        {"1-2-3 * * * *", "character 1: minute '1-2-3': a comma or blank is missing in it"},
        {"? * * * *", "character 1: minute '?': must be 0 to 59"},
        {"0 0 ?,1 * *", "character 5: day of the month '?': must be 1 to 31"},
        {"0 0 L-3 * *", "character 5: day of the month 'L-3': a comma or blank is missing in it"},
        {"0 0 * L *", "character 7: month 'L': must be 1 to 12, or a name of three letters"},
        {"0 0 * * L", "character 9: day of the week 'L': must be 0 to 7, or a name of three letters"},
        {"0 0 30 2 *", "character 5: day of the month '30': none of the months has it"},
        {"0 0 31 2,4,jun ?", "character 5: day of the month '31': none of the months has it"},
        {"0 \x01\xff * * *", "character 3: hour '?\?': must be 0 to 23"},
        {"0 123456789012345678901234567890 * * *",
         "character 3: hour '123456789012345678901234': must be 0 to 23"},
        {"@often",
         "character 1: schedule '@often': is none of @hourly @daily @midnight @weekly @monthly @yearly "
         "@annually @every"},
        {"@", "character 1: schedule '@': is none of @hourly @daily @midnight @weekly @monthly @yearly "
              "@annually @every"},
        {"@daily 5", "character 7: schedule ' 5': nothing may follow here"},
        {"@every 1s 2s", "character 10: schedule ' 2s': nothing may follow here"},
        {"@every", "character 7: duration '': is missing behind @every"},
        {"@every 5",
         "character 8: duration '5': must be like 90s, 1m30s or 1.5h; units are ns us ms s m h d"},
        {"@every 999ms", "character 8: duration '999ms': must be 1s to 10227d"},
        {"@every 0s", "character 8: duration '0s': must be 1s to 10227d"},
        {"@every 10228d", "character 8: duration '10228d': must be 1s to 10227d"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char error[CRON_ERROR_BYTES] = "";
        struct cron cron;

        assert_int_equal(cron_parse((struct bytes){rows[i].text, strlen(rows[i].text)}, &cron, error),
                         -EINVAL);
        assert_string_equal(error, rows[i].error);
    }
}

static void test_length_is_limited(void **state)
{
    char text[CRON_TEXT_BYTES_MAX + 2], error[CRON_ERROR_BYTES];
    struct cron cron;

    memset(text, ' ', sizeof(text));
    memcpy(text, "@daily", 6);
    assert_int_equal(cron_parse((struct bytes){text, CRON_TEXT_BYTES_MAX}, &cron, error), 0);
    assert_int_equal(cron_parse((struct bytes){text, CRON_TEXT_BYTES_MAX + 1}, &cron, error), -E2BIG);
    assert_string_equal(error, "the schedule has 513 characters; 512 are allowed");
    assert_int_equal(cron_parse((struct bytes){0}, &cron, error), -EINVAL);
    assert_int_equal(cron_parse((struct bytes){"@daily\0x", 8}, &cron, error), -EINVAL);
}

/* @every reads durations as the command line does. */
static void test_durations_as_goctl_reads_them(void **state)
{
    static const char *const texts[] = {"1s",
                                        "90s",
                                        "1m30s",
                                        "1.5h",
                                        "2d",
                                        "0.25d",
                                        "1h0.5m",
                                        "1000ms",
                                        "1.9999999999s",
                                        "1000000us",
                                        "s",
                                        "2",
                                        "-2s",
                                        "2x",
                                        "2sx",
                                        ".5s",
                                        "1.s",
                                        "+1s",
                                        "1e3s",
                                        "2S",
                                        "1,5s",
                                        "0x1s",
                                        "2min",
                                        "99999999999999999999s",
                                        "9223372036s9223372036s",
                                        "1s2",
                                        "1..5s"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[64], error[CRON_ERROR_BYTES];
        struct cron cron = {0};
        int64_t ns = 0;
        int n = snprintf(text, sizeof(text), "@every %s", texts[i]);
        int wanted = parse_duration(texts[i], &ns) < 0 ? -EINVAL : 0;

        assert_int_equal(cron_parse((struct bytes){text, (size_t)n}, &cron, error), wanted);
        assert_true(wanted < 0 || cron.every_ns == ns);
    }
}

static void test_dates_follow_each_other(void **state)
{
    struct date before = calendar_date(-134774);

    assert_int_equal(before.year, 1601);
    assert_int_equal(before.weekday, 1);
    assert_int_equal(calendar_days(1970, 1, 1), 0);
    assert_int_equal(calendar_date(0).weekday, 4);
    for (int64_t day = -134773; day < 130000; day++) {
        struct date date = calendar_date(day);
        bool same_month =
            date.day == before.day + 1 && date.month == before.month && date.year == before.year;
        bool new_month = date.day == 1 && before.day == calendar_month_days(before.year, before.month) &&
                         (date.month == before.month + 1
                              ? date.year == before.year
                              : date.month == 1 && before.month == 12 && date.year == before.year + 1);

        assert_true(same_month || new_month);
        assert_int_equal(date.weekday, (before.weekday + 1) % 7);
        assert_int_equal(calendar_days(date.year, date.month, date.day), day);
        before = date;
    }
}

/* Bytes of chance, and good schedules with a byte changed: in a heap block of their size, so that a sanitizer sees
 * every byte too far. What is taken has a next moment. */
static void test_any_bytes_are_taken_or_refused(void **state)
{
    static const char *const good[] = {"*/5 1-5,7 L jan-mar,12 mon-fri", "0 30 2 1/3 * ?", "@every 1h1.5m",
                                       "@monthly"};
    static const char likely[] = "0123456789*/-,?L@ \tjanmonsun.every";
    static const struct zone utc = {0};
    uint64_t seed = 7;

    for (int i = 0; i < 20000; i++) {
        const char *base = good[chance(&seed, 4)];
        size_t size = i % 2 ? strlen(base) : chance(&seed, 24);
        char *text = malloc(size + !size), error[CRON_ERROR_BYTES];
        struct cron cron;

        memcpy(text, base, i % 2 ? size : 0);
        for (size_t k = 0; k < size; k++)
            if (i % 2 == 0 || chance(&seed, 12) == 0)
                text[k] =
                    chance(&seed, 10) ? likely[chance(&seed, sizeof(likely) - 1)] : (char)chance(&seed, 256);
        memset(error, 'x', sizeof(error));
        int r = cron_parse((struct bytes){text, size}, &cron, error);
        if (r < 0)
            assert_non_null(memchr(error, 0, sizeof(error)));
        else
            assert_true(cron_next(&cron, &utc, 5) > 5);
        free(text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form_of_a_field),
        cmocka_unit_test(test_day_fields_are_either_when_both_restrict),
        cmocka_unit_test(test_macros),
        cmocka_unit_test(test_clocks_go_forward),
        cmocka_unit_test(test_clocks_go_back),
        cmocka_unit_test(test_within_a_second),
        cmocka_unit_test(test_there_is_no_next_moment),
        cmocka_unit_test(test_errors_say_where_and_what),
        cmocka_unit_test(test_length_is_limited),
        cmocka_unit_test(test_durations_as_goctl_reads_them),
        cmocka_unit_test(test_dates_follow_each_other),
        cmocka_unit_test(test_any_bytes_are_taken_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
