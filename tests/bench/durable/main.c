/*
 * One figure of durable work, of the service or of a peer: prints it on one line.
 *
 *     durable submit PEER WHERE MS CLIENTS [PID]   acknowledged jobs of clients with one operation outstanding each
 *     durable bulk PEER WHERE MS 0 [PID]           acknowledged jobs of one process that puts as many as it can
 *     durable life PEER WHERE MS 0 [PID]           jobs submitted, run and ended
 *     durable channel PEER WHERE MS MANY [PID]     values that have gone through a durable channel, MANY in each send
 *     durable start PEER WHERE MS 0 [PID]          from submit to start, one job at a time
 *     durable fill PEER WHERE 0 JOBS [PID]         puts so many, and ends
 *     durable await ours WHERE 0 0                 ends when the daemon answers
 *     durable peers                                the names of those that were built
 *
 * PID is the server's, whose CPU time, with that of its children, is told with that of all other processes. Measured
 * after a warm-up.
 */
#include "durable.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#include "samples.h"

enum { PROCESSES_MAX = 256, SAMPLES_MAX = 1 << 14, WARM_UP_MS_MAX = 300 };

static const struct peer *const peers[] = {&ours,     &redis, &beanstalk, &gearman, &gearman_kept, &disk,
#ifdef WITH_POSTGRES
                                           &postgres,
#endif
                                           &sqlite};

struct tally *tally;
const char argument[ARGUMENT_BYTES + 1] = "0123456789012345678901234567890123456789012345678901234567890123";

/* One for each client, written by it alone. */
static struct lane {
    uint32_t n, ns[SAMPLES_MAX];
} * lanes;

static const struct peer *peer;

/* The processes of a run, and the server, which is the last one. */
struct crew {
    pid_t pid[PROCESSES_MAX + 1];
    int n;
    pid_t server;
};

void keep_pace(uint64_t n)
{
    while (counted(&tally->put) + n > counted(&tally->ended) + AHEAD_MAX)
        sched_yield();
    count(&tally->put, n);
}

static int warm_up_ms(int ms)
{
    return ms < WARM_UP_MS_MAX ? ms : WARM_UP_MS_MAX;
}

static void enlist(struct crew *crew, void (*work)(const char *, size_t), const char *where, size_t number)
{
    if (crew->n == PROCESSES_MAX)
        errx(2, "at most %d processes", PROCESSES_MAX);
    crew->pid[crew->n++] = process_start(work, where, number);
}

static void dismiss(struct crew *crew)
{
    while (crew->n)
        process_end(crew->pid[--crew->n]);
}

static int64_t crew_cpu_ns(const struct crew *crew)
{
    int64_t sum = 0;

    for (int i = 0; i < crew->n; i++)
        sum += cpu_ns(crew->pid[i]);
    return sum;
}

/* How fast `what` grows while the crew is at work, and what each costs; ends the crew. */
static void measure_rate(struct crew *crew, const uint64_t *what, int ms)
{
    sleep_ms(warm_up_ms(ms));
    uint64_t from = counted(what);
    int64_t begun = clock_ns(), clients = crew_cpu_ns(crew), server = cpu_family_ns(crew->server);
    do
        sleep_ms(ms);
    while (counted(what) == from);
    double n = (double)(counted(what) - from), took = (double)(clock_ns() - begun);
    clients = crew_cpu_ns(crew) - clients;
    server = cpu_family_ns(crew->server) - server;
    dismiss(crew);
    printf("rate=%.0f clients_cpu_ns=%.0f server_cpu_ns=%.0f", n * 1e9 / took, (double)clients / n,
           (double)server / n);
}

/* ---- submit ---- */

static void put_for_ever(const char *where, size_t number)
{
    struct lane *lane = &lanes[number];

    peer->connect(where);
    peer->put();
    ready();
    for (;;) {
        int64_t begun = clock_ns();
        peer->put();
        lane->ns[lane->n++ % SAMPLES_MAX] = (uint32_t)(clock_ns() - begun);
        count(&tally->accepted, 1);
    }
}

static void print_samples(int clients)
{
    uint32_t *all = calloc((size_t)clients, sizeof lanes->ns);
    size_t n = 0;

    if (!all)
        err(1, "samples");
    for (int i = 0; i < clients; i++) {
        uint32_t kept = lanes[i].n < SAMPLES_MAX ? lanes[i].n : SAMPLES_MAX;
        memcpy(all + n, lanes[i].ns, kept * sizeof *all);
        n += kept;
    }
    samples_sort(all, n);
    printf(" p50_ns=%" PRIu32 " p99_ns=%" PRIu32, samples_at(all, n, 50), samples_at(all, n, 99));
    free(all);
}

static void submit(struct crew *crew, const char *where, int ms, size_t clients)
{
    lanes = shared_memory(sizeof *lanes * clients);
    for (size_t i = 0; i < clients; i++)
        enlist(crew, put_for_ever, where, i);
    measure_rate(crew, &tally->accepted, ms);
    print_samples((int)clients);
}

/* ---- the other figures ---- */

static void bulk(struct crew *crew, const char *where, int ms, size_t number)
{
    enlist(crew, peer->fill, where, 0);
    measure_rate(crew, &tally->accepted, ms);
}

static void life(struct crew *crew, const char *where, int ms, size_t number)
{
    for (int i = 0; i < peer->workers; i++)
        enlist(crew, peer->work, where, (size_t)i);
    for (int i = 0; i < peer->producers; i++)
        enlist(crew, peer->produce, where, (size_t)i);
    measure_rate(crew, &tally->ended, ms);
}

static void channel(struct crew *crew, const char *where, int ms, size_t many)
{
    enlist(crew, peer->receive, where, 0);
    enlist(crew, peer->send, where, many);
    measure_rate(crew, &tally->ended, ms);
}

static void start(struct crew *crew, const char *where, int ms, size_t number)
{
    uint32_t *samples = calloc(SAMPLES_MAX, sizeof *samples);
    size_t n = 0;

    if (!samples)
        err(1, "samples");
    if (peer->answer)
        enlist(crew, peer->answer, where, 0);
    peer->connect(where);
    for (int64_t end = clock_ns() + warm_up_ms(ms) * 1000000LL; clock_ns() < end;)
        peer->ask();
    int64_t end = clock_ns() + ms * 1000000LL, server = cpu_family_ns(crew->server);
    do
        samples[n++] = (uint32_t)peer->ask();
    while (n < SAMPLES_MAX && clock_ns() < end);
    server = cpu_family_ns(crew->server) - server;
    dismiss(crew);
    samples_sort(samples, n);
    printf("p50_ns=%" PRIu32 " p99_ns=%" PRIu32 " server_cpu_ns=%.0f", samples_at(samples, n, 50),
           samples_at(samples, n, 99), (double)server / (double)n);
    free(samples);
}

static void fill(struct crew *crew, const char *where, int ms, size_t jobs)
{
    int64_t begun = clock_ns();

    process_await(process_start(peer->fill, where, jobs));
    if (counted(&tally->accepted) < jobs)
        errx(1, "%" PRIu64 " jobs were accepted", counted(&tally->accepted));
    printf("rate=%.0f", (double)jobs * 1e9 / (double)(clock_ns() - begun));
}

static void await(struct crew *crew, const char *where, int ms, size_t number)
{
    peer->connect(where);
}

static const struct figure {
    const char *name;
    void (*measure)(struct crew *crew, const char *where, int ms, size_t number);
} figures[] = {{"submit", submit}, {"bulk", bulk}, {"life", life},  {"channel", channel},
               {"start", start},   {"fill", fill}, {"await", await}};

static const struct peer *find_peer(const char *name)
{
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        if (!strcmp(peers[i]->name, name))
            return peers[i];
    errx(2, "no peer '%s' was built", name);
}

static const struct figure *find_figure(const char *name)
{
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (!strcmp(figures[i].name, name))
            return &figures[i];
    errx(2, "no figure '%s'", name);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "peers")) {
        for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
            puts(peers[i]->name);
        return 0;
    }
    if (argc < 6)
        errx(2,
             "usage: durable submit|bulk|life|channel|start|fill|await PEER WHERE MS NUMBER [PID], or peers");
    const struct figure *figure = find_figure(argv[1]);
    struct crew crew = {.server = argc > 6 ? atoi(argv[6]) : 0};
    peer = find_peer(argv[2]);
    tally = shared_memory(sizeof *tally);
    if (peer->prepare)
        peer->prepare(argv[3]);
    figure->measure(&crew, argv[3], atoi(argv[4]), strtoull(argv[5], NULL, 10));
    puts("");
    return 0;
}
