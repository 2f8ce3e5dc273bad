/*
 * The command pool: what pools of hosts run, how many hosts they have, and their drain.
 */
#include "goclient_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "facts.h"
#include "options.h"
#include "output.h"
#include "session.h"
#include "status.h"

enum { PROGRESS_MS = 1000 };

/* ---- what is known of one ---- */

/* Those of one host follow each other. */
static json_t *host_json(json_t *hosts, const char *number)
{
    size_t n = json_array_size(hosts);
    json_t *last = n ? json_array_get(hosts, n - 1) : NULL;
    json_int_t id = (json_int_t)strtoull(number, NULL, 10);

    if (last && json_integer_value(json_object_get(last, "host")) == id)
        return last;
    last = json_pack("{s:I}", "host", id);
    json_array_append_new(hosts, last);
    return last;
}

/* A list gathers its words. */
static void put_setting(json_t *settings, const struct fact *fact)
{
    json_t *setting = json_object_get(settings, fact->name);

    if (!fact->word) {
        json_object_set_new(
            settings, fact->name,
            json_pack("{s:I, s:s}", "value", (json_int_t)fact->value, "origin", fact->origin));
        return;
    }
    if (!setting) {
        setting = json_pack("{s:[], s:s}", "value", "origin", fact->origin);
        json_object_set_new(settings, fact->name, setting);
    }
    json_array_append_new(json_object_get(setting, "value"), json_string(fact->word));
}

static json_t *info_json(const char *name, const struct gc_stats *info)
{
    json_t *state = json_object(), *settings = json_object(), *hosts = json_array();
    struct fact fact;

    for (size_t i = 0; i < info->n; i++) {
        const struct fact *at = fact_of(&info->items[i], &fact);

        if (at->host)
            json_object_set_new(host_json(hosts, at->host), at->name,
                                at->word ? json_string(at->word) : json_integer((json_int_t)at->value));
        else if (fact_is_state(at))
            json_object_set_new(state, at->name, json_integer((json_int_t)at->value));
        else
            put_setting(settings, at);
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "name", name, "state", state, "settings", settings, "hosts",
                     hosts);
}

static void print_fact(const struct fact *fact)
{
    if (fact->host)
        printf("host %-11s %-12s ", fact->host, fact->name);
    else
        printf("%-16s ", fact->name);
    if (fact->word)
        printf("%s", fact->word);
    else
        printf("%-12" PRIu64, fact->value);
    printf(" %s\n", fact->host || fact_is_state(fact) ? "" : fact->origin);
}

static void print_all(const char *name, const struct gc_stats *info)
{
    struct fact fact;

    printf("%-16s %s\n", "name", name);
    for (size_t i = 0; i < info->n; i++)
        print_fact(fact_of(&info->items[i], &fact));
}

static void print_line(const char *name, const struct gc_stats *info)
{
    printf("%6" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %-7s %s\n",
           facts_state(info, "hosts"), facts_state(info, "running"), facts_state(info, "waiting"),
           facts_state(info, "ended"), facts_state(info, "crashed"),
           facts_state(info, "drained") ? "drained" : "-", name);
}

static const struct fact_kind pools = {
    .word = "pool",
    .heading = " HOSTS  RUNNING  WAITING    ENDED  CRASHED STATE   NAME",
    .list = gc_pools,
    .info = gc_pool_info,
    .set = gc_pool_set,
    .json = info_json,
    .print = print_all,
    .print_line = print_line,
};

static int pool_info(struct session *session, const char *name)
{
    return facts_info(session, &pools, name);
}

static int pool_ls(struct session *session, const char *prefix)
{
    return facts_list(session, &pools, prefix);
}

/* ---- what changes one ---- */

static int pool_set(struct session *session, const char *name)
{
    return facts_set(session, &pools, name);
}

static int pool_scale(struct session *session, const char *name)
{
    const struct options *options = session->options;
    char settings[128];
    int r;

    snprintf(settings, sizeof settings, "hosts=%.40s", options->operands[2]);
    if (options->operands_n == 4)
        snprintf(settings, sizeof settings, "hosts=%.40s goroutines=%.40s", options->operands[2],
                 options->operands[3]);
    r = gc_pool_set(session->client, name, settings, session_until(session));
    return r < 0 ? facts_fail(&pools, r, "scale", name) : STATUS_OK;
}

static int pool_rm(struct session *session, const char *name)
{
    int r = gc_pool_remove(session->client, name, session_until(session));

    return r < 0 ? facts_fail(&pools, r, "rm", name) : STATUS_OK;
}

/* ---- drain ---- */

/* How many jobs still run; on standard error, for the answer is on standard output. 0, -ECANCELED: it is drained no more. */
static int say_progress(struct session *session, const char *name)
{
    struct gc_stats info;
    int r;

    if (gc_pool_info(session->client, name, &info, session_patience(session)) < 0)
        return 0; /* the next slice says why */
    r = facts_state(&info, "drained") ? 0 : -ECANCELED;
    if (r == 0)
        fprintf(stderr, "goctl: pool %s: %" PRIu64 " jobs still run\n", name, facts_state(&info, "running"));
    gc_stats_clear(&info);
    return r;
}

/* In slices, between which it tells how far it is. Each says once more what is wished: not after somebody ended the drain. */
static int wait_drained(struct session *session, const char *name)
{
    const gc_until whole = session_until(session);
    int r;

    for (;;) {
        gc_until slice = gc_after_ms(PROGRESS_MS);
        bool last = whole.ns <= slice.ns;

        if (last)
            slice.ns = whole.ns;
        slice.ctx = whole.ctx;
        r = gc_pool_drain(session->client, name, GC_POOL_DRAIN, slice);
        if (r != -ETIMEDOUT || last)
            return r;
        r = say_progress(session, name);
        if (r < 0)
            return r;
    }
}

static int pool_drain(struct session *session, const char *name)
{
    bool end = session->options->end;
    int r = end ? gc_pool_drain(session->client, name, GC_POOL_DRAIN_END, session_until(session))
                : wait_drained(session, name);

    if (r < 0)
        return facts_fail(&pools, r, "drain", name);
    if (session->options->json)
        r = output_json(json_pack("{s:s, s:b}", "name", name, "drained", !end));
    else if (puts(end ? "jobs are started again" : "drained: no job runs") >= 0)
        r = output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- the table ---- */

static const struct action {
    const char *name;
    int (*run)(struct session *session, const char *name);
    int least, most; /* operands, with its own name; most -1: any number */
    const char *usage;
} actions[] = {
    {"ls", pool_ls, 1, 2, "ls [PREFIX]"},      {"set", pool_set, 3, -1, "set NAME SETTING=VALUE…"},
    {"info", pool_info, 2, 2, "info NAME"},    {"scale", pool_scale, 3, 4, "scale NAME HOSTS [GOROUTINES]"},
    {"drain", pool_drain, 2, 2, "drain NAME"}, {"rm", pool_rm, 2, 2, "rm NAME"},
};

static const struct action *action_of(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(name, actions[i].name))
            return &actions[i];
    return NULL;
}

static bool fits(const struct options *options, const struct action *action)
{
    bool empty = action->least > 1 && options->operands_n > 1 && !*options->operands[1];

    return options->operands_n >= action->least && !empty &&
           (action->most < 0 || options->operands_n <= action->most);
}

int command_pool(const struct options *options)
{
    const struct action *action = action_of(options->operands[0]);
    struct session session;

    if (!action) {
        fprintf(stderr, "goctl pool: there is no \"%s\"; see: goctl pool --help\n", options->operands[0]);
        return STATUS_USAGE;
    }
    if (!fits(options, action)) {
        fprintf(stderr, "goctl pool %s: usage: goctl pool %s\n", action->name, action->usage);
        return STATUS_USAGE;
    }
    int status = session_open(&session, options);
    if (status != STATUS_OK)
        return status;
    return session_close(&session,
                         action->run(&session, options->operands_n > 1 ? options->operands[1] : NULL));
}
