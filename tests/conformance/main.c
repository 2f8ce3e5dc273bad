/* Runs every group of rules on the implementation it is linked with. `--seed N` repeats a model test; with TEST_FILTER in
 * the environment, test_U2_* say, only those tests run. */
#include "conform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t conform_seed = 1;

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        conform_seed = strtoull(argv[2], NULL, 0);
    } else if (argc != 1) {
        fprintf(stderr, "usage: %s [--seed N]\n", argv[0]);
        return 2;
    }
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
    if (!channels.start()) {
        fprintf(stderr, "%s: cannot start the %s\n", argv[0], channels.name);
        return 1;
    }
    printf("channels of the %s\n", channels.name);
    int failed = run_unbuffered() + run_buffered() + run_close() + run_select() + run_order() +
                 run_programs() + run_model();
    channels.stop();
    return failed != 0;
}
