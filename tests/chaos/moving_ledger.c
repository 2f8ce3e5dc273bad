/*
 * The outside witness of transactions (moving_plugin.c).
 *
 *     moving_ledger feed FILE PLUGIN THREADS   THREADS clients, each with a session of its own, send a value and submit
 *                                              PLUGIN:move, over and over. Lines of FILE: "T value" before the send, "S value"
 *                                              when it was acknowledged, "J id" when the job was, "E id value" when its end was
 *                                              told, with the value that it moved. Ends on SIGTERM.
 *     moving_ledger look FILE                  waits for the end of each job there is: "M id state value" of a move,
 *                                              "F id state value" of a follow
 *
 * A value is "SENDER NUMBER". Each E is followed by a newline on standard output, for who waits for progress. A client that is
 * killed may leave a value for which there is no job, never a job for which there is no value.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "book.h"
#include "moving.h"
#include "term.h"

enum { THREADS_MAX = 64, CAPACITY = 10000 };

static int book;
static char argument[512]; /* of each job */

static gc_chan must_open(gc_client *g, const char *name)
{
    struct gc_chan_options options = {
        .size = sizeof(options), .flags = GC_CREATE | GC_DURABLE, .capacity = CAPACITY};
    gc_chan c;
    int r;

    do
        r = gc_open(g, name, &options, &c, GC_FOREVER);
    while (survivor_lost(r));
    if (r < 0)
        errx(1, "open: %s (%s)", gc_strerror(r), gc_why());
    return c;
}

/* False: it may be there, and may not. */
static bool put_in(gc_client *g, gc_chan *in, const char *value)
{
    book_line(book, "T %s", value);
    int r = gc_send(g, *in, gc_string(value), GC_FOREVER);
    if (r == 0)
        book_line(book, "S %s", value);
    else if (survivor_lost(r))
        *in = must_open(g, MOVING_IN);
    else
        errx(1, "send: %s (%s)", gc_strerror(r), gc_why());
    return r == 0;
}

static void hear_end(gc_client *g, gc_job job)
{
    struct gc_result result = {0};
    int r = gc_wait(g, job, &result, GC_FOREVER);

    if (r != 1)
        errx(1, "wait for job %" PRIu64 ": %d (%s)", job.id, r, r < 0 ? gc_why() : result.text);
    book_line(book, "E %" PRIu64 " %.*s", job.id, (int)result.bytes, (const char *)result.data);
    book_progress();
    gc_result_clear(&result);
}

static void *feeder(void *plugin)
{
    static _Atomic int threads;
    struct gc_submit what = {.size = sizeof(what),
                             .plugin = plugin,
                             .function = "move",
                             .argument = argument,
                             .argument_bytes = strlen(argument),
                             .attempts_max = MOVING_ATTEMPTS,
                             .backoff_ns = MOVING_BACKOFF_NS};
    gc_client *g = survivor();
    gc_chan in = must_open(g, MOVING_IN);
    char value[MOVING_VALUE_BYTES];
    int number = threads++;
    gc_job job;

    must_open(g, MOVING_OUT);
    for (uint64_t i = 0; !stop; i++) {
        snprintf(value, sizeof(value), "%d-%d %" PRIu64, getpid(), number, i);
        if (!put_in(g, &in, value) || !survivor_submit(g, &what, &job))
            continue;
        book_line(book, "J %" PRIu64, job.id);
        hear_end(g, job);
    }
    gc_disconnect(g);
    return NULL;
}

static int feed(const char *file, char *plugin, int threads)
{
    pthread_t thread[THREADS_MAX];

    snprintf(argument, sizeof(argument), "%s %s", file, plugin);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, feeder, plugin) != 0)
            errx(1, "cannot start client %d", i);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return 0;
}

static void look_at(gc_client *g, const struct gc_job_info *job)
{
    struct gc_result result = {0};
    int r = gc_wait(g, job->job, &result, GC_FOREVER);

    if (r < 0)
        errx(1, "wait for job %" PRIu64 ": %s (%s)", job->job.id, gc_strerror(r), gc_why());
    if (r == 0)
        warnx("job %" PRIu64 " (%s): %s, %s", job->job.id, job->function, gc_job_state_name(result.state),
              result.text);
    book_line(book, "%c %" PRIu64 " %s %.*s", strcmp(job->function, "move") == 0 ? 'M' : 'F', job->job.id,
              gc_job_state_name(result.state), (int)result.bytes, (const char *)result.data);
    gc_result_clear(&result);
}

/* In the order of submission: what the moves submit is found behind them. */
static int look(void)
{
    struct gc_job_filter filter = {.size = sizeof(filter)};
    gc_client *g = survivor();
    bool more = true;

    while (more) {
        struct gc_job_page page;
        int r = gc_jobs(g, &filter, &page, GC_FOREVER);

        if (r < 0)
            errx(1, "jobs: %s (%s)", gc_strerror(r), gc_why());
        for (size_t i = 0; i < page.n; i++)
            look_at(g, &page.items[i]);
        more = page.more || page.n;
        filter.after = page.n ? page.items[page.n - 1].job : page.next;
        gc_job_page_clear(&page);
    }
    gc_disconnect(g);
    return 0;
}

int main(int argc, char **argv)
{
    int threads = argc == 5 ? atoi(argv[4]) : 0;
    bool feeds = argc == 5 && strcmp(argv[1], "feed") == 0 && threads > 0 && threads <= THREADS_MAX;

    if (!feeds && (argc != 3 || strcmp(argv[1], "look") != 0))
        errx(2, "usage: moving_ledger feed FILE PLUGIN THREADS(1..%d) | look FILE", THREADS_MAX);
    take_term();
    book = book_open(argv[2]);
    return feeds ? feed(argv[2], argv[3], threads) : look();
}
