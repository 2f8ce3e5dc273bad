/* Commands about what processes count, run once, or do at a rate: wg, once, limit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "commands.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "status.h"

/* ---- wait groups ---- */

/* The third operand, or 1. 0, or a usage error that was told. */
static int read_units(const struct options *options, uint64_t *units)
{
    *units = 1;
    if (options->operands_n < 3 || (parse_count(options->operands[2], units) == 0 && *units > 0))
        return STATUS_OK;
    fprintf(stderr, "goctl wg: %s is not a number of units\n", options->operands[2]);
    return STATUS_USAGE;
}

static int wg_say(const struct session *session, const char *what, uint64_t units)
{
    int r;

    if (!session->options->json)
        return STATUS_OK;
    r = output_json(json_pack("{s:s, s:I}", "group", session->options->operands[1], what, (json_int_t)units));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int wg_add(struct session *session, const char *name, uint64_t units)
{
    int r = gc_wg_add(session->client, name, units, GC_DETACHED_UNITS, NULL, session_patience(session));

    return r < 0 ? session_fail(r, "wg add %s", name) : wg_say(session, "added", units);
}

static int wg_done(struct session *session, const char *name, uint64_t units)
{
    int r = gc_wg_done(session->client, name, units, session_patience(session));

    return r < 0 ? session_fail(r, "wg done %s", name) : wg_say(session, "done", units);
}

static int wg_wait(struct session *session, const char *name, uint64_t units)
{
    uint64_t dead;
    int r = gc_wg_wait(session->client, name, 0, &dead, session_until(session));

    if (r != -EOWNERDEAD)
        return r < 0 ? session_fail(r, "wg wait %s", name) : wg_say(session, "dead", 0);
    fprintf(stderr,
            "goctl: wg wait %s: all units are settled, %" PRIu64 " of them because who had them died\n", name,
            dead);
    wg_say(session, "dead", dead);
    return STATUS_FAILURE;
}

static const struct wg_verb {
    const char *name;
    int (*run)(struct session *session, const char *name, uint64_t units);
} wg_verbs[] = {{"add", wg_add}, {"done", wg_done}, {"wait", wg_wait}, {NULL, NULL}};

int command_wg(const struct options *options)
{
    const struct wg_verb *verb = wg_verbs;
    struct session session;
    uint64_t units;
    int status = read_units(options, &units);

    while (verb->name && strcmp(verb->name, options->operands[0]))
        verb++;
    if (!verb->name)
        fprintf(stderr, "goctl wg: \"%s\" is none of add, done, wait\n", options->operands[0]);
    if (!verb->name || status != STATUS_OK)
        return STATUS_USAGE;
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, verb->run(&session, options->operands[1], units))
                               : status;
}

/* ---- once ---- */

struct once {
    char *const *command;
    int status;
};

static int run_command(void *arg)
{
    struct once *once = arg;

    once->status = child_run(once->command);
    return once->status == STATUS_OK ? 0 : -ECANCELED;
}

static const char *once_hint(int error)
{
    return error == -EOWNERDEAD
               ? "the command failed or its process died; `goctl once --reset NAME` lets it run again"
               : NULL;
}

static int once_run(struct session *session)
{
    const struct options *options = session->options;
    struct once once = {.command = options->operands + 1};
    int r = gc_once(session->client, options->operands[0], run_command, &once, session_until(session));

    if (once.status != STATUS_OK)
        return once.status;
    return r < 0 ? session_fail_hint(r, once_hint(r), "once %s", options->operands[0]) : STATUS_OK;
}

static int once_reset(struct session *session)
{
    const char *name = session->options->operands[0];
    int r = gc_sync_reset(session->client, GC_SYNC_ONCE, name, session_patience(session));

    return r < 0 ? session_fail(r, "once --reset %s", name) : STATUS_OK;
}

int command_once(const struct options *options)
{
    struct session session;
    int status;

    if (options->reset != (options->operands_n == 1)) {
        fputs("goctl once: give a command to run, or --reset and none\n", stderr);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    if (status != STATUS_OK)
        return status;
    return session_close(&session, (options->reset ? once_reset : once_run)(&session));
}

/* ---- limit ---- */

static int limit_run(struct session *session)
{
    const struct options *options = session->options;
    struct gc_rate rate = {.period_ns = options->every_ns, .burst = options->burst ? options->burst : 1};
    uint64_t units = options->units ? options->units : 1;
    int r = gc_limit_take(session->client, options->operands[0], rate, units, session_until(session));

    if (r < 0)
        return session_fail(r, "limit %s", options->operands[0]);
    return options->operands_n > 1 ? child_run(options->operands + 1) : STATUS_OK;
}

int command_limit(const struct options *options)
{
    struct session session;
    int status;

    if (options->every_ns <= 0) {
        fputs("goctl limit: --every says how often\n", stderr);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, limit_run(&session)) : status;
}
