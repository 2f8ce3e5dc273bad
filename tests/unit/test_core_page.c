/* Pages of a list by name against an array that is sorted: rows come in any order and cost something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bare_core.h"
#include "name_page.h"

enum { NAMES = 40, ROUNDS = 2000 };

struct known {
    char text[2];
    uint64_t cost;
};

struct row {
    struct bytes name;
    uint64_t cost;
};

static struct core *core;
static struct known known[NAMES];

static int set_up(void **state)
{
    core = bare_core();
    return core ? 0 : -1;
}

static int tear_down(void **state)
{
    core_delete(core);
    assert_int_equal(bare_pieces, 0);
    return 0;
}

/* Names of two letters, rising. */
static void name_all(uint64_t dearest)
{
    for (unsigned i = 0; i < NAMES; i++)
        known[i] =
            (struct known){.text = {(char)('a' + i / 8), (char)('a' + i % 8)}, .cost = bare_draw(dearest)};
}

static struct bytes name_of(unsigned i)
{
    return (struct bytes){known[i].text, 2};
}

/* Asks for all of them behind `after`, in no order. */
static void place_all(struct name_page *page)
{
    unsigned order[NAMES];

    for (unsigned i = 0; i < NAMES; i++) {
        uint64_t at = bare_draw(i + 1);

        order[i] = order[at];
        order[at] = i;
    }
    for (unsigned i = 0; i < NAMES; i++) {
        struct row *row = name_page_place_for(page, name_of(order[i]), known[order[i]].cost);

        if (row)
            *row = (struct row){.name = name_of(order[i]), .cost = known[order[i]].cost};
    }
}

/* How many of those from `from` on are on one page. */
static size_t expected(unsigned from, size_t limit)
{
    uint64_t cost = known[from].cost;
    size_t n = 1;

    while (from + n < NAMES && n < limit && cost + known[from + n].cost <= core->limits.sweep_per_turn)
        cost += known[from + n++].cost;
    return n;
}

static void assert_page(unsigned from, size_t limit)
{
    struct bytes after = from ? name_of(from - 1) : (struct bytes){0};
    size_t n = expected(from, limit);
    const struct row *row;
    struct name_page page;

    assert_int_equal(name_page_new(core, &page, sizeof(struct row), (struct bytes){0}, after, limit), 0);
    place_all(&page);
    assert_int_equal(page.n, n);
    row = page.row;
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(row[i].name.data, known[from + i].text);
        assert_int_equal(row[i].cost, known[from + i].cost);
    }
    assert_int_equal(name_page_flags(&page), from + n < NAMES ? RESULT_MORE : 0);
    core_free(core, page.row);
}

static void test_page_has_the_first_rows_that_one_turn_may_fill(void **state)
{
    for (int i = 0; i < ROUNDS; i++) {
        name_all(1 + bare_draw(9));
        core->limits.sweep_per_turn = 1 + bare_draw(60);
        assert_page((unsigned)bare_draw(NAMES), 1 + bare_draw(NAMES));
    }
}

/* However much it costs: the list goes on. */
static void test_page_has_one_row_at_least(void **state)
{
    name_all(1);
    known[0].cost = known[1].cost = UINT64_MAX / 4;
    core->limits.sweep_per_turn = 1;
    assert_int_equal(expected(0, NAMES), 1);
    assert_page(0, NAMES);
    assert_page(1, NAMES);
}

#define PAGE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(test_page_has_the_first_rows_that_one_turn_may_fill),
        PAGE_TEST(test_page_has_one_row_at_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
