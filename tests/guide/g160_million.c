/*
 * G160 A million goroutines at once; and another million in the memory of the first. On a machine with less memory, or
 * whose kernel gives no guard pages for so many stacks, it is fewer.
 *
 * Pattern: a goroutine for each task, however many.
 */
#include <stdio.h>

#include "builds.h"
#include "guide.h"
#include "resident.h"

enum { MILLION = 1000000, FEWER = 100000, BYTES_MAX = 8192, SPARE = 1000 };

#define GIB INT64_C(1073741824)

struct wave {
    go_chan *release;
    go_waitgroup all;
    atomic_int started, ended;
};

static int64_t bytes_available(void)
{
    FILE *f = fopen("/proc/meminfo", "re");
    char line[256];
    long long kib = 0;

    must(f);
    while (kib == 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %lld", &kib) != 1)
            kib = 0;
    fclose(f);
    return kib * 1024;
}

static int how_many(void)
{
    int64_t n = bytes_available() >= 12 * GIB && !SANITIZED ? MILLION : FEWER,
            most = go_set_goroutines_max(0);

    return (int)(n < most - SPARE ? n : most - SPARE);
}

static void wait_for_release(void *arg)
{
    struct wave *wave = arg;

    atomic_fetch_add(&wave->started, 1);
    must(go_chan_recv(wave->release, NULL, GO_FOREVER) == 0);
    atomic_fetch_add(&wave->ended, 1);
    go_waitgroup_done(&wave->all);
}

static void until_all_parked(int64_t n)
{
    struct go_stats stats;

    do {
        go_yield();
        go_stats_read(&stats);
    } while (stats.parked < n);
}

/* Starts n, waits until all are parked, and releases them. What was resident at most. */
static int64_t run_wave(int n)
{
    struct wave wave = {.release = go_chan_new(0, 0)};
    int64_t resident;

    go_waitgroup_add(&wave.all, n);
    for (int i = 0; i < n; i++)
        must(go_spawn(wait_for_release, &wave, 0) == 0);
    until_all_parked(n);
    resident = bytes_resident();
    go_chan_close(wave.release);
    go_waitgroup_wait(&wave.all);
    until_live(1);
    /* "all were started and all went on: the counters are exactly N, 1,000,000 where there are 12 GiB of memory" */
    must(atomic_load(&wave.started) == n && atomic_load(&wave.ended) == n);
    go_chan_unref(wave.release);
    return resident;
}

static void million(void)
{
    int64_t start = bytes_resident(), first, second;
    int n = how_many();

    first = run_wave(n);
    second = run_wave(n);
    say("%d goroutines, %lld bytes each", n, (long long)(first - start) / n);
    /* "resident memory grows by at most 8 KiB for each, and the figure is printed" */
    must(SANITIZED || (first - start) / n <= BYTES_MAX);
    /* "1 is left at the end": `until_live(1)`. "a second wave reuses the memory of the first" */
    must(SANITIZED || second <= first + (first - start) / 10);
}

GUIDE_ROW(G160, million, .procs = {2}, .no_race = "a million goroutines");
