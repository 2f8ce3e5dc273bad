/*
 * The command queue: what is set of queues and by whom, what waits in them, pauses and purges.
 */
#include "goclient_queue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "facts.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "session.h"
#include "status.h"

/* ---- what is known of one ---- */

static bool is_breaker(const struct fact *fact)
{
    return strcmp(fact->origin, "breaker") == 0;
}

/* Without an end the value is the largest there is. */
static json_t *number_json(uint64_t value)
{
    return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

static json_t *info_json(const char *name, const struct gc_stats *info)
{
    json_t *state = json_object(), *settings = json_object(), *breakers = json_array();
    struct fact fact;

    for (size_t i = 0; i < info->n; i++) {
        const struct fact *at = fact_of(&info->items[i], &fact);
        json_t *value = at->word ? json_string(at->word) : number_json(at->value);

        if (fact_is_state(at))
            json_object_set_new(state, at->name, value);
        else if (is_breaker(at))
            json_array_append_new(breakers, json_pack("{s:s, s:o, s:I}", "function", at->name, "state", value,
                                                      "left_ms", (json_int_t)at->value));
        else
            json_object_set_new(settings, at->name,
                                json_pack("{s:o, s:s}", "value", value, "origin", at->origin));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "name", name, "state", state, "settings", settings, "breakers",
                     breakers);
}

static void print_value(const struct fact *fact)
{
    if (fact->word)
        printf("%-12s", fact->word);
    else if (fact->value > INT64_MAX)
        printf("%-12s", "until told");
    else
        printf("%-12" PRIu64, fact->value);
}

static void print_all(const char *name, const struct gc_stats *info)
{
    struct fact fact;

    printf("%-17s %s\n", "name", name);
    for (size_t i = 0; i < info->n; i++) {
        const struct fact *at = fact_of(&info->items[i], &fact);

        printf("%-17s ", at->name);
        print_value(at);
        if (is_breaker(at) && at->value)
            printf(" breaker, one tries in %" PRIu64 " ms\n", at->value);
        else
            printf(" %s\n", fact_is_state(at) ? "" : at->origin);
    }
}

static void print_line(const char *name, const struct gc_stats *info)
{
    printf("%8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %-7s %s\n", facts_state(info, "running"),
           facts_state(info, "ready"), facts_state(info, "waiting"), facts_state(info, "keys"),
           facts_state(info, "pause_left") ? "paused" : "-", name);
}

/* So who mistyped a name comes to know. */
static int set_and_tell(gc_client *g, const char *name, const char *settings, gc_until until)
{
    int made = gc_queue_set(g, name, settings, until);

    if (made > 0)
        fprintf(stderr, "goctl: made queue %s\n", name);
    return made;
}

static const struct fact_kind queues = {
    .word = "queue",
    .heading = " RUNNING    READY  WAITING     KEYS STATE   NAME",
    .list = gc_queues,
    .info = gc_queue_info,
    .set = set_and_tell,
    .json = info_json,
    .print = print_all,
    .print_line = print_line,
};

static int queue_info(struct session *session, const char *name)
{
    return facts_info(session, &queues, name);
}

/* ---- what changes one ---- */

static int queue_set(struct session *session, const char *name)
{
    return facts_set(session, &queues, name);
}

static int queue_pause(struct session *session, const char *name)
{
    const struct options *options = session->options;
    enum gc_pause what = options->submits ? GC_PAUSE_SUBMITS : GC_PAUSE;
    int r = gc_queue_pause(session->client, name, what, options->for_ns, session_until(session));

    return r < 0 ? facts_fail(&queues, r, "pause", name) : STATUS_OK;
}

static int queue_resume(struct session *session, const char *name)
{
    int r = gc_queue_pause(session->client, name, GC_PAUSE_END, 0, session_until(session));

    return r < 0 ? facts_fail(&queues, r, "resume", name) : STATUS_OK;
}

static int queue_purge(struct session *session, const char *name)
{
    int64_t purged = gc_queue_purge(session->client, name, session_until(session));
    int r;

    if (purged < 0)
        return facts_fail(&queues, (int)purged, "purge", name);
    if (!session->options->json)
        printf("%" PRId64 " jobs were cancelled\n", purged);
    r = session->options->json
            ? output_json(json_pack("{s:s, s:I}", "name", name, "cancelled", (json_int_t)purged))
            : output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int queue_rm(struct session *session, const char *name)
{
    int r = gc_queue_remove(session->client, name, session_until(session));

    return r < 0 ? facts_fail(&queues, r, "rm", name) : STATUS_OK;
}

/* ---- the table ---- */

static const struct action {
    const char *name;
    int (*run)(struct session *session, const char *name);
} actions[] = {
    {"set", queue_set},       {"info", queue_info},   {"pause", queue_pause},
    {"resume", queue_resume}, {"purge", queue_purge}, {"rm", queue_rm},
};

static int act(struct session *session)
{
    const struct options *options = session->options;
    const char *what = options->operands[0], *name = options->operands_n > 1 ? options->operands[1] : NULL;

    if (!strcmp(what, "ls"))
        return facts_list(session, &queues, name);
    if (!name || !*name) {
        fprintf(stderr, "goctl queue %s: which? usage: goctl queue %s NAME\n", what, what);
        return STATUS_USAGE;
    }
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(what, actions[i].name))
            return actions[i].run(session, name);
    fprintf(stderr, "goctl queue: there is no \"%s\"; see: goctl queue --help\n", what);
    return STATUS_USAGE;
}

int command_queue(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, act(&session)) : status;
}
