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
#include "options.h"
#include "output.h"
#include "session.h"
#include "status.h"

enum { PROGRESS_MS = 1000, ROW_BYTES = 2048 };

static int fail(int error, const char *what, const char *name)
{
    return session_fail_hint(error, error == -ENOENT ? "`goctl pool ls` lists those there are" : NULL,
                             "pool %s %s", what, name);
}

/* ---- what is known of one ---- */

/* A row in its parts, which lie in `text`: `state.running` is state, NULL, running, NULL; `host.3.state=serving` is host, 3, state,
 * serving. */
struct row {
    char text[ROW_BYTES];
    const char *origin, *host, *name, *word;
    uint64_t value;
};

static char *cut(char *text, char at)
{
    char *found = text ? strchr(text, at) : NULL;

    if (!found)
        return NULL;
    *found = '\0';
    return found + 1;
}

static const struct row *row_of(const struct gc_stat *from, struct row *row)
{
    char *name;

    snprintf(row->text, sizeof row->text, "%s", from->name);
    row->word = cut(row->text, '=');
    row->origin = row->text;
    name = cut(row->text, '.');
    row->host = NULL;
    if (name && strcmp(row->origin, "host") == 0) {
        row->host = name;
        name = cut(name, '.');
    }
    row->name = name ? name : "";
    row->value = from->value;
    return row;
}

static bool is_state(const struct row *row)
{
    return strcmp(row->origin, "state") == 0;
}

static uint64_t state_of(const struct gc_stats *info, const char *name)
{
    struct row row;

    for (size_t i = 0; i < info->n; i++)
        if (is_state(row_of(&info->items[i], &row)) && strcmp(row.name, name) == 0)
            return row.value;
    return 0;
}

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
static void put_setting(json_t *settings, const struct row *row)
{
    json_t *setting = json_object_get(settings, row->name);

    if (!row->word) {
        json_object_set_new(settings, row->name,
                            json_pack("{s:I, s:s}", "value", (json_int_t)row->value, "origin", row->origin));
        return;
    }
    if (!setting) {
        setting = json_pack("{s:[], s:s}", "value", "origin", row->origin);
        json_object_set_new(settings, row->name, setting);
    }
    json_array_append_new(json_object_get(setting, "value"), json_string(row->word));
}

static json_t *info_json(const char *name, const struct gc_stats *info)
{
    json_t *state = json_object(), *settings = json_object(), *hosts = json_array();
    struct row row;

    for (size_t i = 0; i < info->n; i++) {
        const struct row *at = row_of(&info->items[i], &row);

        if (at->host)
            json_object_set_new(host_json(hosts, at->host), at->name,
                                at->word ? json_string(at->word) : json_integer((json_int_t)at->value));
        else if (is_state(at))
            json_object_set_new(state, at->name, json_integer((json_int_t)at->value));
        else
            put_setting(settings, at);
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "name", name, "state", state, "settings", settings, "hosts",
                     hosts);
}

static void print_row(const struct row *row)
{
    if (row->host)
        printf("host %-11s %-12s ", row->host, row->name);
    else
        printf("%-16s ", row->name);
    if (row->word)
        printf("%s", row->word);
    else
        printf("%-12" PRIu64, row->value);
    printf(" %s\n", row->host || is_state(row) ? "" : row->origin);
}

static int pool_info(struct session *session, const char *name)
{
    struct gc_stats info;
    struct row row;
    int r = gc_pool_info(session->client, name, &info, session_patience(session));

    if (r < 0)
        return fail(r, "info", name);
    if (session->options->json) {
        r = output_json(info_json(name, &info));
    } else {
        printf("%-16s %s\n", "name", name);
        for (size_t i = 0; i < info.n; i++)
            print_row(row_of(&info.items[i], &row));
        r = output_flush();
    }
    gc_stats_clear(&info);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- ls ---- */

static int print_one(const struct options *options, const char *name, const struct gc_stats *info)
{
    if (options->json)
        return output_json(info_json(name, info));
    printf("%6" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %-7s %s\n",
           state_of(info, "hosts"), state_of(info, "running"), state_of(info, "waiting"),
           state_of(info, "ended"), state_of(info, "crashed"), state_of(info, "drained") ? "drained" : "-",
           name);
    return output_flush();
}

/* One that has gone meanwhile is left out. */
static int say_one(struct session *session, const char *name)
{
    struct gc_stats info;
    int r = gc_pool_info(session->client, name, &info, session_patience(session));

    if (r < 0)
        return r == -ENOENT ? STATUS_OK : fail(r, "ls", name);
    r = print_one(session->options, name, &info);
    gc_stats_clear(&info);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int pool_ls(struct session *session, const char *prefix)
{
    char after[GC_NAME_BYTES] = "";
    int r, status = STATUS_OK;

    if (!session->options->json)
        puts(" HOSTS  RUNNING  WAITING    ENDED  CRASHED STATE   NAME");
    do {
        struct gc_stats page;

        r = gc_pools(session->client, prefix, *after ? after : NULL, &page, session_patience(session));
        if (r < 0)
            return session_fail(r, "pool ls");
        for (size_t i = 0; i < page.n && status == STATUS_OK; i++) {
            snprintf(after, sizeof after, "%s", page.items[i].name);
            status = say_one(session, after);
        }
        gc_stats_clear(&page);
    } while (r > 0 && status == STATUS_OK);
    return status;
}

/* ---- what changes one ---- */

static int pool_set(struct session *session, const char *name)
{
    const struct options *options = session->options;
    char *settings = NULL;
    size_t size;
    FILE *out = open_memstream(&settings, &size);
    int r;

    if (!out)
        return session_fail_here(-ENOMEM, "pool set %s", name);
    for (int i = 2; i < options->operands_n; i++)
        fprintf(out, "%s ", options->operands[i]);
    if (fclose(out) != 0) {
        free(settings);
        return session_fail_here(-ENOMEM, "pool set %s", name);
    }
    r = gc_pool_set(session->client, name, settings, session_until(session));
    free(settings);
    return r < 0 ? fail(r, "set", name) : STATUS_OK;
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
    return r < 0 ? fail(r, "scale", name) : STATUS_OK;
}

static int pool_rm(struct session *session, const char *name)
{
    int r = gc_pool_remove(session->client, name, session_until(session));

    return r < 0 ? fail(r, "rm", name) : STATUS_OK;
}

/* ---- drain ---- */

/* How many jobs still run; on standard error, for the answer is on standard output. 0, -ECANCELED: it is drained no more. */
static int say_progress(struct session *session, const char *name)
{
    struct gc_stats info;
    int r;

    if (gc_pool_info(session->client, name, &info, session_patience(session)) < 0)
        return 0; /* the next slice says why */
    r = state_of(&info, "drained") ? 0 : -ECANCELED;
    if (r == 0)
        fprintf(stderr, "goctl: pool %s: %" PRIu64 " jobs still run\n", name, state_of(&info, "running"));
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
        return fail(r, "drain", name);
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
