/* Zones from files: the offsets that the C library has, names and bytes of anybody, and rules. */
#include "cron_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "calendar.h"
#include "zone_rule.h"

static const int64_t last_s = INT64_MAX / 1000000000;

static int32_t offset_at(const struct zone *zone, int64_t at_s)
{
    return zone_span(zone, zone_span_of(zone, at_s)).offset_s;
}

static long libc_offset(int64_t at_s)
{
    time_t at = (time_t)at_s;
    struct tm tm;

    localtime_r(&at, &tm);
    return tm.tm_gmtoff;
}

static void compare(const char *name, const struct zone *zone, int64_t at_s)
{
    if (offset_at(zone, at_s) != libc_offset(at_s))
        fail_msg("%s at %lld: %d, the C library says %ld", name, (long long)at_s, offset_at(zone, at_s),
                 libc_offset(at_s));
}

/* At moments of chance, and on both sides of every change that either knows. */
static void compare_zone(const char *name, uint64_t *seed)
{
    struct zone *zone = zone_of(name);

    assert_int_equal(zone_check(zone), 0);
    setenv("TZ", name, 1);
    tzset();
    for (int i = 0; i < 200; i++)
        compare(name, zone, (int64_t)chance(seed, UINT32_MAX) * 86400 % last_s);
    for (size_t i = 0; i < zone->changes_n && zone->changes[i].at_s <= last_s; i++) {
        compare(name, zone, zone->changes[i].at_s);
        compare(name, zone, zone->changes[i].at_s - 1);
    }
    zone_delete(zone);
}

/* All zones that the system names. */
static void test_offsets_are_those_of_the_c_library(void **state)
{
    FILE *list = fopen(ZONE_FOLDER "/zone1970.tab", "r");
    char line[512], name[128];
    uint64_t seed = 11;
    int zones = 0;

    assert_non_null(list);
    while (fgets(line, sizeof(line), list))
        if (sscanf(line, "%*[^#\t]\t%*s\t%127s", name) == 1) {
            compare_zone(name, &seed);
            zones++;
        }
    fclose(list);
    assert_true(zones > 250);
    compare_zone("UTC", &seed);
    compare_zone("Etc/GMT+12", &seed);
}

static void test_zones_written_out_to_the_end_of_time(void **state)
{
    struct zone *berlin = zone_of("Europe/Berlin"), *kathmandu = zone_of("Asia/Kathmandu");

    assert_int_equal(offset_at(berlin, utc_s("2261-07-01 00:00:00")), 7200);
    assert_int_equal(offset_at(berlin, utc_s("2261-12-01 00:00:00")), 3600);
    assert_int_equal(offset_at(berlin, utc_s("2024-03-31 00:59:59")), 3600);
    assert_int_equal(offset_at(berlin, utc_s("2024-03-31 01:00:00")), 7200);
    assert_int_equal(kathmandu->changes_n, 1);
    assert_int_equal(kathmandu->changes[0].offset_s, 20700);
    zone_delete(berlin);
    zone_delete(kathmandu);
    assert_null(zone_delete(NULL));
}

static void test_names_that_are_refused(void **state)
{
    static const struct {
        const char *name;
        int error;
    } rows[] = {
        {"", -EINVAL},
        {"/etc/localtime", -EINVAL},
        {"../../../etc/passwd", -EINVAL},
        {"Europe/./Berlin", -EINVAL},
        {"Europe Berlin", -EINVAL},
        {"a0123456789012345678901234567890123456789012345678901234567890123", -EINVAL},
        {"a012345678901234567890123456789012345678901234567890123456789012", -ENOENT},
        {"Europe/Nowhere", -ENOENT},
        {"Europe/Berlin/Mitte", -ENOENT},
        {"Europe", -ENOENT},
        {"leapseconds", -EBADMSG},
        {"right/Europe/Berlin", -EBADMSG}, /* counts leap seconds */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct zone *zone = NULL;
        int r = zone_file_read(ZONE_FOLDER, rows[i].name, &zone);

        /* Some systems leave out the last two files. */
        if (rows[i].error != -EBADMSG || r != -ENOENT)
            assert_int_equal(r, rows[i].error);
        assert_null(zone);
    }
}

static struct zone_rule rule_of(const char *text)
{
    struct zone_rule rule;

    assert_int_equal(zone_rule_parse((struct bytes){text, strlen(text)}, &rule), 0);
    return rule;
}

static void test_rules_of_a_year(void **state)
{
    static const struct {
        const char *rule;
        int year;
        const char *first, *second; /* UTC */
        int32_t first_offset_s;
    } rows[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2024, "2024-03-31 01:00:00", "2024-10-27 01:00:00", 7200},
        {"EST5EDT,M3.2.0,M11.1.0", 2024, "2024-03-10 07:00:00", "2024-11-03 06:00:00", -14400},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2024, "2024-04-06 15:00:00", "2024-10-05 15:30:00", 37800},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 2024, "2024-03-31 01:00:00", "2024-10-27 01:00:00", 3600},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2024, "2024-03-31 01:00:00", "2024-10-27 01:00:00", -3600},
        {"<-04>4<-03>,M9.1.6/24,M4.1.6/24", 2024, "2024-04-07 03:00:00", "2024-09-08 04:00:00", -14400},
        {"AAA0BBB,J60/0,J365/0", 2024, "2024-03-01 00:00:00", "2024-12-30 23:00:00", 3600},
        {"AAA0BBB,J59/0,J60/0", 2024, "2024-02-28 00:00:00", "2024-02-29 23:00:00", 3600},
        {"AAA0BBB,59/0,365/0:30:15", 2024, "2024-02-29 00:00:00", "2024-12-30 23:30:15", 3600},
        {"AAA+0BBB-2,M2.4.1/2,M2.5.1/2", 2024, "2024-02-26 02:00:00", "2024-02-26 00:00:00", 7200},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct zone_rule rule = rule_of(rows[i].rule);
        struct zone_change two[2];
        int64_t first = utc_s(rows[i].first), second = utc_s(rows[i].second);
        bool turned = first > second; /* the earlier one comes first, whatever it is */

        zone_rule_year(&rule, rows[i].year, two);
        assert_int_equal(two[turned].at_s, first);
        assert_int_equal(two[!turned].at_s, second);
        assert_int_equal(two[turned].offset_s, rows[i].first_offset_s);
    }
    assert_false(rule_of("JST-9").changes);
    assert_int_equal(rule_of("<+0545>-5:45").offset_s, 20700);
}

static void test_rules_that_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "A0",
        "AB1",
        "CET",
        "CET-",
        "CET-25",
        "CET-1:60",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "<+01-1",
        "CET-1,",
        "CET-1 ",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5,M10.5.0",
        "CET-1CEST,J0,J365",
        "CET-1CEST,J366,J1",
        "CET-1CEST,366,1",
        "CET-1CEST,1/168,2",
        "CET-1CEST,1,2,3",
        "CET-99999999999",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct zone_rule rule;

        assert_int_equal(zone_rule_parse((struct bytes){wrong[i], strlen(wrong[i])}, &rule), -EBADMSG);
    }
}

/* The file of a zone, and its size. */
static size_t load(const char *name, char *bytes, size_t size)
{
    char path[256];
    ssize_t n;

    snprintf(path, sizeof(path), "%s/%s", ZONE_FOLDER, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    n = read(fd, bytes, size);
    close(fd);
    assert_true(n > 0 && (size_t)n < size);
    return (size_t)n;
}

/* In a heap block of their size, so that a sanitizer sees every byte too far. */
static int read_exactly(const char *bytes, size_t size)
{
    static const char *const schedules[] = {"30 2 * * *", "*/7 * * * *", "0 0 29 2 *"};
    char *copy = malloc(size + !size);
    struct zone *zone = NULL;

    memcpy(copy, bytes, size);
    int r = zone_data_read((struct bytes){copy, size}, &zone);
    free(copy);
    assert_true(r == 0 ? zone && zone_check(zone) == 0 : r == -EBADMSG && !zone);
    for (int i = 0; i < 3 && zone; i++) {
        struct cron cron = cron_of(schedules[i]);

        assert_true(cron_next(&cron, zone, 1700000000 * second_ns) > 1700000000 * second_ns);
    }
    zone_delete(zone);
    return r;
}

static void test_every_file_cut_short_is_refused(void **state)
{
    char bytes[8192];
    size_t size = load("Europe/Berlin", bytes, sizeof(bytes));

    assert_int_equal(read_exactly(bytes, size), 0);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(read_exactly(bytes, cut), -EBADMSG);
}

static void test_any_bytes_are_a_zone_or_refused(void **state)
{
    static const char *const names[] = {"Europe/Berlin", "Africa/Casablanca", "Asia/Kathmandu"};
    char bytes[8192], changed[8192];
    uint64_t seed = 5;
    int refused = 0, taken = 0;

    for (int i = 0; i < 6000; i++) {
        size_t size = load(names[i % 3], bytes, sizeof(bytes));

        memcpy(changed, bytes, size);
        for (uint32_t k = 1 + chance(&seed, 4); k > 0; k--) {
            uint32_t at =
                chance(&seed, 2) ? chance(&seed, (uint32_t)size) : (uint32_t)size - 1 - chance(&seed, 160);
            changed[at] = (char)chance(&seed, 256);
        }
        int r = read_exactly(changed, size);
        refused += r < 0;
        taken += r == 0;
    }
    assert_true(refused > 100 && taken > 100);
}

static void test_a_zone_of_impossible_changes_is_refused(void **state)
{
    struct zone *zone = calloc(1, sizeof(*zone) + 2 * sizeof(struct zone_change));

    zone->changes_n = 2;
    zone->changes[0] = (struct zone_change){0, 3600};
    zone->changes[1] = (struct zone_change){ZONE_CHANGES_APART_S + 1, 0};
    assert_int_equal(zone_check(zone), 0);
    zone->changes[1].at_s--;
    assert_int_equal(zone_check(zone), -EINVAL);
    zone->changes[1] = (struct zone_change){INT64_MAX, 3600};
    assert_int_equal(zone_check(zone), -EINVAL); /* changes nothing */
    zone->changes[1].offset_s = ZONE_OFFSET_S_MAX + 1;
    assert_int_equal(zone_check(zone), -EINVAL);
    zone->changes[1].offset_s = 0;
    zone->changes[0].at_s = INT64_MIN;
    assert_int_equal(zone_check(zone), 0);
    free(zone);
}

/* A file of exactly ZONE_FILE_BYTES_MAX bytes is read, though it is no zone; a larger one is not. */
static void test_a_file_too_large_is_not_read(void **state)
{
    char folder[] = "/tmp/zones.XXXXXX", path[64], name[ZONE_NAME_BYTES_MAX + 2];
    struct zone *zone = NULL;

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/Large", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, ZONE_FILE_BYTES_MAX), 0);
    assert_int_equal(zone_file_read(folder, "Large", &zone), -EBADMSG);
    assert_int_equal(ftruncate(fd, ZONE_FILE_BYTES_MAX + 1), 0);
    close(fd);
    assert_int_equal(zone_file_read(folder, "Large", &zone), -E2BIG);
    unlink(path);
    rmdir(folder);
    memset(name, 'a', sizeof(name));
    name[ZONE_NAME_BYTES_MAX] = 0;
    assert_int_equal(zone_file_read(folder, name, &zone), -ENOENT);
    name[ZONE_NAME_BYTES_MAX] = 'a';
    name[ZONE_NAME_BYTES_MAX + 1] = 0;
    assert_int_equal(zone_file_read(folder, name, &zone), -EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_too_large_is_not_read),
        cmocka_unit_test(test_offsets_are_those_of_the_c_library),
        cmocka_unit_test(test_zones_written_out_to_the_end_of_time),
        cmocka_unit_test(test_names_that_are_refused),
        cmocka_unit_test(test_rules_of_a_year),
        cmocka_unit_test(test_rules_that_are_refused),
        cmocka_unit_test(test_every_file_cut_short_is_refused),
        cmocka_unit_test(test_any_bytes_are_a_zone_or_refused),
        cmocka_unit_test(test_a_zone_of_impossible_changes_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
