/*
 * Runs every group of rules on the implementation it is linked with. `--seed N --steps N` runs the model test alone, with
 * so many operations; `--procs N` sets the processors; `--placement NAME` the processes of the actors. With TEST_FILTER
 * in the environment, test_U2_* say, only those tests run.
 */
#include "conform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t conform_seed = 1, conform_steps;
int conform_procs = 2;
const char *conform_placement;

/* False: nothing that is known. */
static bool take_option(const char *name, const char *value)
{
    if (strcmp(name, "--seed") == 0)
        conform_seed = strtoull(value, NULL, 0);
    else if (strcmp(name, "--steps") == 0)
        conform_steps = strtoull(value, NULL, 0);
    else if (strcmp(name, "--procs") == 0)
        conform_procs = atoi(value);
    else if (strcmp(name, "--placement") == 0)
        conform_placement = value;
    else
        return false;
    return true;
}

static int run_groups(void)
{
    if (conform_steps)
        return run_model();
    return run_unbuffered() + run_buffered() + run_close() + run_select() + run_order() + run_programs() +
           run_model();
}

int main(int argc, char **argv)
{
    int failed;

    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !take_option(argv[i], argv[i + 1])) {
            fprintf(stderr, "usage: %s [--seed N] [--steps N] [--procs N] [--placement NAME]\n", argv[0]);
            return 2;
        }
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
    if (!channels.start()) {
        fprintf(stderr, "%s: cannot start the %s\n", argv[0], channels.name);
        return 1;
    }
    printf("channels of the %s%s%s\n", channels.name, conform_placement ? ", participants: " : "",
           conform_placement ? conform_placement : "");
    failed = run_groups();
    channels.stop();
    return failed != 0;
}
