/* The poller by itself: who is meant by a break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "netpoll.h"

/* A wait that does not end is the failure. */
static void test_break_ends_the_next_wait_though_others_have_looked_meanwhile(void **state)
{
    assert_int_equal(netpoll_open(), 0);
    for (int i = 0; i < 3; i++) {
        netpoll_break();
        assert_int_equal(netpoll_wait(0), 0);
        netpoll_break();
        assert_int_equal(netpoll_wait(0), 0);
        assert_int_equal(netpoll_wait(-1), 0);
    }
    netpoll_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_break_ends_the_next_wait_though_others_have_looked_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
