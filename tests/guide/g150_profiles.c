/*
 * G150 Where the time goes, and where the memory: samples of the stacks that run, taken as often as a goroutine uses CPU
 * time, and a count of every allocation with the place that asked for it.
 *
 * Pattern: CPU profile and allocation profile.
 */
#include "goroutine_inspect.h"
#include "guide.h"
#include "paper.h"

enum { PER_SECOND = 1000, ENOUGH = 200, CHANNELS = 10, FEW = 5, MANY = 20 };

static volatile long sink;

static __attribute__((noinline)) void hot(long n)
{
    for (long i = 0; i < n; i++)
        sink = sink + i;
}

static __attribute__((noinline)) void cold(long n)
{
    for (long i = 0; i < n; i++)
        sink = sink - i; /* other code than in `hot`, or the compiler makes one function of both */
}

static void burn(void *done)
{
    for (int i = 0; i < 100; i++) {
        hot(450000);
        cold(50000);
        go_checkpoint();
    }
    go_waitgroup_done(done);
}

/* The sum of the lines of a folded profile that have these words. */
static long samples_of(const char *folded, const char *words)
{
    long sum = 0;

    for (const char *end; (end = strchr(folded, '\n')); folded = end + 1) {
        const char *hit = strstr(folded, words), *count = end;

        while (count[-1] != ' ')
            count--;
        if (hit && hit < end)
            sum += strtol(count, NULL, 10);
    }
    return sum;
}

static char *cpu_profile(void)
{
    int fd = paper();

    must(go_cpu_profile_write(fd, GO_PROFILE_FOLDED) == 0);
    return paper_read(fd);
}

/* Until enough samples were taken of it. */
static char *profile_burning(void)
{
    char *text = NULL;

    must(go_cpu_profile_start(PER_SECOND) == 0);
    do {
        go_waitgroup burning = {0};

        free(text);
        go_waitgroup_add(&burning, 1);
        must(go_spawn(burn, &burning, 0) == 0);
        go_waitgroup_wait(&burning);
        text = cpu_profile();
    } while (samples_of(text, "burn;") < ENOUGH);
    must(go_cpu_profile_stop() >= 0);
    return text;
}

static void profile_cpu(void)
{
    char *text = profile_burning();
    long all = samples_of(text, "burn;"), in_hot = samples_of(text, "burn;hot "),
         in_cold = samples_of(text, "burn;cold ");

    say("%ld samples, %ld in hot, %ld in cold", all, in_hot, in_cold);
    /* "the hot function holds most samples, below the function of its goroutine" */
    must(in_hot > all / 2 && in_cold < in_hot);
    free(text);
}

static __attribute__((noinline)) void allocate_here(void **p)
{
    *p = go_alloc(100);
}

static __attribute__((noinline)) void allocate_there(void **p)
{
    *p = go_alloc(10);
}

static void allocate_in_two_places(void)
{
    void *p;

    for (int i = 0; i < MANY; i++) {
        allocate_here(&p);
        go_free(p);
    }
    for (int i = 0; i < FEW; i++) {
        allocate_there(&p);
        go_free(p);
    }
}

static void profile_allocations(void)
{
    int fd = paper();
    char *text;

    must(go_alloc_profile_start() == 0);
    allocate_in_two_places();
    go_alloc_profile_stop();
    must(go_alloc_profile_write(fd, GO_PROFILE_FOLDED) == 0);
    text = paper_read(fd);
    /* "the allocation profile has exactly 20 of one place and 5 of another" */
    must(samples_of(text, ";allocate_here") == MANY && samples_of(text, ";allocate_there") == FEW);
    must(samples_of(text, "") == MANY + FEW);
    free(text);
}

/* The runtime may make itself a thread meanwhile: some round is without. */
static void count_own(void)
{
    struct go_memory before, after;
    go_chan *channels[CHANNELS];

    do {
        go_memory_read(&before);
        for (int i = 0; i < CHANNELS; i++)
            channels[i] = go_chan_new(sizeof(int), 1);
        go_memory_read(&after);
        for (int i = 0; i < CHANNELS; i++)
            go_chan_unref(channels[i]);
        /* "10 channels are 10 allocations of the runtime" */
    } while (after.allocations - before.allocations != CHANNELS);
}

static void profiles(void)
{
    profile_cpu();
    profile_allocations();
    count_own();
}

GUIDE_ROW(G150, profiles, .no_race = "the sanitizer delivers signals later than they come");
