/* The command dead: ended jobs that wait for somebody to look at them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "goclient_job.h"
#include "jobs.h"
#include "options.h"
#include "output.h"
#include "status.h"

/* ---- one after the other ---- */

static int retry_job(struct session *session, gc_job job)
{
    const struct options *options = session->options;
    int r = gc_job_retry(session->client, job, session_patience(session));

    if (r < 0)
        return session_fail_hint(r, r == -ENOENT ? "`goctl dead ls` lists those there are" : NULL,
                                 "retry job %" PRIu64, job.id);
    if (!options->json)
        return STATUS_OK;
    r = output_json(json_pack("{s:I, s:b}", "job", (json_int_t)job.id, "retried", true));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- all of them ---- */

typedef int pages(gc_client *g, const struct gc_ended *which, gc_job *next, gc_until until);

static int say_number(const struct options *options, const char *word, int64_t n)
{
    int r;

    if (options->json) {
        r = output_json(json_pack("{s:I}", word, (json_int_t)n));
    } else {
        printf("%" PRId64 " %s\n", n, word);
        r = output_flush();
    }
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int each_page(struct session *session, pages *page, const char *word)
{
    const struct options *options = session->options;
    struct gc_ended which = {.size = sizeof which,
                             .states = options->states,
                             .queue = options->queue,
                             .older_ns = options->older_ns};
    int64_t n = 0;

    do {
        int r = page(session->client, &which, &which.after, session_patience(session));
        if (r < 0 && n > 0)
            say_number(options, word, n);
        if (r < 0)
            return session_fail(r, "dead");
        n += r;
    } while (which.after.id);
    return say_number(options, word, n);
}

static int retry_all(struct session *session)
{
    return each_page(session, gc_jobs_retry, "retried");
}

static int purge_all(struct session *session)
{
    return each_page(session, gc_jobs_purge, "purged");
}

static int list_dead(struct session *session)
{
    return list_jobs(session, session->options->states ? session->options->states : 1u << GC_JOB_DEAD);
}

static int with_session(const struct options *options, int (*what)(struct session *))
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, what(&session)) : status;
}

/* ---- the command ---- */

static int usage(const char *words)
{
    fprintf(stderr, "goctl dead: %s; see `goctl dead --help`\n", words);
    return STATUS_USAGE;
}

static int retry(const struct options *given, const struct options *rest)
{
    if (given->all && rest->operands_n)
        return usage("retry takes numbers of jobs or --all, not both");
    if (!given->all && !rest->operands_n)
        return usage("retry needs the number of a job, or --all");
    return given->all ? with_session(given, retry_all) : for_each_job(rest, retry_job);
}

int command_dead(const struct options *options)
{
    const char *verb = options->operands[0];
    struct options rest = *options;

    rest.operands++;
    rest.operands_n--;
    if (!strcmp(verb, "retry"))
        return retry(options, &rest);
    if (!strcmp(verb, "show"))
        return rest.operands_n ? for_each_job(&rest, show_job) : usage("show needs the number of a job");
    if (rest.operands_n)
        return usage("ls and purge take no numbers of jobs");
    if (!strcmp(verb, "ls"))
        return with_session(options, list_dead);
    if (!strcmp(verb, "purge"))
        return with_session(options, purge_all);
    return usage("it is ls, show, retry or purge");
}
