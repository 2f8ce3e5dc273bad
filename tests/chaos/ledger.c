/*
 * The outside witness of what a daemon has acknowledged.
 *
 *     ledger submit FILE PLUGIN CLIENTS   CLIENTS threads, each with a session of its own, submit PLUGIN:echo over and
 *                                         over; each acknowledged job is one line "id argument" of FILE, written before
 *                                         the next submit, and then one newline on standard output, for who waits
 *                                         for progress. Ends on SIGTERM.
 *     ledger submit FILE PLUGIN CLIENTS RUNS
 *                                         the same with PLUGIN:count, which writes into RUNS what it does, and each end
 *                                         that a client is told goes there too: "E id run"
 *                                         PLUGIN "-": its function is for workers
 *     ledger verify FILE                  every line is a job that ends done, with its argument as the result
 *
 * A submit in doubt is settled by gc_op_status with the next daemon, and goes into the ledger if it took effect: what
 * the daemon says it has taken it must keep.
 */
#include <err.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "book.h"
#include "term.h"

enum { CLIENTS_MAX = 256, ARGUMENT_BYTES = 128, ATTEMPTS = 1000 };

static int ledger_fd, runs_fd;
static const char *plugin, *runs; /* plugin: NULL: a worker has it; runs: NULL: nobody counts them */

/* The job goes into the ledger, before the next submit. */
static void note(gc_job job, const char *argument)
{
    book_line(ledger_fd, "%" PRIu64 " %s", job.id, argument);
    book_progress();
}

static bool submit_one(gc_client *g, const char *argument, gc_job *job)
{
    struct gc_submit what = {.size = sizeof what,
                             .plugin = plugin,
                             .function = runs ? "count" : "echo",
                             .argument = argument,
                             .argument_bytes = strlen(argument),
                             .attempts_max = runs ? ATTEMPTS : 0,
                             .backoff_ns = 1000000};

    return survivor_submit(g, &what, job);
}

/* What the client is told of the end of a job, before it goes on. */
static void hear_end(gc_client *g, gc_job job)
{
    struct gc_result result = {0};
    int r = gc_wait(g, job, &result, GC_FOREVER);

    if (r != 1)
        errx(1, "wait for job %" PRIu64 ": %d (%s)", job.id, r, r < 0 ? gc_why() : result.text);
    book_line(runs_fd, "E %" PRIu64 " %" PRIu64, job.id, result.run);
    gc_result_clear(&result);
}

static void *client(void *number)
{
    gc_client *g = survivor();
    char argument[ARGUMENT_BYTES];
    gc_job job;

    for (uint64_t i = 0; !stop; i++) {
        snprintf(argument, sizeof argument, "%s:client-%d-%d-job-%" PRIu64, runs ? runs : "", getpid(),
                 (int)(intptr_t)number, i);
        if (!submit_one(g, argument, &job))
            continue;
        note(job, argument);
        if (runs)
            hear_end(g, job);
    }
    gc_disconnect(g);
    return NULL;
}

static int submit(const char *file, int clients)
{
    pthread_t threads[CLIENTS_MAX];

    ledger_fd = book_open(file);
    if (runs)
        runs_fd = book_open(runs);
    take_term();
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
    gc_client *g = survivor();
    size_t good = 0, bad = 0;
    char argument[ARGUMENT_BYTES];
    gc_job job;

    if (!lines)
        err(1, "%s", file);
    while (fscanf(lines, "%" SCNu64 " %127s", &job.id, argument) == 2) {
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
    int clients = argc == 5 || argc == 6 ? atoi(argv[4]) : 0;

    if (argc == 3 && strcmp(argv[1], "verify") == 0)
        return verify(argv[2]);
    if ((argc != 5 && argc != 6) || strcmp(argv[1], "submit") != 0 || clients < 1 || clients > CLIENTS_MAX)
        errx(2, "usage: ledger submit FILE PLUGIN CLIENTS(1..%d) [RUNS] | ledger verify FILE", CLIENTS_MAX);
    plugin = strcmp(argv[3], "-") == 0 ? NULL : argv[3];
    runs = argv[5];
    return submit(argv[2], clients);
}
