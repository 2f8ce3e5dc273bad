/*
 * The command queue: what is set of queues and by whom, what waits in them, pauses and purges.
 */
#include "goclient_queue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "session.h"
#include "status.h"

static int fail(int error, const char *what, const char *name)
{
    return session_fail_hint(error, error == -ENOENT ? "`goctl queue ls` lists those there are" : NULL,
                             "queue %s %s", what, name);
}

/* ---- what is known of one ---- */

/* A row in its parts: origin, name, and the word of its value or NULL. They lie in `text`. */
struct row {
    char text[640];
    const char *origin, *name, *word;
    uint64_t value;
};

static struct row *row_of(const struct gc_stat *from, struct row *row)
{
    char *dot, *equals;

    snprintf(row->text, sizeof row->text, "%s", from->name);
    dot = strchr(row->text, '.');
    equals = strchr(row->text, '=');
    if (dot)
        *dot = '\0';
    if (equals)
        *equals = '\0';
    row->origin = row->text;
    row->name = dot ? dot + 1 : "";
    row->word = equals ? equals + 1 : NULL;
    row->value = from->value;
    return row;
}

static bool is_state(const struct row *row)
{
    return strcmp(row->origin, "state") == 0;
}

static bool is_breaker(const struct row *row)
{
    return strcmp(row->origin, "breaker") == 0;
}

/* Without an end the value is the largest there is. */
static json_t *number_json(uint64_t value)
{
    return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

static json_t *info_json(const char *name, const struct gc_stats *info)
{
    json_t *state = json_object(), *settings = json_object(), *breakers = json_array();
    struct row row;

    for (size_t i = 0; i < info->n; i++) {
        const struct row *at = row_of(&info->items[i], &row);
        json_t *value = at->word ? json_string(at->word) : number_json(at->value);

        if (is_state(at))
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

static void print_value(const struct row *row)
{
    if (row->word)
        printf("%-12s", row->word);
    else if (row->value > INT64_MAX)
        printf("%-12s", "until told");
    else
        printf("%-12" PRIu64, row->value);
}

static void info_text(const char *name, const struct gc_stats *info)
{
    struct row row;

    printf("%-17s %s\n", "name", name);
    for (size_t i = 0; i < info->n; i++) {
        const struct row *at = row_of(&info->items[i], &row);

        printf("%-17s ", at->name);
        print_value(at);
        if (is_breaker(at) && at->value)
            printf(" breaker, one tries in %" PRIu64 " ms\n", at->value);
        else
            printf(" %s\n", is_state(at) ? "" : at->origin);
    }
}

static int queue_info(struct session *session, const char *name)
{
    struct gc_stats info;
    int r = gc_queue_info(session->client, name, &info, session_patience(session));

    if (r < 0)
        return fail(r, "info", name);
    if (!session->options->json)
        info_text(name, &info);
    r = session->options->json ? output_json(info_json(name, &info)) : output_flush();
    gc_stats_clear(&info);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- ls ---- */

static uint64_t state_of(const struct gc_stats *info, const char *name)
{
    struct row row;

    for (size_t i = 0; i < info->n; i++)
        if (is_state(row_of(&info->items[i], &row)) && strcmp(row.name, name) == 0)
            return row.value;
    return 0;
}

static int print_one(const struct options *options, const char *name, const struct gc_stats *info)
{
    if (options->json)
        return output_json(info_json(name, info));
    printf("%8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %-7s %s\n", state_of(info, "running"),
           state_of(info, "ready"), state_of(info, "waiting"), state_of(info, "keys"),
           state_of(info, "pause_left") ? "paused" : "-", name);
    return output_flush();
}

/* One that has gone meanwhile is left out. */
static int say_one(struct session *session, const char *name)
{
    struct gc_stats info;
    int r = gc_queue_info(session->client, name, &info, session_patience(session));

    if (r < 0)
        return r == -ENOENT ? STATUS_OK : fail(r, "ls", name);
    r = print_one(session->options, name, &info);
    gc_stats_clear(&info);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int queue_ls(struct session *session, const char *prefix)
{
    char after[GC_NAME_BYTES] = "";
    int r, status = STATUS_OK;

    if (!session->options->json)
        puts(" RUNNING    READY  WAITING     KEYS STATE   NAME");
    do {
        struct gc_stats page;

        r = gc_queues(session->client, prefix, *after ? after : NULL, &page, session_patience(session));
        if (r < 0)
            return session_fail(r, "queue ls");
        for (size_t i = 0; i < page.n && status == STATUS_OK; i++) {
            snprintf(after, sizeof after, "%s", page.items[i].name);
            status = say_one(session, after);
        }
        gc_stats_clear(&page);
    } while (r > 0 && status == STATUS_OK);
    return status;
}

/* ---- what changes one ---- */

static int queue_set(struct session *session, const char *name)
{
    const struct options *options = session->options;
    size_t size = 1, n = 0;
    char *settings;
    int r;

    for (int i = 2; i < options->operands_n; i++)
        size += strlen(options->operands[i]) + 1;
    settings = calloc(1, size);
    if (!settings)
        return session_fail_here(-ENOMEM, "queue set %s", name);
    for (int i = 2; i < options->operands_n; i++)
        n += (size_t)snprintf(settings + n, size - n, "%s ", options->operands[i]);
    r = gc_queue_set(session->client, name, settings, session_until(session));
    free(settings);
    return r < 0 ? fail(r, "set", name) : STATUS_OK;
}

static int queue_pause(struct session *session, const char *name)
{
    const struct options *options = session->options;
    enum gc_pause what = options->submits ? GC_PAUSE_SUBMITS : GC_PAUSE;
    int r = gc_queue_pause(session->client, name, what, options->for_ns, session_until(session));

    return r < 0 ? fail(r, "pause", name) : STATUS_OK;
}

static int queue_resume(struct session *session, const char *name)
{
    int r = gc_queue_pause(session->client, name, GC_PAUSE_END, 0, session_until(session));

    return r < 0 ? fail(r, "resume", name) : STATUS_OK;
}

static int queue_purge(struct session *session, const char *name)
{
    int64_t purged = gc_queue_purge(session->client, name, session_until(session));
    int r;

    if (purged < 0)
        return fail((int)purged, "purge", name);
    if (!session->options->json)
        printf("%" PRId64 " jobs were cancelled\n", purged);
    r = session->options->json
            ? output_json(json_pack("{s:s, s:I}", "name", name, "cancelled", (json_int_t)purged))
            : output_flush();
    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* ---- the table ---- */

static const struct action {
    const char *name;
    int (*run)(struct session *session, const char *name);
} actions[] = {
    {"set", queue_set},       {"info", queue_info},   {"pause", queue_pause},
    {"resume", queue_resume}, {"purge", queue_purge},
};

static int act(struct session *session)
{
    const struct options *options = session->options;
    const char *what = options->operands[0], *name = options->operands_n > 1 ? options->operands[1] : NULL;

    if (!strcmp(what, "ls"))
        return queue_ls(session, name);
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
