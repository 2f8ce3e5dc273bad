/*
 * The outside witness of what a daemon has acknowledged.
 *
 *     ledger submit FILE PLUGIN CLIENTS   CLIENTS threads, each with a session of its own, submit PLUGIN:echo over and
 *                                         over; each acknowledged job is one line "id argument" of FILE, written before
 *                                         the next submit, and then one newline on standard output, for who waits
 *                                         for progress. Ends on SIGTERM.
 *     ledger verify FILE                  every line is a job that ends done, with its argument as the result
 *
 * A submit in doubt is settled by gc_op_status with the next daemon, and goes into the ledger if it took effect: what
 * the daemon says it has taken it must keep.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "goclient.h"

enum { CLIENTS_MAX = 256, ABSENT_MS = 30000 };

static volatile sig_atomic_t stop;
static int ledger_fd;
static const char *plugin;

static void on_term(int signal)
{
    (void)signal;
    stop = 1;
}

static gc_client *must_connect(void)
{
    struct gc_options options = {.size = sizeof options, .absent_ms = ABSENT_MS, .reconnect_ms = ABSENT_MS};
    char why[GC_WHY_BYTES];
    gc_client *g;

    if (gc_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    return g;
}

/* One write of one line: lines of different threads never mix. */
static void note(gc_job job, const char *argument)
{
    char line[128];
    int n = snprintf(line, sizeof line, "%" PRIu64 " %s\n", job.id, argument);

    if (write(ledger_fd, line, (size_t)n) != n)
        err(1, "ledger");
    if (write(STDOUT_FILENO, "\n", 1) != 1)
        err(1, "standard output");
}

/* 1: taken, 0: surely not. */
static int settle(gc_client *g, gc_job *job)
{
    struct gc_op op = gc_last_op();
    int r;

    do
        r = gc_op_status(g, &op, job, GC_FOREVER);
    while (r == -ENETRESET || r == -ECONNRESET || r == -ECONNREFUSED);
    if (r < 0 && r != -ENOENT)
        errx(1, "op_status: %s (%s)", gc_strerror(r), gc_why());
    return r == 1;
}

static bool submit_one(gc_client *g, const char *argument, gc_job *job)
{
    struct gc_submit what = {.size = sizeof what,
                             .plugin = plugin,
                             .function = "echo",
                             .argument = argument,
                             .argument_bytes = strlen(argument)};
    int r = gc_submit(g, &what, job, GC_FOREVER);

    if (r == 0)
        return true;
    if (r == -ECONNREFUSED)
        return false;
    if (r != -ENETRESET && r != -ECONNRESET)
        errx(1, "submit %s: %s (%s)", argument, gc_strerror(r), gc_why());
    return settle(g, job) == 1;
}

static void *client(void *number)
{
    gc_client *g = must_connect();
    char argument[64];
    gc_job job;

    for (uint64_t i = 0; !stop; i++) {
        snprintf(argument, sizeof argument, "client-%d-job-%" PRIu64, (int)(intptr_t)number, i);
        if (submit_one(g, argument, &job))
            note(job, argument);
    }
    gc_disconnect(g);
    return NULL;
}

static int submit(const char *file, int clients)
{
    struct sigaction action = {.sa_handler = on_term};
    pthread_t threads[CLIENTS_MAX];

    ledger_fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (ledger_fd < 0)
        err(1, "%s", file);
    sigaction(SIGTERM, &action, NULL);
    for (int i = 0; i < clients; i++)
        if (pthread_create(&threads[i], NULL, client, (void *)(intptr_t)i) != 0)
            errx(1, "cannot start client %d", i);
    for (int i = 0; i < clients; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static bool verify_one(gc_client *g, gc_job job, const char *argument)
{
    struct gc_result result = {0};
    int r = gc_wait(g, job, &result, GC_FOREVER);
    bool good =
        r == 1 && result.bytes == strlen(argument) && memcmp(result.data, argument, result.bytes) == 0;

    if (r < 0)
        warnx("job %" PRIu64 " (%s): %s (%s)", job.id, argument, gc_strerror(r), gc_why());
    else if (!good)
        warnx("job %" PRIu64 " (%s): %s, result %.*s, %s", job.id, argument, gc_job_state_name(result.state),
              (int)result.bytes, (const char *)result.data, result.text);
    gc_result_clear(&result);
    return good;
}

static int verify(const char *file)
{
    FILE *lines = fopen(file, "r");
    gc_client *g = must_connect();
    size_t good = 0, bad = 0;
    char argument[64];
    gc_job job;

    if (!lines)
        err(1, "%s", file);
    while (fscanf(lines, "%" SCNu64 " %63s", &job.id, argument) == 2) {
        bool kept = verify_one(g, job, argument);

        good += kept;
        bad += !kept;
    }
    fclose(lines);
    gc_disconnect(g);
    printf("%zu jobs acknowledged and done, %zu lost or wrong\n", good, bad);
    return bad > 0 || good == 0;
}

int main(int argc, char **argv)
{
    int clients = argc == 5 ? atoi(argv[4]) : 0;

    if (argc == 3 && strcmp(argv[1], "verify") == 0)
        return verify(argv[2]);
    if (argc != 5 || strcmp(argv[1], "submit") != 0 || clients < 1 || clients > CLIENTS_MAX)
        errx(2, "usage: ledger submit FILE PLUGIN CLIENTS(1..%d) | ledger verify FILE", CLIENTS_MAX);
    plugin = argv[3];
    return submit(argv[2], clients);
}
