/*
 * One figure of the service, or of a peer: prints it on one line.
 *
 *     service stream PEER WHERE BYTES SECONDS [PID]   values from one process to another
 *     service echo PEER WHERE BYTES SECONDS [PID]     a value there and back, one at a time
 *     service ping ours WHERE 0 SECONDS [PID]         a round trip to the server alone
 *     service hogs PEER WHERE BYTES SECONDS [PID]     echo or ping, beside two busy processes for each processor
 *     service crowd PEER WHERE 0 SECONDS [PID]        what eight processes have, one at a time
 *     service serve PEER WHERE                        the server of a peer that is written here
 *
 * PID is the server's, whose CPU time is told with that of the other processes. Measured after a warm-up.
 */
#include "bench.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "samples.h"

enum { SAMPLES_MAX = 1 << 20, WARM_UP_MS = 300, CROWD = 8, HOGS_MAX = 256 };

static const struct peer *const peers[] = {&ours,   &ours_single, &ours_windowed, &ping, &job_run, &select_8,
                                           &lock_8, &raw,         &redis,         &nats, &gearman};

volatile uint64_t *received;
static pid_t run_number;

const char *run_name(const char *what)
{
    static char names[4][64];
    static unsigned n;
    char *name = names[n++ % 4];

    snprintf(name, sizeof names[0], "%s.%d", what, run_number);
    return name;
}

void keep_pace(uint64_t sent)
{
    while (sent - *received > AHEAD_MAX)
        sched_yield();
}

static int stream(const struct peer *peer, const char *where, size_t bytes, int seconds, pid_t server)
{
    pid_t all[] = {process_start(peer->consume, where, bytes), process_start(peer->produce, where, bytes),
                   server};
    int64_t cpu[3];

    sleep_ms(WARM_UP_MS);
    uint64_t from = *received;
    int64_t begun = clock_ns();
    for (int i = 0; i < 3; i++)
        cpu[i] = cpu_ns(all[i]);
    sleep_ms(seconds * 1000);
    uint64_t n = *received - from;
    double took = (double)(clock_ns() - begun);
    for (int i = 0; i < 3; i++)
        cpu[i] = cpu_ns(all[i]) - cpu[i];
    process_end(all[1]);
    process_end(all[0]);
    if (!n)
        errx(1, "nothing arrived");
    printf("rate=%.0f producer_cpu_ns=%.0f consumer_cpu_ns=%.0f server_cpu_ns=%.0f\n", (double)n * 1e9 / took,
           (double)cpu[1] / (double)n, (double)cpu[0] / (double)n, (double)cpu[2] / (double)n);
    return 0;
}

/* Several processes that want the same; each counts in *received what it has had. */
static int crowd(const struct peer *peer, const char *where, size_t bytes, int seconds, pid_t server)
{
    pid_t all[CROWD + 1] = {[CROWD] = server};
    int64_t cpu[CROWD + 1], clients = 0;

    for (int i = 0; i < CROWD; i++)
        all[i] = process_start(peer->consume, where, bytes);
    sleep_ms(WARM_UP_MS);
    uint64_t from = *received;
    int64_t begun = clock_ns();
    for (int i = 0; i <= CROWD; i++)
        cpu[i] = cpu_ns(all[i]);
    sleep_ms(seconds * 1000);
    double n = (double)(*received - from), took = (double)(clock_ns() - begun);
    for (int i = 0; i <= CROWD; i++)
        cpu[i] = cpu_ns(all[i]) - cpu[i];
    for (int i = 0; i < CROWD; i++) {
        clients += cpu[i];
        process_end(all[i]);
    }
    if (n < 1)
        errx(1, "nobody has had it");
    printf("rate=%.0f clients_cpu_ns=%.0f server_cpu_ns=%.0f\n", n * 1e9 / took, (double)clients / n,
           (double)cpu[CROWD] / n);
    return 0;
}

static int echo(const struct peer *peer, const char *where, size_t bytes, int seconds, pid_t server)
{
    pid_t partner = peer->echo ? process_start(peer->echo, where, bytes) : 0;
    uint32_t *samples = calloc(SAMPLES_MAX, sizeof *samples);
    size_t n = 0;
    int64_t begun, end_ns, server_ns, own_ns, partner_ns;

    if (!samples)
        err(1, "samples");
    peer->begin(where, bytes);
    end_ns = clock_ns() + WARM_UP_MS * 1000000LL;
    while (clock_ns() < end_ns)
        peer->ask();
    server_ns = cpu_ns(server);
    own_ns = cpu_ns(getpid());
    partner_ns = cpu_ns(partner);
    end_ns = clock_ns() + seconds * 1000000000LL;
    while ((begun = clock_ns()) < end_ns && n < SAMPLES_MAX) {
        peer->ask();
        samples[n++] = (uint32_t)(clock_ns() - begun);
    }
    server_ns = cpu_ns(server) - server_ns;
    own_ns = cpu_ns(getpid()) - own_ns;
    partner_ns = cpu_ns(partner) - partner_ns;
    if (partner)
        process_end(partner);
    samples_sort(samples, n);
    printf("p50_ns=%" PRIu32 " p99_ns=%" PRIu32
           " count=%zu own_cpu_ns=%.0f partner_cpu_ns=%.0f server_cpu_ns=%.0f\n",
           samples_at(samples, n, 50), samples_at(samples, n, 99), n, (double)own_ns / (double)n,
           (double)partner_ns / (double)n, (double)server_ns / (double)n);
    free(samples);
    return 0;
}

static void hog(const char *where, size_t bytes)
{
    ready();
    for (volatile uint64_t n = 0;;) /* volatile: it is work that no compiler leaves out */
        n = n + 1;
}

static int beside_hogs(const struct peer *peer, const char *where, size_t bytes, int seconds, pid_t server)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int n = processors < HOGS_MAX / 2 ? (int)processors * 2 : HOGS_MAX;
    pid_t hogs[HOGS_MAX];

    for (int i = 0; i < n; i++)
        hogs[i] = process_start(hog, where, bytes);
    int r = echo(peer, where, bytes, seconds, server);
    for (int i = 0; i < n; i++)
        process_end(hogs[i]);
    return r;
}

static const struct peer *find(const char *name)
{
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        if (!strcmp(peers[i]->name, name))
            return peers[i];
    errx(2, "no peer '%s'", name);
}

static int measure(const struct peer *peer, char **argv, pid_t server)
{
    size_t bytes = strtoull(argv[4], NULL, 10);
    int seconds = atoi(argv[5]);

    run_number = getpid();
    received = shared_memory(sizeof *received);
    if (!strcmp(argv[1], "stream"))
        return stream(peer, argv[3], bytes, seconds, server);
    if (!strcmp(argv[1], "echo") || !strcmp(argv[1], "ping"))
        return echo(peer, argv[3], bytes, seconds, server);
    if (!strcmp(argv[1], "hogs"))
        return beside_hogs(peer, argv[3], bytes, seconds, server);
    if (!strcmp(argv[1], "crowd"))
        return crowd(peer, argv[3], bytes, seconds, server);
    errx(2, "no figure '%s'", argv[1]);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "serve"))
        find(argv[2])->serve(argv[3]);
    if (argc < 6 || atoi(argv[5]) < 1)
        errx(
            2,
            "usage: service stream|echo|ping|hogs|crowd PEER WHERE BYTES SECONDS [PID], or serve PEER WHERE");
    return measure(find(argv[2]), argv, argc > 6 ? atoi(argv[6]) : 0);
}
