/*
 * The simulator: clients, hosts, network, daemon and store in one thread, under one seed, with a clock that
 * only events move.
 *
 * What is real: the clients' protocol (client/protocol.c), the encoding of every frame (daemon/wire), the core
 * with its jobs (daemon/core), the store in memory (daemon/store). What is simulated: connections that lose,
 * double, delay and cut; lifelines; the store's thread; host processes; death of anybody, and of the daemon.
 * core_check runs after every step of the core, protocol_check after every call into a client. The oracles are
 * in judge*.c, what they judge comes from work.c and plugins.c, who dies is drawn in faults.c.
 *
 *     sim [--seeds A-B] [--steps N]     runs seeds A to B (default 1-200; SIM_SEEDS=N: 1-N), N events each
 *     sim --seed N [--verbose]          repeats one seed bit by bit; --verbose prints every event
 *     sim --plant NAME                  in the build with planted bugs: finds that one within the seeds
 *     sim --together                    all seeds in one process, which a profiler or gcov wants; else one each
 *
 * A seed that fails prints itself, the event at which it failed and the oracle that did not hold. Every tenth
 * seed runs twice and must give the same hash of its events. The set counts only if every kind of fault that
 * matters came up: a frame lost, one doubled, a client killed with a handed value, a commit refused.
 */
#include "sim.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "feeds.h"
#include "groups.h"
#include "keeps.h"
#include "laters.h"
#include "pools.h"
#include "schedules.h"
#include "states.h"
#include "topics.h"
#include "workers.h"

enum { LONG = 15 }; /* times the events, in seeds in which time is long */

struct options {
    uint64_t first, last, steps;
    bool verbose, single, together;
    const char *plant;
};

/* ---- small tools ---- */

static uint64_t seed_now, step_now;

uint64_t roll(struct sim *sim)
{
    uint64_t z = sim->dice += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t below(struct sim *sim, uint64_t n)
{
    return (roll(sim) >> 32) * n >> 32;
}

bool chance(struct sim *sim, uint64_t n, uint64_t of)
{
    return below(sim, of) < n;
}

int64_t between(struct sim *sim, int64_t from, int64_t to)
{
    return from + (int64_t)below(sim, (uint64_t)(to - from) + 1);
}

void sim_mix(struct sim *sim, const void *data, size_t size)
{
    const uint8_t *byte = data;

    for (size_t i = 0; i < size; i++)
        sim->hash = (sim->hash ^ byte[i]) * 0x100000001b3u;
}

void *sim_alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        abort();
    return p;
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list arguments;

    if (sim->failed)
        return;
    sim->failed = true;
    printf("seed %llu, event %llu, %.6f s: ", (unsigned long long)sim->seed, (unsigned long long)sim->steps,
           (double)sim->now_ns / 1e9);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

void sim_note(struct sim *sim, const char *format, ...)
{
    va_list arguments;

    if (!sim->verbose)
        return;
    printf("%8llu %.6f ", (unsigned long long)sim->steps, (double)sim->now_ns / 1e9);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

/* ---- one seed ---- */

static const struct slot slots[SLOTS] = {
    {.capacity = 0},
    {.capacity = 0},
    {.capacity = 3},
    {.capacity = 1},
    {.capacity = 0, .flags = OPEN_SYNC_MATCH},
    {.capacity = 2, .flags = OPEN_AT_MOST_ONCE},
    {.capacity = 2, .full = FULL_DROP_OLDEST},
    {.capacity = 2, .full = FULL_DROP_NEWEST},
    {.capacity = 0, .closable = true},
    {.capacity = 2, .closable = true, .flags = OPEN_OWNER_CLOSES},
    {.capacity = 3, .flags = OPEN_DURABLE},
    {.capacity = 2, .flags = OPEN_DURABLE | OPEN_AT_MOST_ONCE},
};

static void sim_open(struct sim *sim, uint64_t seed, const struct options *options)
{
    static const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    struct store_options store = {0};
    char *why = NULL;

    *sim = (struct sim){.seed = seed, .dice = seed, .now_ns = 1 * S, .verbose = options->verbose};
    sim->hash = 0xcbf29ce484222325u;
    sim->working = sim->faults_on = true;
    sim->leased = seed % 5 == 4;
    sim->blinded = seed % 4 == 1;
    sim->crowded = seed % 4 == 2; /* see daemon_limits */
    sim->forgets = seed % 4 == 3;
    sim->owned = seed % 2;
    sim->ruled = seed % 14 == 7; /* owned, too */
    sim->calling = seed % 8 == 4;
    sim->encoder = wire_new(&bounds);
    sim->decoder = wire_new(&bounds);
    memcpy(sim->slots, slots, sizeof(slots));
    list_init(&sim->daemon.pending);
    list_init(&sim->daemon.group);
    if (!sim->encoder || !sim->decoder ||
        store_memory.open(&store, &sim->daemon.store, &sim->daemon.incarnation, &why) != 0)
        abort();
    sim->daemon.incarnation = 0; /* the store's comes from the clock of the machine */
    pools_open(sim);
    topics_open(sim);
    groups_open(sim);
    laters_open(sim);
    keeps_open(sim);
    feeds_open(sim);
    daemon_start(sim);
    for (uint32_t who = 0; who < CLIENTS; who++)
        client_start(sim, who, between(sim, 0, 1 * MS));
    schedule(sim, 5 * MS, (struct event){.kind = EVENT_FAULT});
}

static void sim_close(struct sim *sim)
{
    sim->working = false;
    for (uint32_t who = 0; who < ACTORS; who++)
        if (sim->clients[who].alive)
            client_kill(&sim->clients[who]);
    daemon_stop(sim);
    events_clear(sim);
    for (uint64_t id = 1; id <= sim->values_n; id++)
        for (struct surface *surface = sim->values[id].surfaces, *next; surface; surface = next) {
            next = surface->next;
            free(surface);
        }
    judge_locks_free(sim);
    judge_objects_free(sim);
    judge_lives_free(sim);
    judge_contexts_free(sim);
    judge_workers_free(sim);
    judge_deals_free(sim);
    judge_pools_free(sim);
    judge_topics_free(sim);
    judge_groups_free(sim);
    judge_laters_free(sim);
    judge_keeps_free(sim);
    states_free(sim);
    judge_feeds_free(sim);
    for (size_t i = 1; i <= sim->sessions_n; i++)
        free(sim->sessions[i].last);
    free(sim->sessions);
    free(sim->values);
    for (size_t i = 0; i < sim->jobs_n; i++)
        free(sim->jobs[i].runs);
    free(sim->jobs);
    free(sim->submits);
    free(sim->conns);
    wire_delete(sim->encoder);
    wire_delete(sim->decoder);
    store_memory.close(sim->daemon.store);
}

static void run_seed(struct sim *sim, uint64_t seed, const struct options *options)
{
    seed_now = seed;
    sim_open(sim, seed, options);
    uint64_t steps = sim_is_long(sim) ? LONG * options->steps : options->steps;
    while (!sim->failed && (sim->steps < steps || asleep(sim)) && sim_step(sim))
        step_now = sim->steps;
    if (!sim->failed)
        sim_drain(sim);
    sim_close(sim);
}

/* An assertion of core or protocol ends the process: say where. */
static void tell_seed(int number)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "seed %llu, event %llu: ended by signal %d\n",
                     (unsigned long long)seed_now, (unsigned long long)step_now, number);

    if (write(STDOUT_FILENO, text, (size_t)n) != n)
        _exit(3);
    _exit(1);
}

/* ---- a set of seeds ---- */

static const char *const fault_texts[] = {
#define FAULT_TEXT(NAME, text) text,
    SIM_FAULTS(FAULT_TEXT)
#undef FAULT_TEXT
};

struct total {
    uint64_t failed, events;
    uint64_t faults[SIM_FAULT_COUNT], verbs[VERB_NUMBER_END];
    uint64_t surfaced, redelivered, sends_ok, sends_doubt, jobs, jobs_done;
};

static void add(struct total *total, const struct sim *sim)
{
    total->events += sim->steps;
    total->surfaced += sim->surfaced;
    total->redelivered += sim->redelivered;
    total->sends_ok += sim->sends_ok;
    total->sends_doubt += sim->sends_doubt;
    total->jobs += sim->jobs_n;
    total->jobs_done += sim->jobs_done;
    for (int i = 0; i < SIM_FAULT_COUNT; i++)
        total->faults[i] += sim->faults[i];
    total->faults[FAULT_NO_MEMORY] += sim->memory.refused;
    for (int i = 0; i < VERB_NUMBER_END; i++)
        total->verbs[i] += sim->verbs[i];
}

static bool report(const struct total *total, uint64_t seeds)
{
    bool counts = true;

    printf("%llu seeds, %llu events\n", (unsigned long long)seeds, (unsigned long long)total->events);
    printf("%llu values sent, %llu in doubt, %llu received, %llu again; %llu jobs, %llu done\n",
           (unsigned long long)total->sends_ok, (unsigned long long)total->sends_doubt,
           (unsigned long long)total->surfaced, (unsigned long long)total->redelivered,
           (unsigned long long)total->jobs, (unsigned long long)total->jobs_done);
    for (int i = 0; i < SIM_FAULT_COUNT; i++) {
        printf("%10llu %s\n", (unsigned long long)total->faults[i], fault_texts[i]);
        counts = counts && total->faults[i];
    }
#define VERB_COUNT(NAME, name, number, flags, help)                                                          \
    printf("%10llu " #NAME "\n", (unsigned long long)total->verbs[number]);
    VERBS(VERB_COUNT)
#undef VERB_COUNT
    if (!counts)
        printf("these seeds do not count: a kind of fault never came up\n");
    printf("%llu of %llu seeds failed\n", (unsigned long long)total->failed, (unsigned long long)seeds);
    return counts && total->failed == 0;
}

static bool same_again(const struct sim *sim, const struct options *options)
{
    struct sim again;

    run_seed(&again, sim->seed, options);
    if (again.hash == sim->hash)
        return true;
    printf("seed %llu: two runs differ\n", (unsigned long long)sim->seed);
    return false;
}

/* One seed, in this process. Its counts go to `total`. False: it failed. */
static bool judge_seed(uint64_t seed, const struct options *options, struct total *total)
{
    struct sim sim;

    run_seed(&sim, seed, options);
    add(total, &sim);
    if (options->single)
        printf("seed %llu: %llu events, hash %016llx\n", (unsigned long long)seed,
               (unsigned long long)sim.steps, (unsigned long long)sim.hash);
    bool twice = seed % 10 == 0 || options->single;
    return !sim.failed && (!twice || same_again(&sim, options));
}

/* In a process of its own, since an assertion that does not hold ends it. */
static bool judge_seed_apart(uint64_t seed, const struct options *options, struct total *total)
{
    int status = 0;
    if (options->together)
        return judge_seed(seed, options, total);
    pid_t child = fork();

    if (child == 0) {
        bool good = judge_seed(seed, options, total);
        fflush(stdout);
        _exit(!good);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return status == 0;
}

static int run_seeds(const struct options *options)
{
    struct total *total =
        mmap(NULL, sizeof(*total), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (total == MAP_FAILED)
        abort();
    if (options->single)
        return !judge_seed(options->first, options, total);
    for (uint64_t seed = options->first; seed <= options->last; seed++)
        total->failed += !judge_seed_apart(seed, options, total);
    return !report(total, options->last - options->first + 1);
}

/* ---- planted bugs ---- */

static int find_plant(const struct options *options)
{
    struct total total = {0};

    if (!core_plant(options->plant)) {
        fprintf(stderr, "sim: this build has no planted bug '%s'\n", options->plant);
        return 2;
    }
    for (uint64_t seed = options->first; seed <= options->last; seed++)
        if (!judge_seed_apart(seed, options, &total)) {
            printf("%s: found by seed %llu\n", options->plant, (unsigned long long)seed);
            return 0;
        }
    printf("%s: not found by seeds %llu-%llu\n", options->plant, (unsigned long long)options->first,
           (unsigned long long)options->last);
    return 1;
}

/* ---- options ---- */

static int usage(void)
{
    fprintf(stderr,
            "usage: sim [--seeds A-B | --seed N] [--steps N] [--verbose] [--together] [--plant NAME]\n");
    return 2;
}

static bool take_option(struct options *options, const char *name, const char *value)
{
    char *end = NULL;

    if (strcmp(name, "--seeds") == 0) {
        options->first = strtoull(value, &end, 0);
        options->last = *end == '-' ? strtoull(end + 1, &end, 0) : 0;
    } else if (strcmp(name, "--seed") == 0) {
        options->first = options->last = strtoull(value, &end, 0);
        options->single = true;
    } else if (strcmp(name, "--steps") == 0) {
        options->steps = strtoull(value, &end, 0);
    } else if (strcmp(name, "--plant") == 0) {
        options->plant = value;
        return true;
    } else {
        return false;
    }
    return end && *end == '\0' && options->first <= options->last;
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1, .last = 200, .steps = 2000};
    const char *seeds = getenv("SIM_SEEDS");

    if (seeds)
        options.last = strtoull(seeds, NULL, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0 || strcmp(argv[i], "--together") == 0) {
            *(argv[i][2] == 'v' ? &options.verbose : &options.together) = true;
            continue;
        }
        if (i + 1 == argc || !take_option(&options, argv[i], argv[i + 1]))
            return usage();
        i++;
    }
    signal(SIGABRT, tell_seed);
    signal(SIGSEGV, tell_seed);
    return options.plant ? find_plant(&options) : run_seeds(&options);
}
