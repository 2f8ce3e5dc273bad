/* Profiles: how many goroutines stand where, and where the time goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "goroutine_inspect.h"
#include "rt_test.h"
#include "rt_written.h"

/* The thread sanitizer delivers a signal later than it came: the stack is another one by then. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIGNALS_COME_LATE 1
#endif
#endif
#ifndef SIGNALS_COME_LATE
#define SIGNALS_COME_LATE 0
#endif

/* ---- reading what was written ---- */

/* The sum of the counts of the lines that contain `what`. */
static long folded_sum(const char *text, const char *what)
{
    long sum = 0;

    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        const char *hit = strstr(line, what), *count = end;

        while (count[-1] != ' ')
            count--;
        if (hit && hit < end)
            sum += strtol(count, NULL, 10);
    }
    return sum;
}

static uint64_t varint(const unsigned char **p)
{
    uint64_t v = 0;

    for (int shift = 0;; shift += 7) {
        v |= (uint64_t)(**p & 0x7f) << shift;
        if (!(*(*p)++ & 0x80))
            return v;
    }
}

/* Calls fn for every field of a message: bytes and their number, or the number alone. */
static void fields(const unsigned char *p, size_t n,
                   void (*fn)(uint64_t field, const unsigned char *p, uint64_t n, void *arg), void *arg)
{
    const unsigned char *end = p + n;

    while (p < end) {
        uint64_t key = varint(&p), value = varint(&p);

        assert_true((key & 7) == 0 || (key & 7) == 2);
        fn(key >> 3, (key & 7) == 2 ? p : NULL, value, arg);
        if ((key & 7) == 2)
            p += value;
    }
    assert_true(p == end);
}

struct pprof {
    long samples, sum, locations, functions, strings;
    char text[65536]; /* all strings, one a line */
    size_t used;
};

static void sample_field(uint64_t field, const unsigned char *p, uint64_t n, void *arg)
{
    struct pprof *r = arg;

    if (field == 2)
        r->sum += (long)varint(&p); /* the first of its values */
}

static void profile_field(uint64_t field, const unsigned char *p, uint64_t n, void *arg)
{
    struct pprof *r = arg;

    r->samples += field == 2;
    r->locations += field == 4;
    r->functions += field == 5;
    r->strings += field == 6;
    if (field == 2)
        fields(p, n, sample_field, r);
    if (field == 6)
        r->used +=
            (size_t)snprintf(r->text + r->used, sizeof r->text - r->used, "%.*s\n", (int)n, (const char *)p);
}

/* ---- goroutines ---- */

static void receives(void *arg)
{
    go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER);
    go_yield();
}

static void sends(void *arg)
{
    go_chan_send(*(go_chan **)arg, NULL, GO_FOREVER);
    go_yield();
}

struct crowd {
    go_chan *in, *out;
};

static struct crowd crowd_start(void)
{
    struct crowd c = {go_chan_new(0, 0), go_chan_new(0, 0)};

    for (int i = 0; i < 100; i++)
        assert_int_equal(go_spawn(receives, &c.in, sizeof c.in), 0);
    for (int i = 0; i < 7; i++)
        assert_int_equal(go_spawn(sends, &c.out, sizeof c.out), 0);
    rt_wait_parked(107);
    return c;
}

static void crowd_end(struct crowd c)
{
    go_chan_close(c.in);
    go_chan_close(c.out);
    rt_wait_live(1);
    go_chan_unref(c.in);
    go_chan_unref(c.out);
}

RT_TEST(test_goroutine_profile_counts_those_that_stand_at_one_place)
{
    struct crowd c = crowd_start();
    int fd = rt_paper();
    char *text;

    assert_int_equal(go_goroutine_profile(NULL, fd, GO_PROFILE_FOLDED), 0);
    text = rt_written(fd, NULL);
    assert_int_equal(rt_times(text, "\n"), 3);
    assert_non_null(strstr(text, "receives;go_chan_recv 100\n"));
    assert_non_null(strstr(text, "sends;go_chan_send 7\n"));
    assert_int_equal(folded_sum(text, "test_goroutine_profile_counts"), 1);
    assert_int_equal(folded_sum(text, ""), go_live());
    free(text);
    crowd_end(c);
}

RT_TEST(test_goroutine_profile_in_pprof_has_the_same_groups_and_names)
{
    static struct pprof r;
    struct crowd c = crowd_start();
    int fd = rt_paper();
    size_t size;
    char *bytes;

    assert_int_equal(go_goroutine_profile(NULL, fd, GO_PROFILE_PPROF), 0);
    bytes = rt_written(fd, &size);
    memset(&r, 0, sizeof r);
    fields((unsigned char *)bytes, size, profile_field, &r);
    assert_int_equal(r.samples, 3);
    assert_int_equal(r.sum, go_live());
    assert_true(r.locations >= 5 && r.functions >= 5);
    assert_true(r.text[0] == '\n');
    assert_non_null(strstr(r.text, "\ngoroutine\ncount\n"));
    assert_non_null(strstr(r.text, "\nreceives\n"));
    assert_non_null(strstr(r.text, "\nsends\n"));
    assert_non_null(strstr(r.text, "tests/unit/test_rt_profile.c\n"));
    free(bytes);
    crowd_end(c);
}

RT_TEST(test_goroutine_profile_of_a_group_leaves_out_the_others)
{
    struct crowd c = crowd_start();
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct go_spawn_options options = {.group = group};
    int fd = rt_paper();
    char *text;

    assert_int_equal(go_spawn_with(receives, &c.in, sizeof c.in, &options), 0);
    rt_wait_parked(108);
    assert_int_equal(go_goroutine_profile(group, fd, GO_PROFILE_FOLDED), 0);
    text = rt_written(fd, NULL);
    assert_string_equal(text, "receives;go_chan_recv 1\n");
    free(text);
    crowd_end(c);
    go_group_unref(group);
}

RT_TEST(test_profile_in_no_known_format_is_EINVAL)
{
    assert_int_equal(go_goroutine_profile(NULL, 1, (enum go_profile_format)7), -EINVAL);
}

/* ---- CPU time ---- */

static volatile long sink;

static __attribute__((noinline)) void hot(long n)
{
    for (long i = 0; i < n; i++)
        sink = sink + i;
}

static __attribute__((noinline)) void cold(long n)
{
    for (long i = 0; i < n; i++)
        sink = sink + i;
}

static void burns(void *arg)
{
    for (int i = 0; i < 100; i++) {
        hot(450000);
        cold(50000);
        go_checkpoint();
    }
    go_chan_send(*(go_chan **)arg, NULL, GO_FOREVER);
}

static char *cpu_profile_text(void)
{
    int fd = rt_paper();

    assert_int_equal(go_cpu_profile_write(fd, GO_PROFILE_FOLDED), 0);
    return rt_written(fd, NULL);
}

/* Until `enough` samples were taken of it. */
static char *burn(long enough)
{
    go_chan *done = go_chan_new(0, 0);
    char *text = NULL;

    do {
        free(text);
        assert_int_equal(go_spawn(burns, &done, sizeof done), 0);
        go_chan_recv(done, NULL, GO_FOREVER);
        text = cpu_profile_text();
    } while (folded_sum(text, SIGNALS_COME_LATE ? "" : "burns;") < enough);
    go_chan_unref(done);
    return text;
}

RT_TEST(test_cpu_profile_shows_the_hot_function_below_its_goroutine)
{
    long in_hot, in_burns;
    char *text;

    assert_int_equal(go_cpu_profile_start(1000), 0);
    text = burn(200);
    assert_true(go_cpu_profile_stop() >= 0);
    in_burns = folded_sum(text, "burns;");
    in_hot = folded_sum(text, ";hot ");
    if (!SIGNALS_COME_LATE) {
        assert_true(in_burns >= 200);
        assert_true(in_hot > in_burns / 2);
        assert_true(folded_sum(text, ";cold ") < in_hot);
    }
    free(text);
}

RT_TEST(test_cpu_profile_stays_readable_after_its_stop_and_counts_no_more)
{
    static struct pprof r;
    size_t size;
    char *text, *later;
    int fd = rt_paper();

    assert_int_equal(go_cpu_profile_start(1000), 0);
    free(burn(20));
    assert_true(go_cpu_profile_stop() >= 0);
    text = cpu_profile_text();
    hot(5000000);
    later = cpu_profile_text();
    assert_string_equal(text, later);
    assert_int_equal(go_cpu_profile_write(fd, GO_PROFILE_PPROF), 0);
    free(later);
    later = rt_written(fd, &size);
    memset(&r, 0, sizeof r);
    fields((unsigned char *)later, size, profile_field, &r);
    assert_int_equal(r.sum, folded_sum(text, ""));
    assert_non_null(strstr(r.text, "\ncpu\nnanoseconds\n"));
    free(text);
    free(later);
}

RT_TEST(test_cpu_profile_refuses_what_it_cannot_do)
{
    assert_int_equal(go_cpu_profile_start(0), -EINVAL);
    assert_int_equal(go_cpu_profile_start(1001), -EINVAL);
    assert_int_equal(go_cpu_profile_stop(), -ESRCH);
    assert_int_equal(go_cpu_profile_start(100), 0);
    assert_int_equal(go_cpu_profile_start(100), -EBUSY);
    assert_int_equal(go_cpu_profile_stop(), 0);
}

static void test_cpu_profile_without_a_runtime_is_ESRCH(void **state)
{
    assert_int_equal(go_cpu_profile_start(100), -ESRCH);
    assert_int_equal(go_cpu_profile_write(1, GO_PROFILE_FOLDED), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_cpu_profile_without_a_runtime_is_ESRCH),
        RT_UNIT(test_goroutine_profile_counts_those_that_stand_at_one_place),
        RT_UNIT(test_goroutine_profile_in_pprof_has_the_same_groups_and_names),
        RT_UNIT(test_goroutine_profile_of_a_group_leaves_out_the_others),
        RT_UNIT(test_profile_in_no_known_format_is_EINVAL),
        RT_UNIT(test_cpu_profile_shows_the_hot_function_below_its_goroutine),
        RT_UNIT(test_cpu_profile_stays_readable_after_its_stop_and_counts_no_more),
        RT_UNIT(test_cpu_profile_refuses_what_it_cannot_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
