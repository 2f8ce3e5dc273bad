/*
 * Load on a running daemon from N client processes, each with one operation outstanding.
 *
 *     load ping|submit|pass CLIENTS SECONDS [PLUGIN]
 *
 * ping    a round trip client → hub → core → client
 * submit  a durable job, acknowledged after fsync (PLUGIN:function of the argument, delayed by an hour: it never runs)
 * pass    a value through an unbuffered channel to a partner process and back: CLIENTS pairs
 *
 * Prints one line: name, clients, operations per second, p50 and p99 in microseconds. Measured from the moment all
 * clients are connected until the time is over; the figures of one run compare only with those of the same run.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "goclient.h"
#include "samples.h"

enum { CLIENTS_MAX = 1024, SAMPLES_MAX = 1 << 14, WARM_UP_OPS = 50 };

/* One per client process, in shared memory; written by its client only. */
struct lane {
    uint64_t operations;
    uint32_t samples;
    uint32_t us[SAMPLES_MAX];
};

static struct lane *lanes;
static int ready_fds[CLIENTS_MAX][2]; /* a byte when that client is warm; its end without one is a failure */
static int go_fds[2];                 /* closed by the parent when all are */
static const char *plugin;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void check(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s (%s)", what, gc_strerror(r), gc_why());
}

static void one_ping(gc_client *g, int number)
{
    (void)number;
    check(gc_ping(g, GC_FOREVER), "ping");
}

static void one_submit(gc_client *g, int number)
{
    struct gc_submit what = {
        .size = sizeof what, .plugin = plugin, .function = "echo", .delay_ns = 3600LL * 1000000000};
    gc_job job;

    what.argument = &number;
    what.argument_bytes = sizeof number;
    check(gc_submit(g, &what, &job, GC_FOREVER), "submit");
}

static gc_chan there, back;

static void open_pair(gc_client *g, int number)
{
    char name[64];

    snprintf(name, sizeof name, "bench.%d.there", number);
    check(gc_make(g, name, 0, &there, GC_FOREVER), name);
    snprintf(name, sizeof name, "bench.%d.back", number);
    check(gc_make(g, name, 0, &back, GC_FOREVER), name);
}

static void one_pass(gc_client *g, int number)
{
    struct gc_value v;

    if (!there.id)
        open_pair(g, number);
    check(gc_send(g, there, gc_string("0123456789012345678901234567890123456789012345678901234567890123"),
                  GC_FOREVER),
          "send");
    check(gc_recv(g, back, &v, 0, GC_FOREVER), "receive");
    gc_value_clear(&v);
}

/* The partner of one_pass: sends back what it gets, until it is killed. */
static void partner(int number)
{
    char why[GC_WHY_BYTES];
    struct gc_value v;
    gc_client *g;

    if (gc_connect(NULL, &g, why) < 0)
        errx(1, "%s", why);
    open_pair(g, number);
    while (gc_recv(g, there, &v, 0, GC_FOREVER) == 1) {
        check(gc_send(g, back, v, GC_FOREVER), "send back");
        gc_value_clear(&v);
    }
    _exit(0);
}

static const struct load {
    const char *name;
    void (*one)(gc_client *g, int number);
    bool paired;
} loads[] = {{"ping", one_ping, false}, {"submit", one_submit, false}, {"pass", one_pass, true}};

/* Tells the parent that this client is warm, and waits for the others. */
static void line_up(int number)
{
    char none;

    close(go_fds[1]);
    if (write(ready_fds[number][1], "", 1) != 1 || read(go_fds[0], &none, 1) != 0)
        err(1, "client %d cannot line up", number);
}

static void client(const struct load *load, int number, int64_t run_ns)
{
    struct lane *lane = &lanes[number];
    char why[GC_WHY_BYTES];
    int64_t end, begun;
    gc_client *g;

    if (gc_connect(NULL, &g, why) < 0)
        errx(1, "%s", why);
    for (int i = 0; i < WARM_UP_OPS; i++)
        load->one(g, number);
    line_up(number);
    end = now_ns() + run_ns;
    while ((begun = now_ns()) < end) {
        load->one(g, number);
        lane->us[lane->samples++ % SAMPLES_MAX] = (uint32_t)((now_ns() - begun) / 1000);
        lane->operations++;
    }
    gc_disconnect(g);
    _exit(0);
}

static void report(const char *name, int clients, double seconds)
{
    uint32_t *all = calloc((size_t)clients * SAMPLES_MAX, sizeof *all);
    size_t n = 0;
    uint64_t operations = 0;

    if (!all)
        err(1, "samples");
    for (int i = 0; i < clients; i++) {
        uint32_t kept = lanes[i].samples < SAMPLES_MAX ? lanes[i].samples : SAMPLES_MAX;

        memcpy(all + n, lanes[i].us, kept * sizeof *all);
        n += kept;
        operations += lanes[i].operations;
    }
    samples_sort(all, n);
    printf("%s clients=%d ops_per_s=%.0f p50_us=%" PRIu32 " p99_us=%" PRIu32 "\n", name, clients,
           (double)operations / seconds, samples_at(all, n, 50), samples_at(all, n, 99));
    free(all);
}

static void *shared(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        err(1, "shared memory of %zu bytes", size);
    return p;
}

static pid_t child(void)
{
    pid_t pid = fork();

    if (pid < 0)
        err(1, "fork");
    return pid;
}

static void make_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC) < 0)
        err(1, "pipe");
}

/* Starts all, and lets them go when the last of them is ready. */
static void start(const struct load *load, int clients, int seconds, pid_t *pids, pid_t *partners)
{
    char none;

    for (int i = 0; load->paired && i < clients; i++)
        if ((partners[i] = child()) == 0)
            partner(i);
    make_pipe(go_fds);
    for (int i = 0; i < clients; i++) {
        make_pipe(ready_fds[i]);
        if ((pids[i] = child()) == 0)
            client(load, i, seconds * 1000000000LL);
        close(ready_fds[i][1]);
    }
    for (int i = 0; i < clients; i++)
        if (read(ready_fds[i][0], &none, 1) != 1)
            errx(1, "client %d ended before it was ready", i);
    close(go_fds[1]);
}

static int run(const struct load *load, int clients, int seconds)
{
    pid_t pids[CLIENTS_MAX], partners[CLIENTS_MAX];
    int failed = 0, status;

    lanes = shared(sizeof *lanes * (size_t)clients);
    start(load, clients, seconds, pids, partners);
    for (int i = 0; i < clients; i++)
        if (waitpid(pids[i], &status, 0) == pids[i] && status != 0)
            failed = 1;
    for (int i = 0; load->paired && i < clients; i++) {
        kill(partners[i], SIGKILL);
        waitpid(partners[i], NULL, 0);
    }
    report(load->name, clients, seconds);
    return failed;
}

int main(int argc, char **argv)
{
    int clients = argc > 3 ? atoi(argv[2]) : 0, seconds = argc > 3 ? atoi(argv[3]) : 0;

    if (clients < 1 || clients > CLIENTS_MAX || seconds < 1)
        errx(2, "usage: load ping|submit|pass CLIENTS(1..%d) SECONDS [PLUGIN]", CLIENTS_MAX);
    plugin = argv[4];
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        if (strcmp(argv[1], loads[i].name) == 0)
            return run(&loads[i], clients, seconds);
    errx(2, "no load '%s': ping, submit or pass", argv[1]);
}
