/*
 * One figure of topics, of the service or of a peer: prints it on one line.
 *
 *     topics live PEER WHERE MS SUBSCRIBERS [PID]    messages that one publisher's subscribers have had
 *     topics latency PEER WHERE MS 1 [PID]           from publish to receive, on a server that does nothing else
 *     topics publish PEER WHERE MS 1 [PID]           messages in a log, confirmed
 *     topics fill PEER WHERE 0 MESSAGES [PID]        puts so many in the log, and ends
 *     topics through PEER WHERE MS 1 [PID]           messages put in a log, and meanwhile taken from it and acknowledged
 *     topics consume PEER WHERE MS MESSAGES [PID]    those in a log taken by a group of its own, each acknowledged
 *     topics replay PEER WHERE 0 MESSAGES [PID]      all of a log, read by who does not acknowledge
 *     topics idle PEER WHERE 0 SUBSCRIPTIONS PID     bytes of the server for each
 *
 * PID is the server's, whose CPU time is told with that of the other processes. What goes on for ever is measured after a
 * warm-up; what ends, when it has ended or MS are over.
 */
#include "topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "samples.h"

enum { WARM_UP_MS_MAX = 300, PACE_NS = 200000, TELL_NS = 200000 };

static const struct peer *const peers[] = {&ours, &nats, &jetstream, &redis};

struct tally *tally;
const char body[MESSAGE_BYTES + 1] = "0123456789012345678901234567890123456789012345678901234567890123";

static const struct peer *peer;
bool from_start;
static size_t subscribers = 1; /* of this run */
static pid_t run_number;

/* A run, and what its processes and the server have used so far. */
struct run {
    const char *where;
    int ms;
    size_t number;
    pid_t publisher, subscriber[SUBSCRIBERS_MAX], server;
};

struct costs {
    int64_t ns, publisher, subscribers, server;
    uint64_t arrived, accepted;
};

const char *run_name(const char *what)
{
    static char names[4][64];
    static unsigned n;
    char *name = names[n++ % 4];

    snprintf(name, sizeof names[0], "%s.%d", what, run_number);
    return name;
}

static void pause_ns(long ns)
{
    nanosleep(&(struct timespec){0, ns}, NULL);
}

/* No subscriber is slow if there is none. */
static uint64_t slowest(void)
{
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; i < subscribers; i++) {
        uint64_t n = counted(&tally->arrived[i].n);
        least = n < least ? n : least;
    }
    return least;
}

bool far_ahead(uint64_t sent)
{
    uint64_t least = slowest();

    return sent > least && sent - least > AHEAD_MAX;
}

void keep_pace(uint64_t sent)
{
    while (far_ahead(sent))
        pause_ns(PACE_NS);
}

void had(const void *message)
{
    int64_t told;

    memcpy(&told, message, sizeof told);
    if (tally->samples < SAMPLES_MAX)
        tally->ns[tally->samples++] = (uint32_t)(clock_ns() - told);
}

/* ---- what the processes of a run do, and cost ---- */

static uint64_t all_arrived(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < subscribers; i++)
        sum += counted(&tally->arrived[i].n);
    return sum;
}

static struct costs costs_of(const struct run *run)
{
    struct costs costs = {.ns = clock_ns(),
                          .publisher = cpu_ns(run->publisher),
                          .server = cpu_ns(run->server),
                          .arrived = all_arrived(),
                          .accepted = counted(&tally->accepted)};

    for (size_t i = 0; i < subscribers; i++)
        costs.subscribers += cpu_ns(run->subscriber[i]);
    return costs;
}

static int warm_up_ms(const struct run *run)
{
    return run->ms < WARM_UP_MS_MAX ? run->ms : WARM_UP_MS_MAX;
}

static void end_all(const struct run *run)
{
    if (run->publisher)
        process_end(run->publisher);
    for (size_t i = 0; i < subscribers; i++)
        if (run->subscriber[i])
            process_end(run->subscriber[i]);
}

static void print_costs(const struct costs *from, const struct costs *to, uint64_t n)
{
    printf("rate=%.0f publisher_cpu_ns=%.0f subscribers_cpu_ns=%.0f server_cpu_ns=%.0f\n",
           (double)n * 1e9 / (double)(to->ns - from->ns),
           (double)(to->publisher - from->publisher) / (double)n,
           (double)(to->subscribers - from->subscribers) / (double)n,
           (double)(to->server - from->server) / (double)n);
}

/* ---- the figures ---- */

/* What arrives while all are at work; ends them. */
static void measure_arrivals(struct run *run)
{
    sleep_ms(warm_up_ms(run));
    struct costs from = costs_of(run);
    do
        sleep_ms(run->ms);
    while (all_arrived() == from.arrived);
    struct costs to = costs_of(run);
    end_all(run);
    print_costs(&from, &to, to.arrived - from.arrived);
}

static void live(struct run *run)
{
    subscribers = run->number;
    if (!subscribers || subscribers > SUBSCRIBERS_MAX)
        errx(2, "1 to %d subscribers", SUBSCRIBERS_MAX);
    for (size_t i = 0; i < subscribers; i++)
        run->subscriber[i] = process_start(peer->subscribe, run->where, i);
    run->publisher = process_start(peer->publish, run->where, 0);
    measure_arrivals(run);
}

static void tell_until(int64_t end_ns)
{
    char message[MESSAGE_BYTES] = {0};

    while (clock_ns() < end_ns) {
        int64_t now = clock_ns();
        memcpy(message, &now, sizeof now);
        peer->tell(message);
        pause_ns(TELL_NS);
    }
}

static void latency(struct run *run)
{
    run->subscriber[0] = process_start(peer->hear, run->where, 0);
    peer->connect(run->where);
    tell_until(clock_ns() + warm_up_ms(run) * 1000000LL);
    uint32_t before = tally->samples;
    do
        tell_until(clock_ns() + run->ms * 1000000LL);
    while (tally->samples == before);
    end_all(run);
    uint32_t n = tally->samples - before, *ns = tally->ns + before;
    samples_sort(ns, n);
    printf("p50_ns=%" PRIu32 " p99_ns=%" PRIu32 " count=%" PRIu32 "\n", samples_at(ns, n, 50),
           samples_at(ns, n, 99), n);
}

static void endless_fill(const char *where, size_t number)
{
    peer->fill(where, 0);
}

static void publish(struct run *run)
{
    subscribers = 0;
    run->publisher = process_start(endless_fill, run->where, 0);
    sleep_ms(warm_up_ms(run));
    struct costs from = costs_of(run);
    do
        sleep_ms(run->ms);
    while (counted(&tally->accepted) == from.accepted);
    struct costs to = costs_of(run);
    end_all(run);
    print_costs(&from, &to, to.accepted - from.accepted);
}

static void fill(struct run *run)
{
    subscribers = 0;
    int64_t begun = clock_ns();

    process_await(process_start(peer->fill, run->where, run->number));
    if (counted(&tally->accepted) < run->number)
        errx(1, "%" PRIu64 " messages were accepted", counted(&tally->accepted));
    printf("rate=%.0f\n", (double)run->number * 1e9 / (double)(clock_ns() - begun));
}

static void through(struct run *run)
{
    run->subscriber[0] = process_start(peer->consume, run->where, 0);
    run->publisher = process_start(endless_fill, run->where, 0);
    measure_arrivals(run);
}

/* Until all of the log has come, or the time is over. */
static void read_log(struct run *run, void (*work)(const char *where, size_t number), int64_t most_ns)
{
    struct costs from = costs_of(run);

    from_start = true;
    run->subscriber[0] = process_start(work, run->where, 0);
    while (all_arrived() < run->number && (clock_ns() < from.ns + most_ns || !all_arrived()))
        sleep_ms(1);
    struct costs to = costs_of(run);
    end_all(run);
    print_costs(&from, &to, to.arrived);
}

static void consume(struct run *run)
{
    read_log(run, peer->consume, run->ms * 1000000LL);
}

static void replay(struct run *run)
{
    read_log(run, peer->replay, INT64_MAX / 2);
}

static int64_t resident_bytes(pid_t pid)
{
    char path[64];
    int64_t pages = 0;

    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *f = fopen(path, "re");
    if (!f || fscanf(f, "%*s %" SCNd64, &pages) != 1)
        err(1, "%s", path);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void idle(struct run *run)
{
    int64_t before = resident_bytes(run->server);

    peer->idle(run->where, run->number);
    printf("bytes=%.1f\n", (double)(resident_bytes(run->server) - before) / (double)run->number);
}

static const struct figure {
    const char *name;
    void (*measure)(struct run *run);
} figures[] = {{"live", live},       {"latency", latency}, {"publish", publish}, {"fill", fill},
               {"through", through}, {"consume", consume}, {"replay", replay},   {"idle", idle}};

static const struct peer *find_peer(const char *name)
{
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        if (!strcmp(peers[i]->name, name))
            return peers[i];
    errx(2, "no peer '%s'", name);
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
    if (argc < 6)
        errx(
            2,
            "usage: topics live|latency|publish|fill|through|consume|replay|idle PEER WHERE MS NUMBER [PID]");
    const struct figure *figure = find_figure(argv[1]);
    struct run run = {.where = argv[3],
                      .ms = atoi(argv[4]),
                      .number = strtoull(argv[5], NULL, 10),
                      .server = argc > 6 ? atoi(argv[6]) : 0};
    peer = find_peer(argv[2]);
    run_number = getpid();
    tally = shared_memory(sizeof *tally);
    if (peer->prepare)
        peer->prepare(argv[3]);
    figure->measure(&run);
    return 0;
}
