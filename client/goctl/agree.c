/* Commands that run a command when processes agree that it may: once, limit, breaker, errgroup. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agree.h"
#include "child.h"
#include "commands.h"
#include "lock.h"
#include "options.h"
#include "output.h"
#include "status.h"

int run_or_reset(const struct options *options, int (*run)(struct session *session), enum gc_sync_kind kind,
                 const char *word)
{
    struct session session;
    int status = session_open(&session, options), r;

    if (status != STATUS_OK)
        return status;
    if (!options->reset)
        return session_close(&session, run(&session));
    r = gc_sync_reset(session.client, kind, options->operands[0], session_patience(&session));
    if (r < 0)
        status = session_fail_hint(r, r == -EBUSY ? "wait until it has ended" : NULL, "%s --reset %s", word,
                                   options->operands[0]);
    return session_close(&session, status);
}

static int usage(const char *text)
{
    fputs(text, stderr);
    return STATUS_USAGE;
}

/* ---- once ---- */

struct once {
    const struct session *session;
    int status;
};

static int run_command(void *arg)
{
    struct once *once = arg;

    once->status = child_run(once->session, once->session->options->operands + 1);
    return once->status == STATUS_OK ? 0 : -ECANCELED;
}

static const char *once_hint(int error)
{
    return error == -EOWNERDEAD
               ? "the command failed or its process died; `goctl once --reset NAME` lets it run again"
           : error == -EAGAIN ? "somebody runs it now"
                              : NULL;
}

static int once_run(struct session *session)
{
    const char *name = session->options->operands[0];
    struct once once = {.session = session};
    int r = gc_once(session->client, name, run_command, &once, session_until(session));

    if (once.status != STATUS_OK)
        return once.status;
    return r < 0 ? session_fail_hint(r, once_hint(r), "once %s", name) : STATUS_OK;
}

int command_once(const struct options *options)
{
    if (options->reset != (options->operands_n == 1))
        return usage("goctl once: give a command to run behind --, or --reset and no command\n");
    return run_or_reset(options, once_run, GC_SYNC_ONCE, "once");
}

/* ---- limit ---- */

static const char *limit_hint(int error)
{
    return error == -E2BIG ? "take no more at once than --burst keeps"
           : error == -EEXIST
               ? "--every and --burst are the same from everybody until the bucket is full again"
               : NULL;
}

static int limit_run(struct session *session)
{
    const struct options *options = session->options;
    struct gc_rate rate = {.period_ns = options->every_ns, .burst = options->burst ? options->burst : 1};
    uint64_t units = options->units ? options->units : 1;
    int r = gc_limit_take(session->client, options->operands[0], rate, units, session_until(session));

    if (r < 0)
        return session_fail_hint(r, limit_hint(r), "limit %s", options->operands[0]);
    return options->operands_n > 1 ? child_run(session, options->operands + 1) : STATUS_OK;
}

int command_limit(const struct options *options)
{
    if (options->reset && options->operands_n > 1)
        return usage("goctl limit: --reset runs no command\n");
    if (!options->reset && options->every_ns <= 0)
        return usage("goctl limit: --every has to say how often there is a token, such as 100ms\n");
    return run_or_reset(options, limit_run, GC_SYNC_LIMITER, "limit");
}

/* ---- breaker ---- */

static int breaker_run(struct session *session)
{
    const struct options *options = session->options;
    struct gc_breaking when = {.failures = options->failures, .open_ns = options->open_ns};
    const char *name = options->operands[0];
    uint64_t token;
    int r = gc_breaker_enter(session->client, name, when, &token, session_patience(session)), status;

    if (r < 0)
        return session_fail_hint(r, r == -EEXIST ? "--failures and --open are the same from everybody" : NULL,
                                 "breaker %s", name);
    status = child_run(session, options->operands + 1);
    r = gc_breaker_leave(session->client, name, token, status != STATUS_OK, GC_FOREVER);
    if (r < 0)
        fprintf(stderr, "goctl: breaker %s: how the command went was not counted: %s\n", name, gc_why());
    return r < 0 && status == STATUS_OK ? (int)status_of(r) : status;
}

int command_breaker(const struct options *options)
{
    if (options->reset != (options->operands_n == 1))
        return usage("goctl breaker: give a command to run behind --, or --reset and no command\n");
    if (!options->reset && (!options->failures || options->open_ns <= 0))
        return usage(
            "goctl breaker: --failures has to say how many in a row open it, and --open for how long, "
            "such as --failures 3 --open 5s\n");
    return run_or_reset(options, breaker_run, GC_SYNC_BREAKER, "breaker");
}

/* ---- errgroup ---- */

static int errgroup_run(struct session *session, const char *name)
{
    const struct options *options = session->options;
    int r = gc_group_start(session->client, name, options->limit ? (int64_t)options->limit : -1,
                           session_until(session));
    int status;

    if (r < 0)
        return session_fail_hint(r,
                                 r == -EEXIST ? "--limit is the same from everybody while members run" : NULL,
                                 "errgroup run %s", name);
    status = child_run(session, options->operands + 2);
    r = gc_group_end(session->client, name, error_telling(status), GC_FOREVER);
    return held_lost("errgroup", name, r, status);
}

static int say_status(const struct session *session, const char *name, int status)
{
    int r;

    if (!session->options->json)
        return status;
    r = output_json(json_pack("{s:s, s:i}", "errgroup", name, "status", status));
    return r < 0 ? output_fail(r) : status;
}

static int errgroup_wait(struct session *session, const char *name)
{
    int error, status;
    int r = gc_group_wait(session->client, name, &error, session_until(session));

    if (r < 0)
        return session_fail(r, "errgroup wait %s", name);
    status = status_told(error);
    if (error && tells_status(error))
        fprintf(stderr, "goctl: errgroup %s: the first that failed had status %d\n", name, status);
    else if (error)
        fprintf(stderr, "goctl: errgroup %s: the first that failed: %s\n", name, gc_strerror(error));
    return say_status(session, name, status);
}

static int errgroup_reset(struct session *session, const char *name)
{
    int r = gc_sync_reset(session->client, GC_SYNC_ERRGROUP, name, session_patience(session));

    return r < 0
               ? session_fail_hint(r, r == -EBUSY ? "`goctl errgroup wait NAME` waits for its members" : NULL,
                                   "errgroup reset %s", name)
               : STATUS_OK;
}

static const struct group_verb {
    const char *name;
    int (*run)(struct session *session, const char *name);
    bool runs; /* a command */
} group_verbs[] = {{"run", errgroup_run, true},
                   {"wait", errgroup_wait, false},
                   {"reset", errgroup_reset, false},
                   {NULL, NULL, false}};

/* NULL after the reason was told. */
static const struct group_verb *group_verb_of(const struct options *options)
{
    const struct group_verb *verb = group_verbs;

    while (verb->name && strcmp(verb->name, options->operands[0]) != 0)
        verb++;
    if (!verb->name)
        fprintf(stderr, "goctl errgroup: \"%s\" is none of run, wait, reset\n", options->operands[0]);
    else if (verb->runs != (options->operands_n > 2))
        fprintf(stderr, "goctl errgroup %s: usage: goctl errgroup %s NAME%s\n", verb->name, verb->name,
                verb->runs ? " -- COMMAND…" : "");
    else
        return verb;
    return NULL;
}

int command_errgroup(const struct options *options)
{
    const struct group_verb *verb = group_verb_of(options);
    struct session session;
    int status;

    if (!verb)
        return STATUS_USAGE;
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, verb->run(&session, options->operands[1])) : status;
}
