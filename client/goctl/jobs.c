/* Commands that look at jobs: jobs, job. */
#include "jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "status.h"

int for_each_job(const struct options *options, int (*one)(struct session *, gc_job))
{
    struct session session;
    int status = session_open(&session, options);

    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < options->operands_n && !session_stopped(); i++) {
        uint64_t id;
        int r = parse_job(options->operands[i], &id);
        int this_status = r < 0 ? STATUS_USAGE : one(&session, gc_job_of(id));

        if (r < 0)
            fprintf(stderr, "goctl: \"%s\" is not the number of a job, as submit prints it\n",
                    options->operands[i]);
        if (status == STATUS_OK)
            status = this_status;
    }
    return session_close(&session, status);
}

static void set_instant(json_t *object, const char *key, int64_t us)
{
    char text[INSTANT_TEXT_BYTES];

    if (us)
        json_object_set_new(object, key, json_string(format_instant(us, text)));
}

static json_t *job_json(const struct gc_job_info *info, bool with_result)
{
    json_t *object = json_pack(
        "{s:I, s:s, s:s, s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:f}", "job",
        (json_int_t)info->job.id, "state", gc_job_state_name(info->state), "cause",
        gc_cause_name(info->cause), "error", info->error, "plugin", info->plugin, "function", info->function,
        "queue", info->queue, "failures", (json_int_t)info->attempt, "attempts_max",
        (json_int_t)info->attempts_max, "crashes", (json_int_t)info->crashes, "run", (json_int_t)info->run,
        "uid", (json_int_t)info->uid, "output_bytes", (json_int_t)info->output_bytes, "text", info->text,
        "progress", info->progress, "fraction", info->fraction);

    if (!object)
        return NULL;
    set_instant(object, "created", info->created_us);
    set_instant(object, "due", info->due_us);
    set_instant(object, "started", info->started_us);
    set_instant(object, "ended", info->ended_us);
    if (with_result && json_set_bytes(object, "result", info->data, info->bytes) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static void print_instant(const char *name, int64_t us)
{
    char text[INSTANT_TEXT_BYTES];

    if (us)
        printf("%-9s %s\n", name, format_instant(us, text));
}

static void print_line(const char *name, const char *text)
{
    if (*text)
        printf("%-9s %s\n", name, text);
}

static void job_text(const struct gc_job_info *info)
{
    printf("job       %" PRIu64 "\nstate     %s\n", info->job.id, gc_job_state_name(info->state));
    if (info->cause)
        printf("cause     %s\n", gc_cause_name(info->cause));
    if (info->error)
        printf("error     %d %s\n", info->error, strerror(abs(info->error)));
    print_line("text", info->text);
    printf("plugin    %s\nfunction  %s\nqueue     %s\n", info->plugin, info->function, info->queue);
    printf("failures  %" PRIu32 " of %" PRIu32 "\ncrashes   %" PRIu32 "\nrun       %" PRIu64 "\n",
           info->attempt, info->attempts_max, info->crashes, info->run);
    print_instant("created", info->created_us);
    print_instant("due", info->due_us);
    print_instant("started", info->started_us);
    print_instant("ended", info->ended_us);
    if (*info->progress || info->fraction > 0)
        printf("progress  %.0f%% %s\n", 100 * info->fraction, info->progress);
    printf("output    %" PRIu64 " bytes\n", info->output_bytes);
    if (info->bytes)
        printf("result    %.*s\n", (int)info->bytes, (const char *)info->data);
}

int show_job(struct session *session, gc_job job)
{
    struct gc_job_info info = {0};
    int r = gc_job_info(session->client, job, &info, session_patience(session));

    if (r < 0)
        return session_fail_hint(r, "`goctl jobs` lists those there are", "job %" PRIu64, job.id);
    if (!session->options->json)
        job_text(&info);
    r = session->options->json ? output_json(job_json(&info, true)) : output_flush();
    gc_job_info_clear(&info);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_job(const struct options *options)
{
    return for_each_job(options, show_job);
}

static int64_t wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void job_line(const struct gc_job_info *info)
{
    const char *file = strrchr(info->plugin, '/');
    char age[DURATION_TEXT_BYTES];
    int64_t old_us = wall_us() - info->created_us;

    printf("%-19" PRIu64 " %-9s %8" PRIu32 " %6s %s:%s%s%s\n", info->job.id, gc_job_state_name(info->state),
           info->attempt, format_duration(old_us > 0 ? old_us * 1000 : 0, age),
           file ? file + 1 : info->plugin, info->function, *info->text ? "  " : "", info->text);
}

static int print_jobs(const struct options *options, const struct gc_job_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        int r = 0;

        if (options->json)
            r = output_json(job_json(&page->items[i], false));
        else
            job_line(&page->items[i]);
        if (r < 0)
            return r;
    }
    return output_flush();
}

int list_jobs(struct session *session, uint32_t states)
{
    const struct options *options = session->options;
    struct gc_job_filter filter = {.size = sizeof filter, .states = states, .queue = options->queue};
    uint64_t left = options->limit ? options->limit : UINT64_MAX;
    bool more = true;

    if (!options->json)
        puts("ID                  STATE     FAILURES    AGE FUNCTION");
    while (more && left) {
        struct gc_job_page page = {0};
        int r;

        filter.limit = left < UINT32_MAX ? (uint32_t)left : 0;
        r = gc_jobs(session->client, &filter, &page, session_patience(session));
        if (r < 0)
            return session_fail(r, "jobs");
        r = print_jobs(options, &page);
        more = page.more;
        left -= page.n < left ? page.n : left;
        filter.after = page.next;
        gc_job_page_clear(&page);
        if (r < 0)
            return output_fail(r);
    }
    return STATUS_OK;
}

int command_jobs(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, list_jobs(&session, options->states)) : status;
}
