/*
 *     runtime NAME PROCS N     one figure once; prints a line: name, n, wall_ns, cpu_ns, bytes, result
 *     runtime --smoke          every figure with a tiny n
 *
 * A result other than the expected one ends the program with status 1: whoever is fast must have done the work.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { LIVE_MAX = 4 << 20, SMOKE_PROCS = 2 };

/* ---- what came out must be ---- */

static uint64_t all(int64_t n)
{
    return (uint64_t)n;
}

static uint64_t sum_below(int64_t n)
{
    return (uint64_t)n * (uint64_t)(n - 1) / 2;
}

static uint64_t writes(int64_t n)
{
    return (uint64_t)n / 8 / 100 * 8;
}

/* Whole rounds. */
static uint64_t ring_steps(int64_t n)
{
    return ((uint64_t)n + 502) / 503 * 503;
}

static uint64_t prime(int64_t n)
{
    uint64_t p = 1;

    while (n > 0) {
        uint64_t divisor = 2;

        p++;
        while (divisor * divisor <= p && p % divisor)
            divisor++;
        n -= divisor * divisor > p;
    }
    return p;
}

/* n: multiples of 800, of powers of ten for skynet. */
static const struct figure figures[] = {
    {"spawn-join", spawn_join, all, 800},
    {"ping-pong", ping_pong, sum_below, 800},
    {"yield", yields, all, 800},
    {"buffered-1x1", buffered_1x1, sum_below, 800},
    {"unbuffered-1x1", unbuffered_1x1, sum_below, 800},
    {"buffered-4x4", buffered_4x4, sum_below, 800},
    {"ring-503", ring_503, ring_steps, 800},
    {"skynet", skynet, sum_below, 1000},
    {"select-4", select_4, sum_below, 800},
    {"sieve", sieve, prime, 50},
    {"mutex-8", mutex_8, all, 800},
    {"rwmutex-8", rwmutex_8, writes, 800},
    {"waitgroup-fan", fan_out, all, 800},
    {"sleepers-cpu", sleepers, all, 800},
    {"timer-churn", timer_churn, all, 800},
    {"echo-64", echo_64, all, 64},
    {"switch", yields_of_two, all, 800},
    {"message", unbuffered_1x1, sum_below, 800},
    {"spawn-exit", spawn_exit, all, 800},
    {"parked-bytes", parked_bytes, all, 800},
    {"queued-bytes", queued_bytes, all, 800},
};

enum { FIGURES = sizeof figures / sizeof figures[0] };

/* ---- measuring ---- */

static int64_t ns_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void run_begin(struct run *r)
{
    r->cpu_ns = -ns_of(CLOCK_PROCESS_CPUTIME_ID);
    r->wall_ns = -ns_of(CLOCK_MONOTONIC);
}

void run_end(struct run *r)
{
    r->wall_ns += ns_of(CLOCK_MONOTONIC);
    r->cpu_ns += ns_of(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long long pages = 0;

    if (!f || fscanf(f, "%*d %lld", &pages) != 1)
        err(1, "/proc/self/statm");
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

void must(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s", what, strerror(-r));
}

go_chan *must_chan(size_t value_bytes, size_t capacity)
{
    go_chan *c = go_chan_new(value_bytes, capacity);

    must(c ? 0 : -12, "go_chan_new");
    return c;
}

/* ---- running ---- */

struct one {
    const struct figure *figure;
    struct run run;
    uint64_t result;
};

static int run_inside(void *arg)
{
    struct one *one = arg;

    one->result = one->figure->run(&one->run);
    return 0;
}

static void figure_run(const struct figure *f, int procs, int64_t n)
{
    struct one one = {.figure = f, .run = {.n = n}};
    uint64_t expected = f->expected(n);

    go_set_procs(procs);
    go_set_goroutines_max(LIVE_MAX);
    must(go_main(run_inside, &one), "go_main");
    printf("%s n=%" PRId64 " wall_ns=%" PRId64 " cpu_ns=%" PRId64 " bytes=%" PRId64 " result=%" PRIu64 "\n",
           f->name, n, one.run.wall_ns, one.run.cpu_ns, one.run.bytes, one.result);
    fflush(stdout);
    if (one.result != expected)
        errx(1, "%s: the result is %" PRIu64 ", it must be %" PRIu64, f->name, one.result, expected);
}

static int smoke(void)
{
    for (int i = 0; i < FIGURES; i++)
        figure_run(&figures[i], SMOKE_PROCS, figures[i].tiny);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--smoke") == 0)
        return smoke();
    if (argc != 4)
        errx(2, "usage: runtime NAME PROCS N | --smoke");
    for (int i = 0; i < FIGURES; i++)
        if (strcmp(argv[1], figures[i].name) == 0) {
            figure_run(&figures[i], atoi(argv[2]), atoll(argv[3]));
            return 0;
        }
    errx(2, "no figure '%s'", argv[1]);
}
