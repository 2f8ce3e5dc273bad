/* The intrusive list: order, removal from the middle, splice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "list.h"

struct item {
    int number;
    struct list link;
};

static void fill(struct list *head, struct item *items, int n)
{
    list_init(head);
    for (int i = 0; i < n; i++) {
        items[i].number = i;
        list_append(head, &items[i].link);
    }
}

static void test_items_leave_from_the_middle_and_know_it(void **state)
{
    struct item items[3], *item;
    struct list head;
    int sum = 0;

    (void)state;
    fill(&head, items, 3);
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    assert_false(list_linked(&items[1].link));
    list_each (item, &head, link)
        sum = sum * 10 + item->number + 1;
    assert_int_equal(sum, 13);
}

static void test_splice_keeps_order_and_empties_the_source(void **state)
{
    struct item left[2], right[2], *item, *after;
    struct list a, b;
    int sum = 0;

    (void)state;
    fill(&a, left, 2);
    fill(&b, right, 2);
    list_splice(&a, &b);
    assert_true(list_empty(&b));
    list_each_safe (item, after, &a, link) {
        sum = sum * 10 + item->number + 1;
        list_remove(&item->link);
    }
    assert_int_equal(sum, 1212);
    assert_null(list_first(&a, struct item, link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_leave_from_the_middle_and_know_it),
        cmocka_unit_test(test_splice_keeps_order_and_empties_the_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
