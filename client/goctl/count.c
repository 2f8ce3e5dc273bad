/* Commands about numbers that processes share: wg, counter, barrier. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "session.h"
#include "status.h"

/* ---- verbs with a number ---- */

/* One verb of a family: `goctl FAMILY VERB NAME [N]`. */
struct verb {
    const char *name;
    int (*run)(struct session *session, const char *name, int64_t n);
    const char *wants; /* what N is; NULL: there is none */
    int64_t usual;     /* N when it is not given */
    int64_t least;     /* N must not be less */
};

static const struct verb *verb_of(const struct options *options, const char *family, const struct verb *verb,
                                  const char *names)
{
    while (verb->name && strcmp(verb->name, options->operands[0]) != 0)
        verb++;
    if (verb->name)
        return verb;
    fprintf(stderr, "goctl %s: \"%s\" is none of %s\n", family, options->operands[0], names);
    return NULL;
}

static int parse_number(const char *text, int64_t *number)
{
    bool negative = *text == '-';
    uint64_t n;
    int r = parse_count(text + negative, &n);

    if (r == 0 && n > INT64_MAX)
        r = -ERANGE;
    if (r == 0)
        *number = negative ? -(int64_t)n : (int64_t)n;
    return r;
}

/* 0, or a usage error that was told. */
static int number_of(const struct options *options, const char *family, const struct verb *verb, int64_t *n)
{
    const char *text = options->operands_n > 2 ? options->operands[2] : NULL;
    int r;

    *n = verb->usual;
    if (!text)
        return STATUS_OK;
    if (!verb->wants) {
        fprintf(stderr, "goctl %s %s: \"%s\" is too much: it takes a name alone\n", family, verb->name, text);
        return STATUS_USAGE;
    }
    r = parse_number(text, n);
    if (r == 0 && *n >= verb->least)
        return STATUS_OK;
    fprintf(stderr, "goctl %s %s: \"%s\" is not %s\n", family, verb->name, text, verb->wants);
    return STATUS_USAGE;
}

static int run_verb(const struct options *options, const char *family, const struct verb *verbs,
                    const char *names)
{
    const struct verb *verb = verb_of(options, family, verbs, names);
    struct session session;
    int64_t n;
    int status = verb ? number_of(options, family, verb, &n) : STATUS_USAGE;

    if (status == STATUS_OK)
        status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, verb->run(&session, options->operands[1], n))
                               : status;
}

static int say(const struct session *session, const char *family, const char *what, int64_t n)
{
    int r;

    if (!session->options->json)
        return STATUS_OK;
    r = output_json(json_pack("{s:s, s:I}", family, session->options->operands[1], what, (json_int_t)n));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- wait groups ---- */

static int wg_add(struct session *session, const char *name, int64_t units)
{
    int r =
        gc_wg_add(session->client, name, (uint64_t)units, GC_DETACHED_UNITS, NULL, session_patience(session));

    return r < 0 ? session_fail(r, "wg add %s", name) : say(session, "group", "added", units);
}

/* What is settled twice is no matter of how the command line was written. */
static int wg_done(struct session *session, const char *name, int64_t units)
{
    int r = gc_wg_done(session->client, name, (uint64_t)units, session_patience(session));

    if (r >= 0)
        return say(session, "group", "done", units);
    int status = session_fail(r, "wg done %s", name);
    return r == -EINVAL ? STATUS_FAILURE : status;
}

static int wg_wait(struct session *session, const char *name, int64_t unused)
{
    uint64_t dead;
    int r = gc_wg_wait(session->client, name, 0, &dead, session_until(session));

    (void)unused;
    if (r != -EOWNERDEAD)
        return r < 0 ? session_fail(r, "wg wait %s", name) : say(session, "group", "dead", 0);
    fprintf(stderr,
            "goctl: wg wait %s: all units are settled, %" PRIu64 " of them because who had them died\n", name,
            dead);
    say(session, "group", "dead", (int64_t)dead);
    return STATUS_FAILURE;
}

int command_wg(const struct options *options)
{
    static const struct verb verbs[] = {{"add", wg_add, "a number of units, 1 or more", 1, 1},
                                        {"done", wg_done, "a number of units, 1 or more", 1, 1},
                                        {"wait", wg_wait, NULL, 0, 0},
                                        {NULL, NULL, NULL, 0, 0}};

    return run_verb(options, "wg", verbs, "add, done, wait");
}

/* ---- counters ---- */

static int say_value(const struct session *session, int64_t value)
{
    int r;

    if (session->options->json)
        return say(session, "counter", "value", value);
    printf("%" PRId64 "\n", value);
    r = output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int counter_add(struct session *session, const char *name, int64_t delta)
{
    int64_t value;
    int r = gc_counter_add(session->client, name, delta, &value, session_patience(session));

    return r < 0 ? session_fail(r, "counter %s %s", session->options->operands[0], name)
                 : say_value(session, value);
}

static int counter_wait(struct session *session, const char *name, int64_t least)
{
    int64_t value;
    int r = gc_counter_wait(session->client, name, least, &value, session_until(session));

    return r < 0 ? session_fail(r, "counter wait %s", name) : say_value(session, value);
}

static int counter_reset(struct session *session, const char *name, int64_t unused)
{
    int r = gc_sync_reset(session->client, GC_SYNC_COUNTER, name, session_patience(session));

    (void)unused;
    return r < 0 ? session_fail(r, "counter reset %s", name) : say(session, "counter", "value", 0);
}

int command_counter(const struct options *options)
{
    static const struct verb verbs[] = {{"add", counter_add, "a number", 1, INT64_MIN},
                                        {"get", counter_add, NULL, 0, 0},
                                        {"wait", counter_wait, "a number", 1, INT64_MIN},
                                        {"reset", counter_reset, NULL, 0, 0},
                                        {NULL, NULL, NULL, 0, 0}};

    return run_verb(options, "counter", verbs, "add, get, wait, reset");
}

/* ---- barriers ---- */

static int barrier_wait(struct session *session, const char *name, uint64_t parties)
{
    int r = gc_barrier_wait(session->client, name, (uint32_t)parties, session_until(session));

    if (r < 0)
        return session_fail(r, "barrier %s", name);
    if (!session->options->json)
        return STATUS_OK;
    r = output_json(json_pack("{s:s, s:I, s:b}", "barrier", name, "parties", (json_int_t)parties, "last",
                              r == GC_BARRIER_LAST));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_barrier(const struct options *options)
{
    struct session session;
    uint64_t parties;
    int status;

    if (parse_count(options->operands[1], &parties) < 0 || parties == 0 || parties > UINT32_MAX) {
        fprintf(stderr, "goctl barrier: \"%s\" is not a number of parties, 1 or more\n",
                options->operands[1]);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK
               ? session_close(&session, barrier_wait(&session, options->operands[0], parties))
               : status;
}
