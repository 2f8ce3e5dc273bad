/*
 * Commands that look into running jobs: stacks, procs, monitor, and stats --job. And metrics, the page that a scraper reads.
 */
#include "observe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "jobs.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "status.h"

int ask_job(struct session *session, struct gc_question question, struct gc_told *told)
{
    int r;

    question.size = sizeof question;
    r = gc_inspect(session->client, &question, told, session_patience(session));
    return r < 0 ? session_fail(r, "job %" PRIu64, question.job.id) : STATUS_OK;
}

int say_told(const struct options *options, gc_job job, const struct gc_told *told, const char *key)
{
    json_t *object;

    if (!options->json) {
        fwrite(told->text, 1, told->bytes, stdout);
        return output_flush();
    }
    object = json_pack("{s:I, s:I, s:i, s:s}", "job", (json_int_t)job.id, "host", (json_int_t)told->host,
                       "pid", told->pid, "plugin", told->plugin);
    if (object && json_set_bytes(object, key, told->text, told->bytes) < 0) {
        json_decref(object);
        object = NULL;
    }
    return output_json(object);
}

/* ---- stacks, procs ---- */

static int show_answer(struct session *session, struct gc_question question, const char *key)
{
    struct gc_told told;
    int status = ask_job(session, question, &told), r = 0;

    if (status == STATUS_OK)
        r = say_told(session->options, question.job, &told, key);
    gc_told_clear(&told);
    return r < 0 ? output_fail(r) : status;
}

static int show_stacks(struct session *session, gc_job job)
{
    return show_answer(session, (struct gc_question){.what = GC_ASK_STACKS, .job = job}, "goroutines");
}

int command_stacks(const struct options *options)
{
    return for_each_job(options, show_stacks);
}

static int change_procs(struct session *session, gc_job job)
{
    struct gc_question question = {.what = GC_ASK_PROCS, .job = job, .value = session->options->set};

    return show_answer(session, question, "procs");
}

int command_procs(const struct options *options)
{
    return for_each_job(options, change_procs);
}

/* ---- figures ---- */

static int figures_of(struct session *session, gc_job job, struct gc_stats *figures)
{
    int r = gc_figures(session->client, job, figures, session_patience(session));

    return r < 0 ? session_fail(r, "job %" PRIu64, job.id) : STATUS_OK;
}

static uint64_t figure(const struct gc_stats *figures, const char *name)
{
    for (size_t i = 0; i < figures->n; i++)
        if (strcmp(figures->items[i].name, name) == 0)
            return figures->items[i].value;
    return 0;
}

int show_figures(struct session *session, gc_job job)
{
    struct gc_stats figures;
    int status = figures_of(session, job, &figures), r = 0;

    if (status == STATUS_OK)
        r = print_stats(session->options, &figures);
    gc_stats_clear(&figures);
    return r < 0 ? output_fail(r) : status;
}

/* ---- monitor ---- */

struct monitor {
    uint64_t last, looks;
    bool begun;
};

static int say_goroutines(const struct options *options, gc_job job, uint64_t n, bool warned)
{
    if (options->json)
        return output_json(json_pack("{s:I, s:I, s:b}", "job", (json_int_t)job.id, "goroutines",
                                     (json_int_t)n, "warning", warned));
    printf("%" PRIu64 " goroutines\n", n);
    if (warned)
        printf("warning: %" PRIu64 " goroutines, %" PRIu64 " are expected at most\n", n, options->most);
    return output_flush();
}

/* One look; what has not changed is not told. */
static int monitor_look(struct session *session, gc_job job, struct monitor *monitor)
{
    const struct options *options = session->options;
    struct gc_stats figures;
    int r = gc_figures(session->client, job, &figures, session_patience(session));
    uint64_t now = figure(&figures, "goroutines");
    bool told = monitor->begun && monitor->last == now;
    bool above = options->most && now > options->most && (!monitor->begun || monitor->last <= options->most);

    gc_stats_clear(&figures);
    if (r < 0)
        return r;
    monitor->begun = true;
    monitor->last = now;
    monitor->looks++;
    return told ? 0 : say_goroutines(options, job, now, above);
}

enum { MONITOR_EVERY_MS = 1000 };

/* Until the job has ended. */
static int monitor_job(struct session *session, gc_job job)
{
    const struct options *options = session->options;
    int64_t every_ms = options->every_ns > 0 ? options->every_ns / 1000000 : MONITOR_EVERY_MS;
    struct monitor monitor = {.begun = false};

    session_watch_output();
    for (;;) {
        gc_until pause = gc_after_ms(every_ms);
        int r = monitor_look(session, job, &monitor);

        if (r == -ENOENT && monitor.begun)
            return STATUS_OK;
        if (r == -EPIPE)
            return output_fail(r);
        if (r < 0)
            return session_fail(r, "job %" PRIu64, job.id);
        if (options->count && monitor.looks == options->count)
            return STATUS_OK;
        pause.ctx = session_interrupt(session).ctx;
        r = gc_wait(session->client, job, NULL, pause);
        if (r >= 0)
            return STATUS_OK;
        if (r != -ETIMEDOUT)
            return session_fail(r, "job %" PRIu64, job.id);
    }
}

int command_monitor(const struct options *options)
{
    return for_each_job(options, monitor_job);
}

/* ---- metrics ---- */

enum { METRIC_NAME_BYTES = 128 };

/* "jobs.done" becomes "goroutined_jobs_done". */
static const char *metric_name(const char *prefix, const char *name, char text[static METRIC_NAME_BYTES])
{
    snprintf(text, METRIC_NAME_BYTES, "%s%s", prefix, name);
    for (char *at = text; *at; at++)
        if (*at == '.')
            *at = '_';
    return text;
}

static int daemon_metrics(struct session *session)
{
    struct gc_stats stats = {0};
    char name[METRIC_NAME_BYTES];
    int r = gc_stats(session->client, NULL, &stats, session_patience(session));

    for (size_t i = 0; i < stats.n; i++) {
        metric_name("goroutined_", stats.items[i].name, name);
        printf("# TYPE %s untyped\n%s %" PRIu64 "\n", name, name, stats.items[i].value);
    }
    gc_stats_clear(&stats);
    return r;
}

/* All samples of one metric stand together, so it is figure by figure, and in each job by job. */
static void job_metrics(const struct gc_stats *figures, const uint64_t *ids, size_t n)
{
    char name[METRIC_NAME_BYTES];

    for (size_t i = 0; n > 0 && i < figures[0].n; i++) {
        metric_name("goroutined_job_", figures[0].items[i].name, name);
        printf("# TYPE %s gauge\n", name);
        for (size_t job = 0; job < n; job++)
            printf("%s{job=\"%" PRIu64 "\"} %" PRIu64 "\n", name, ids[job],
                   figure(&figures[job], figures[0].items[i].name));
    }
}

enum { METRICS_JOBS_MAX = 64 };

static int metrics(struct session *session)
{
    const struct options *options = session->options;
    struct gc_stats figures[METRICS_JOBS_MAX];
    uint64_t ids[METRICS_JOBS_MAX];
    int status = STATUS_OK, r;
    size_t n = 0;

    for (int i = 0; i < options->operands_n && status == STATUS_OK; i++) {
        if (parse_job(options->operands[i], &ids[n]) < 0) {
            fprintf(stderr, "goctl: \"%s\" is not the number of a job, as submit prints it\n",
                    options->operands[i]);
            status = STATUS_USAGE;
            break;
        }
        status = figures_of(session, gc_job_of(ids[n]), &figures[n]);
        n++;
    }
    r = status == STATUS_OK ? daemon_metrics(session) : 0;
    if (status == STATUS_OK && r >= 0)
        job_metrics(figures, ids, n);
    while (n > 0)
        gc_stats_clear(&figures[--n]);
    if (r < 0)
        return session_fail(r, "metrics");
    r = output_flush();
    return r < 0 ? output_fail(r) : status;
}

int command_metrics(const struct options *options)
{
    struct session session;
    int status;

    if (options->operands_n > METRICS_JOBS_MAX) {
        fprintf(stderr, "goctl metrics: %d jobs; at most %d at once\n", options->operands_n,
                METRICS_JOBS_MAX);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, metrics(&session)) : status;
}
