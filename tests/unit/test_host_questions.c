/* What a host tells when it is asked. The daemon is this file: it takes pieces, or has no memory for them. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "goroutine.h"
#include "inspect.h"
#include "message_inspect.h"
#include "recording.h"

/* One answer, under `lock`. */
static struct {
    uint64_t number;
    char *text;
    size_t size;
    int error, refused; /* pieces are refused so often before each is taken */
    bool over;
} told;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static int refusals, refusals_left;

static bool refuse(void)
{
    bool refuses = refusals_left > 0;

    refusals_left = refuses ? refusals_left - 1 : refusals;
    told.refused += refuses;
    return refuses;
}

static int take(uint64_t number, const void *text, size_t size, bool last, int error)
{
    pthread_mutex_lock(&lock);
    if (refuse()) {
        pthread_mutex_unlock(&lock);
        return -ENOMEM;
    }
    assert_false(told.over);
    told.number = number;
    told.text = realloc(told.text, told.size + size + 1);
    memcpy(told.text + told.size, text, size);
    told.size += size;
    told.text[told.size] = '\0';
    told.error = error;
    told.over = last;
    pthread_cond_signal(&news);
    pthread_mutex_unlock(&lock);
    return 0;
}

int gc_host_dumped(gc_client *g, uint64_t dump, const void *text, size_t size, bool last)
{
    return take(dump, text, size, last, 0);
}

int gc_host_dump_failed(gc_client *g, uint64_t dump, int error, const char *why)
{
    return take(dump, why, strlen(why), true, error);
}

static int answer(unsigned what, uint64_t number)
{
    free(told.text);
    memset(&told, 0, sizeof told);
    question_answer(&(struct question){.number = number, .what = what});
    pthread_mutex_lock(&lock);
    while (!told.over)
        pthread_cond_wait(&news, &lock);
    pthread_mutex_unlock(&lock);
    assert_int_equal(told.number, number);
    return told.error;
}

static void test_a_piece_that_found_no_memory_is_sent_again(void **state)
{
    refusals = refusals_left = 3;
    assert_int_equal(answer(INSPECT_STATS, 1), 0);
    assert_int_equal(told.refused, 6); /* of the text, and of its end */
    assert_non_null(strstr(told.text, "goroutines "));
    refusals_left = 3;
    assert_int_equal(answer(INSPECT_CPU_STOP, 2), -ENOENT);
    assert_int_equal(told.refused, 3);
    refusals = refusals_left = 0;
}

static const struct {
    unsigned start, stop;
} kinds[] = {{INSPECT_CPU_START, INSPECT_CPU_STOP}, {INSPECT_TRACE_START, INSPECT_TRACE_STOP}};

enum { KINDS = sizeof kinds / sizeof *kinds };

static void test_what_was_halted_is_told_once(void **state)
{
    for (int i = 0; i < KINDS; i++) {
        assert_int_equal(answer(kinds[i].start, 10), 0);
        assert_int_equal(answer(kinds[i].start, 11), -EBUSY);
        recording_order(INSPECT_HALT, 10);
        assert_int_equal(answer(kinds[i].stop, 12), 0);
        assert_int_equal(answer(kinds[i].stop, 13), -ENOENT);
    }
}

static void test_a_trace_that_was_halted_is_told_as_it_was(void **state)
{
    assert_int_equal(answer(INSPECT_TRACE_START, 10), 0);
    recording_order(INSPECT_HALT, 10);
    assert_int_equal(answer(INSPECT_TRACE_STOP, 11), 0);
    assert_true(told.size > 2 && strchr("[{", told.text[0]));
}

static void test_what_was_dropped_had_not_begun(void **state)
{
    for (int i = 0; i < KINDS; i++) {
        assert_int_equal(answer(kinds[i].start, 20), 0);
        recording_order(INSPECT_DROP, 20);
        assert_int_equal(answer(kinds[i].stop, 21), -ENOENT);
        assert_int_equal(answer(kinds[i].start, 22), 0);
        recording_order(INSPECT_HALT, 22);
        recording_order(INSPECT_DROP, 22);
        assert_int_equal(answer(kinds[i].stop, 23), -ENOENT);
    }
}

static void test_an_order_that_comes_late_ends_nothing_else(void **state)
{
    for (int i = 0; i < KINDS; i++) {
        assert_int_equal(answer(kinds[i].start, 30), 0);
        recording_order(INSPECT_DROP, 29);
        recording_order(INSPECT_DROP, 0);
        assert_int_equal(answer(kinds[i].stop, 31), 0);
    }
}

static void test_what_was_halted_makes_room_for_the_next(void **state)
{
    for (int i = 0; i < KINDS; i++) {
        assert_int_equal(answer(kinds[i].start, 40), 0);
        recording_order(INSPECT_HALT, 40);
        assert_int_equal(answer(kinds[i].start, 41), 0);
        recording_order(INSPECT_DROP, 40);
        assert_int_equal(answer(kinds[i].stop, 42), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_piece_that_found_no_memory_is_sent_again),
        cmocka_unit_test(test_what_was_halted_is_told_once),
        cmocka_unit_test(test_a_trace_that_was_halted_is_told_as_it_was),
        cmocka_unit_test(test_what_was_dropped_had_not_begun),
        cmocka_unit_test(test_an_order_that_comes_late_ends_nothing_else),
        cmocka_unit_test(test_what_was_halted_makes_room_for_the_next),
    };
    int r;

    if (go_start(1) < 0)
        return 2;
    r = cmocka_run_group_tests(tests, NULL, NULL);
    questions_end();
    free(told.text);
    return r;
}
