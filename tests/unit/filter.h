/* TEST_FILTER=test_U2_* in the environment runs only those. For one file of a program, behind cmocka.h. */
#pragma once

#include <stdlib.h>

__attribute__((constructor)) static void filter_tests(void)
{
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
}
