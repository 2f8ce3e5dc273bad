/*
 * The command drain. When the time is over and jobs still run, it names them with their stacks before their hosts are killed:
 * who gives up must not end as if all were well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "observe.h"
#include "options.h"
#include "output.h"
#include "status.h"

static int say_end(const struct options *options, bool forced, const char *words)
{
    if (options->json)
        return output_json(json_pack("{s:b, s:s}", "forced", forced, "text", words));
    puts(words);
    return output_flush();
}

/* One that has ended meanwhile, or whose stacks are not told, is still named. */
static int say_stuck(struct session *session, const struct gc_job_info *info)
{
    struct gc_question question = {.size = sizeof question, .what = GC_ASK_STACKS, .job = info->job};
    struct gc_told told = {0};
    int r = gc_inspect(session->client, &question, &told, session_interrupt(session));

    if (session->options->json && r == 0) {
        r = say_told(session->options, info->job, &told, "goroutines");
    } else if (session->options->json) {
        r = output_json(json_pack("{s:I}", "job", (json_int_t)info->job.id));
    } else {
        printf("job %" PRIu64 " (%s) still runs:\n%.*s", info->job.id, info->function, (int)told.bytes,
               r == 0 ? told.text : "");
        r = output_flush();
    }
    gc_told_clear(&told);
    return r;
}

/* 0, or how the question after the jobs failed. What cannot be written keeps no host alive: it is told once. */
static int say_all_stuck(struct session *session)
{
    struct gc_job_filter filter = {.size = sizeof filter, .states = 1u << GC_JOB_RUNNING};
    bool more = true;
    int said = 0;

    while (more) {
        struct gc_job_page page = {0};
        int r = gc_jobs(session->client, &filter, &page, session_interrupt(session));

        if (r < 0)
            return r;
        for (size_t i = 0; i < page.n && said >= 0; i++)
            said = say_stuck(session, &page.items[i]);
        more = page.more;
        filter.after = page.next;
        gc_job_page_clear(&page);
    }
    if (said < 0)
        output_fail(said);
    return 0;
}

static int force(struct session *session)
{
    int r = say_all_stuck(session);

    if (r >= 0)
        r = gc_drain(session->client, GC_DRAIN_FORCE, session_interrupt(session));
    if (r < 0)
        return session_fail(r, "drain");
    r = say_end(session->options, true, "Shutdown timeout, forcing exit");
    return r < 0 ? output_fail(r) : STATUS_TIMEOUT;
}

static int drain(struct session *session)
{
    const struct options *options = session->options;
    enum gc_drain what = options->end ? GC_DRAIN_END : options->force ? GC_DRAIN_FORCE : GC_DRAIN_BEGIN;
    int r = gc_drain(session->client, what, session_until(session));

    if (r == -ETIMEDOUT && what == GC_DRAIN_BEGIN)
        return force(session);
    if (r < 0)
        return session_fail(r, "drain");
    r = say_end(options, options->force,
                options->end ? "jobs are started again" : "stopped gracefully: no job runs");
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_drain(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, drain(&session)) : status;
}
