/*
 * One figure of the service, or of a peer: prints it on one line.
 *
 *     service stream PEER WHERE BYTES SECONDS [PID]   values from one process to another
 *     service echo PEER WHERE BYTES SECONDS [PID]     a value there and back, one at a time
 *     service ping ours WHERE 0 SECONDS [PID]         a round trip to the server alone
 *     service serve PEER WHERE                        the server of a peer that is written here
 *
 * PID is the server's, whose CPU time is told with that of the two other processes. Measured after a warm-up.
 */
#include "bench.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 1 << 20, WARM_UP_MS = 300 };

static const struct peer *const peers[] = {&ours, &ours_single, &ours_windowed, &ping,
                                           &raw,  &redis,       &nats,          &gearman};

volatile uint64_t *received;
static int ready_fd = -1;
static pid_t run_number;

const char *run_name(const char *what)
{
    static char names[4][64];
    static unsigned n;
    char *name = names[n++ % 4];

    snprintf(name, sizeof names[0], "%s.%d", what, run_number);
    return name;
}

void ready(void)
{
    if (ready_fd >= 0 && write(ready_fd, "", 1) != 1)
        err(1, "ready");
}

/* A process that does this until it is ended; returns when it is ready. */
static pid_t start(void (*work)(const char *where, size_t bytes), const char *where, size_t bytes)
{
    int fds[2];
    char byte;

    if (pipe(fds) < 0)
        err(1, "pipe");
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(fds[0]);
        ready_fd = fds[1];
        work(where, bytes);
        _exit(0);
    }
    close(fds[1]);
    if (read(fds[0], &byte, 1) != 1)
        errx(1, "a process ended before it was ready");
    close(fds[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* CPU time of a process so far; 0 for none. */
static int64_t cpu_ns(pid_t pid)
{
    struct timespec t;
    clockid_t clock;

    if (!pid || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
        return 0;
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static int stream(const struct peer *peer, const char *where, size_t bytes, int seconds, pid_t server)
{
    pid_t all[] = {start(peer->consume, where, bytes), start(peer->produce, where, bytes), server};
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
    end(all[1]);
    end(all[0]);
    if (!n)
        errx(1, "nothing arrived");
    printf("rate=%.0f producer_cpu_ns=%.0f consumer_cpu_ns=%.0f server_cpu_ns=%.0f\n", (double)n * 1e9 / took,
           (double)cpu[1] / (double)n, (double)cpu[0] / (double)n, (double)cpu[2] / (double)n);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    return (*(const uint32_t *)a > *(const uint32_t *)b) - (*(const uint32_t *)a < *(const uint32_t *)b);
}

static int echo(const struct peer *peer, const char *where, size_t bytes, int seconds, pid_t server)
{
    pid_t partner = peer->echo ? start(peer->echo, where, bytes) : 0;
    uint32_t *samples = calloc(SAMPLES_MAX, sizeof *samples);
    size_t n = 0;
    int64_t begun, end_ns, server_ns, own_ns;

    if (!samples)
        err(1, "samples");
    peer->begin(where, bytes);
    end_ns = clock_ns() + WARM_UP_MS * 1000000LL;
    while (clock_ns() < end_ns)
        peer->ask();
    server_ns = cpu_ns(server);
    own_ns = cpu_ns(getpid());
    end_ns = clock_ns() + seconds * 1000000000LL;
    while ((begun = clock_ns()) < end_ns && n < SAMPLES_MAX) {
        peer->ask();
        samples[n++] = (uint32_t)(clock_ns() - begun);
    }
    server_ns = cpu_ns(server) - server_ns;
    own_ns = cpu_ns(getpid()) - own_ns;
    if (partner)
        end(partner);
    qsort(samples, n, sizeof *samples, by_value);
    printf("p50_ns=%" PRIu32 " p99_ns=%" PRIu32 " count=%zu own_cpu_ns=%.0f server_cpu_ns=%.0f\n",
           samples[n / 2], samples[n * 99 / 100], n, (double)own_ns / (double)n,
           (double)server_ns / (double)n);
    free(samples);
    return 0;
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
    received = mmap(NULL, sizeof *received, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (received == MAP_FAILED)
        err(1, "shared memory");
    if (!strcmp(argv[1], "stream"))
        return stream(peer, argv[3], bytes, seconds, server);
    if (!strcmp(argv[1], "echo") || !strcmp(argv[1], "ping"))
        return echo(peer, argv[3], bytes, seconds, server);
    errx(2, "no figure '%s'", argv[1]);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "serve"))
        find(argv[2])->serve(argv[3]);
    if (argc < 6 || atoi(argv[5]) < 1)
        errx(2, "usage: service stream|echo|ping PEER WHERE BYTES SECONDS [PID], or serve PEER WHERE");
    return measure(find(argv[2]), argv, argc > 6 ? atoi(argv[6]) : 0);
}
