/*
 * usage: stress [--repeat N] [NAME]...
 *
 * Runs the programs, or those that are named, N times with 1, 2 and 4 processors, each time in a runtime of its own. One
 * that does not end is named, and its goroutines are dumped.
 */
#include "stress.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "goroutine_host.h"

enum { HANGS_AFTER_S = 240 };

static const struct program *const lists[] = {channel_programs, storm_programs, lock_programs};
static const struct program *volatile running;

static void tell_hang(int signal)
{
    const char *name = running->name;

    if (write(STDERR_FILENO, name, strlen(name)) < 0 || write(STDERR_FILENO, " does not end\n", 14) < 0)
        _exit(2);
    go_dump(STDERR_FILENO);
    _exit(1);
}

static int run_one(void *arg)
{
    ((const struct program *)arg)->run();
    must(go_live() == 1);
    return 0;
}

static void repeat(const struct program *p, int times)
{
    static const int procs[] = {1, 2, 4};

    running = p;
    for (int i = 0; i < times; i++)
        for (int k = 0; k < 3; k++) {
            alarm(HANGS_AFTER_S);
            go_set_procs(procs[k]);
            must(go_main(run_one, (void *)p) == 0);
        }
    alarm(0);
    printf("%-12s %d times with 1, 2 and 4 processors\n", p->name, times);
    fflush(stdout);
}

static bool chosen(const struct program *p, char **names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], p->name) == 0)
            return true;
    return n == 0;
}

int main(int argc, char **argv)
{
    int times = 1, first = 1, ran = 0;

    if (argc > 2 && strcmp(argv[1], "--repeat") == 0) {
        times = atoi(argv[2]);
        first = 3;
    }
    signal(SIGALRM, tell_hang);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct program *p = lists[i]; p->name; p++)
            if (chosen(p, argv + first, argc - first)) {
                repeat(p, times);
                ran++;
            }
    if (ran == 0)
        fprintf(stderr, "usage: %s [--repeat N] [NAME]...\n", argv[0]);
    return ran == 0 || times < 1;
}
