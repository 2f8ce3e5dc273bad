/*
 * wordstat: the words and lines of every regular file below some folders, counted by durable jobs.
 *
 *     wordstat [--plugin wordcount.so] [--table FILE] [FOLDER…]
 *
 * One job per file; its counts come back on one channel, what went wrong on another. In Go:
 *
 *     for !tally.complete() {
 *         select {
 *         case part := <-results:
 *             tally.take(part)
 *         case err := <-errors:
 *             fmt.Fprintln(os.Stderr, err)
 *         case <-time.After(time.Second):
 *             look for jobs that ended without a word
 *         }
 *     }
 */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "goclient.h"
#include "tally.h"

enum {
    SUBMITTERS = 16,       /* threads; the daemon puts what they ask for at once into one commit */
    CHANNEL_CAPACITY = 64, /* values; jobs wait when the results are not taken fast enough */
    QUIET_MS = 1000,       /* silence after which jobs are looked at */
    REDRAW_MS = 100,
    TOP_WORDS = 20,
};

struct wordstat {
    gc_client *client;
    const char *plugin, *table;
    bool plant_wrong; /* for the test that a wrong count is noticed */
    char results_name[64], errors_name[64];
    gc_chan results, errors;
    struct tally tally;
    _Atomic(uint64_t) *jobs; /* by file; 0: not submitted yet */
    atomic_size_t next_file; /* to submit */
    bool terminal;
    int64_t begun_ns, drawn_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* ---- the files ---- */

static struct tally *walk_into; /* nftw passes nothing along; one walk at a time */

static int walk_file(const char *path, const struct stat *about, int type, struct FTW *place)
{
    (void)about;
    (void)place;
    return type == FTW_F && S_ISREG(about->st_mode) ? tally_add(walk_into, path) : 0;
}

static int walk(struct tally *tally, const char *folder)
{
    char real[PATH_MAX];
    int r;

    if (!realpath(folder, real)) {
        fprintf(stderr, "wordstat: %s: %s\n", folder, strerror(errno));
        return -errno;
    }
    walk_into = tally;
    r = nftw(real, walk_file, 64, FTW_PHYS);
    if (r)
        fprintf(stderr, "wordstat: %s: %s\n", folder, strerror(r < -1 ? -r : errno));
    return r;
}

/* ---- submitting ---- */

/* FILE, TAG, RESULTS and ERRORS with a zero byte between them, as wordcount wants it. */
static int submit_file(struct wordstat *stat, size_t tag)
{
    char argument[PATH_MAX + 256];
    int size = snprintf(argument, sizeof argument, "%s%c%zu%c%s%c%s", stat->tally.files[tag].path, 0, tag, 0,
                        stat->results_name, 0, stat->errors_name);
    struct gc_submit what = {.size = sizeof what,
                             .plugin = stat->plugin,
                             .function = "count",
                             .argument = argument,
                             .argument_bytes = (size_t)size,
                             .attempts_max = 1};
    gc_job job;
    int r;

    if (size >= (int)sizeof argument)
        return -ENAMETOOLONG;
    r = gc_submit(stat->client, &what, &job, GC_FOREVER);
    if (r >= 0)
        atomic_store(&stat->jobs[tag], job.id);
    return r;
}

static void tell_submit_failed(struct wordstat *stat, size_t tag, int error)
{
    char text[GC_WHY_BYTES + 64];

    snprintf(text, sizeof text, "%zu cannot submit %s: %s", tag, stat->tally.files[tag].path,
             *gc_why() ? gc_why() : gc_strerror(error));
    gc_send(stat->client, stat->errors, gc_string(text), GC_FOREVER);
}

/* Several threads run this, each taking the next file. */
static void *submit_files(void *arg)
{
    struct wordstat *stat = arg;
    size_t tag;

    while ((tag = atomic_fetch_add(&stat->next_file, 1)) < stat->tally.files_n) {
        int r = submit_file(stat, tag);

        if (r < 0)
            tell_submit_failed(stat, tag, r);
    }
    return NULL;
}

/* ---- progress ---- */

static void draw(struct wordstat *stat)
{
    const struct tally *tally = &stat->tally;
    size_t ended = tally->counted + tally->failed;
    double seconds = (double)(now_ns() - stat->begun_ns) / 1e9;
    int filled = (int)(30 * ended / (tally->files_n ? tally->files_n : 1));

    fprintf(stderr, "\r[%-30.*s] %zu of %zu files, %.1f MB, %.0f files/s ", filled,
            "##############################", ended, tally->files_n, (double)tally->bytes / 1e6,
            (double)ended / seconds);
}

static void progress(struct wordstat *stat)
{
    int64_t now = now_ns();

    if (!stat->terminal || now - stat->drawn_ns < REDRAW_MS * INT64_C(1000000))
        return;
    stat->drawn_ns = now;
    draw(stat);
}

static void progress_end(struct wordstat *stat)
{
    if (!stat->terminal)
        return;
    draw(stat);
    fputc('\n', stderr);
}

static void complain(struct wordstat *stat, const char *text)
{
    fprintf(stderr, "%swordstat: %s\n", stat->terminal ? "\r\033[K" : "", text);
}

/* ---- collecting ---- */

static int take_result(struct wordstat *stat, const struct gc_value *value)
{
    int r = tally_take(&stat->tally, value->data, value->size);

    if (r < 0)
        complain(stat, r == -EBADMSG ? "a value that is not from wordcount" : strerror(-r));
    return r;
}

static int take_error(struct wordstat *stat, const struct gc_value *value)
{
    char *text = strndup(value->data, value->size);
    const char *reason = text ? tally_take_error(&stat->tally, text) : "no memory";

    if (reason)
        complain(stat, reason);
    free(text);
    return text ? 0 : -ENOMEM;
}

/* A job that ended badly without a word on a channel: its host crashed, somebody cancelled it. */
static void look_at_job(struct wordstat *stat, size_t tag)
{
    gc_job job = gc_job_of(atomic_load(&stat->jobs[tag]));
    struct gc_result result = {0};
    char text[GC_WHY_BYTES];

    if (stat->tally.files[tag].state != FILE_WAITING || !job.id)
        return;
    if (gc_wait(stat->client, job, &result, GC_NOW) == 0 && tally_fail(&stat->tally, tag)) {
        snprintf(text, sizeof text, "%s: job %" PRIu64 " %s, cause %s: %s", stat->tally.files[tag].path,
                 job.id, gc_job_state_name(result.state), gc_cause_name(result.cause), result.text);
        complain(stat, text);
    }
    gc_result_clear(&result);
}

static void look_at_jobs(struct wordstat *stat)
{
    for (size_t tag = 0; tag < stat->tally.files_n; tag++)
        look_at_job(stat, tag);
}

static int collect(struct wordstat *stat)
{
    int r = 0;

    while (r >= 0 && !tally_complete(&stat->tally)) {
        struct gc_value part = {0}, error = {0};
        struct gc_case cases[] = {gc_case_recv(stat->results, &part), gc_case_recv(stat->errors, &error)};

        r = gc_select(stat->client, cases, 2, 0, gc_after_ms(QUIET_MS));
        if (r == 0)
            r = take_result(stat, &part);
        else if (r == 1)
            r = take_error(stat, &error);
        else if (r == -ETIMEDOUT) {
            look_at_jobs(stat);
            r = 0;
        } else
            complain(stat, gc_why());
        gc_value_clear(&part);
        gc_value_clear(&error);
        progress(stat);
    }
    progress_end(stat);
    return r;
}

/* Submits with several threads and collects meanwhile. */
static int run_jobs(struct wordstat *stat)
{
    pthread_t threads[SUBMITTERS];
    int started = 0, r;

    stat->begun_ns = now_ns();
    while (started < SUBMITTERS && !pthread_create(&threads[started], NULL, submit_files, stat))
        started++;
    if (!started) {
        complain(stat, "cannot start a thread");
        return -EAGAIN;
    }
    r = collect(stat);
    atomic_store(&stat->next_file, stat->tally.files_n);
    gc_close(stat->client, stat->errors, GC_FOREVER); /* nobody takes an error any more */
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return r;
}

static int open_channels(struct wordstat *stat)
{
    struct gc_about about;
    int r;

    gc_about(stat->client, &about);
    snprintf(stat->results_name, sizeof stat->results_name, "wordstat.%" PRIu64 ".results", about.session);
    snprintf(stat->errors_name, sizeof stat->errors_name, "wordstat.%" PRIu64 ".errors", about.session);
    r = gc_make(stat->client, stat->results_name, CHANNEL_CAPACITY, &stat->results, GC_FOREVER);
    if (r >= 0)
        r = gc_make(stat->client, stat->errors_name, CHANNEL_CAPACITY, &stat->errors, GC_FOREVER);
    if (r < 0)
        complain(stat, gc_why());
    return r;
}

/* ---- the report ---- */

static void print_top(const struct tally *tally)
{
    struct word **words = words_by_count(&tally->words);
    unsigned n = HASH_COUNT(tally->words.table);

    for (unsigned i = 0; words && i < n && i < TOP_WORDS; i++)
        printf("%10" PRIu64 "  %s\n", words[i]->count, words[i]->text);
    free(words);
}

static void print_totals(const struct wordstat *stat, int64_t ns)
{
    const struct tally *tally = &stat->tally;
    double seconds = (double)ns / 1e9;

    printf("%zu files, %" PRIu64 " lines, %" PRIu64 " words, %u different, %" PRIu64 " bytes\n",
           tally->counted, tally->lines, tally->words.total, HASH_COUNT(tally->words.table), tally->bytes);
    printf("%.2f s: %.0f files/s, %.1f MB/s\n", seconds, (double)tally->counted / seconds,
           (double)tally->bytes / 1e6 / seconds);
}

/* `COUNT WORD` by word, then the totals: the form that deploy/demo makes of the standard tools' output. */
static int write_table(const struct wordstat *stat)
{
    const struct tally *tally = &stat->tally;
    struct word **words = words_by_name(&tally->words);
    unsigned n = HASH_COUNT(tally->words.table);
    FILE *out = fopen(stat->table, "w");
    int r = 0;

    if (!out || (n && !words))
        r = -errno;
    if (r == 0 && n && stat->plant_wrong)
        words[n / 2]->count++;
    for (unsigned i = 0; r == 0 && i < n; i++)
        fprintf(out, "%" PRIu64 " %s\n", words[i]->count, words[i]->text);
    if (r == 0)
        fprintf(out, "files %zu\nlines %" PRIu64 "\n", tally->counted, tally->lines);
    if (out && fclose(out))
        r = -errno;
    if (r < 0)
        fprintf(stderr, "wordstat: cannot write %s: %s\n", stat->table, strerror(-r));
    free(words);
    return r;
}

static int report(const struct wordstat *stat, int64_t ns)
{
    int r = stat->table ? write_table(stat) : 0;

    print_top(&stat->tally);
    print_totals(stat, ns);
    if (stat->tally.failed)
        fprintf(stderr, "wordstat: %zu files could not be counted\n", stat->tally.failed);
    return r < 0 || stat->tally.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- */

static int run(struct wordstat *stat, char *const *folders, int folders_n)
{
    char why[GC_WHY_BYTES];
    int64_t ns;
    int r = 0;

    for (int i = 0; i < folders_n && r == 0; i++)
        r = walk(&stat->tally, folders[i]);
    if (r)
        return EXIT_FAILURE;
    stat->jobs = calloc(stat->tally.files_n + 1, sizeof *stat->jobs);
    if (!stat->jobs) {
        complain(stat, "no memory");
        return EXIT_FAILURE;
    }
    if (gc_connect(NULL, &stat->client, why) < 0) {
        complain(stat, why);
        return EXIT_FAILURE;
    }
    r = open_channels(stat);
    if (r >= 0)
        r = run_jobs(stat);
    ns = now_ns() - stat->begun_ns;
    gc_unlink(stat->client, stat->results_name, GC_FOREVER);
    gc_unlink(stat->client, stat->errors_name, GC_FOREVER);
    gc_disconnect(stat->client);
    return r < 0 ? EXIT_FAILURE : report(stat, ns);
}

/* The plugin lies beside this program. */
static const char *plugin_beside(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size);
    char *slash;

    if (n <= 0 || (size_t)n >= size)
        return "./wordcount.so";
    path[n] = '\0';
    slash = strrchr(path, '/');
    snprintf(slash + 1, size - (size_t)(slash + 1 - path), "wordcount.so");
    return path;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"plugin", required_argument, NULL, 'p'},
                                          {"table", required_argument, NULL, 't'},
                                          {"plant-wrong", no_argument, NULL, 'w'},
                                          {0}};
    char path[PATH_MAX];
    struct wordstat stat = {.plugin = plugin_beside(path, sizeof path), .terminal = isatty(STDERR_FILENO)};
    int found, status;

    while ((found = getopt_long(argc, argv, "p:t:", longs, NULL)) != -1) {
        if (found == 'p')
            stat.plugin = optarg;
        else if (found == 't')
            stat.table = optarg;
        else if (found == 'w')
            stat.plant_wrong = true;
        else
            return 2;
    }
    if (optind == argc) {
        fprintf(stderr, "usage: wordstat [--plugin wordcount.so] [--table FILE] FOLDER…\n");
        return 2;
    }
    status = run(&stat, argv + optind, argc - optind);
    tally_clear(&stat.tally);
    free(stat.jobs);
    return status;
}
