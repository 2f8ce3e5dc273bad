/* Ids under which messages of a topic were published once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bare_core.h"
#include "topic_once.h"

enum { STEPS = 20000, IDS = 300 };

static struct core *core;
static struct once_window window;

static int set_up(void **state)
{
    core = bare_core();
    once_window_init(&window);
    return core ? 0 : -1;
}

static int tear_down(void **state)
{
    once_window_free(core, &window);
    core_delete(core);
    assert_int_equal(bare_pieces, 0);
    return 0;
}

static struct bytes id_of(uint64_t n, char room[8])
{
    memcpy(room, &n, sizeof(n));
    return (struct bytes){room, 8};
}

static void add(uint64_t n, uint64_t sequence, int64_t time_us)
{
    char room[8];
    struct topic_once *once = topic_once_new(core, &window, id_of(n, room));

    once->sequence = sequence;
    once->time_us = time_us;
    once_window_add(core, &window, once);
}

static const struct topic_once *find(uint64_t n)
{
    char room[8];

    return once_window_find(core, &window, id_of(n, room));
}

static void test_what_is_older_is_forgotten(void **state)
{
    add(1, 10, 100);
    add(2, 11, 200);
    assert_int_equal(once_window_expire(core, &window, 200), 1);
    assert_null(find(1));
    assert_int_equal(find(2)->sequence, 11);
}

static void test_what_was_not_added_is_not_there(void **state)
{
    char room[8];
    struct topic_once *once = topic_once_new(core, &window, id_of(7, room));

    assert_null(find(7));
    topic_once_delete(core, once);
    topic_once_delete(core, NULL);
}

static void test_without_memory_there_is_none(void **state)
{
    char room[8];

    bare_refuses = true;
    assert_null(topic_once_new(core, &window, id_of(7, room)));
    bare_refuses = false;
}

/* The time is the number of the step; an id counts for 100 of them. */
static void test_random_programs_agree_with_a_table(void **state)
{
    static uint64_t published[IDS];

    for (uint64_t i = 1; i <= STEPS; i++) {
        uint64_t n = bare_draw(IDS);
        bool known = published[n] && published[n] + 100 >= i;

        once_window_expire(core, &window, (int64_t)i - 100);
        assert_int_equal(find(n) != NULL, known);
        if (known)
            assert_int_equal(find(n)->sequence, published[n]);
        else
            add(n, i, (int64_t)i);
        published[n] = known ? published[n] : i;
    }
}

#define ONCE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONCE_TEST(test_what_is_older_is_forgotten),
        ONCE_TEST(test_what_was_not_added_is_not_there),
        ONCE_TEST(test_without_memory_there_is_none),
        ONCE_TEST(test_random_programs_agree_with_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
