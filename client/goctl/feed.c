/*
 * The command feed: topics whose messages become jobs.
 */
#include "goclient_feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "from.h"
#include "options.h"
#include "output.h"
#include "pages.h"
#include "session.h"
#include "status.h"

static int fail(int error, const char *what, const char *name)
{
    const char *hint = error == -ENOENT  ? "`goctl feed ls` lists those there are"
                       : error == -EBUSY ? "try again"
                                         : NULL;

    return session_fail_hint(error, hint, "feed %s %s", what, name);
}

static int usage(const char *words)
{
    fprintf(stderr, "goctl feed: %s; see `goctl feed --help`\n", words);
    return STATUS_USAGE;
}

/* ---- set ---- */

/* PLUGIN.so:FUNCTION, or :FUNCTION for workers. *copy is the caller's. False: it is neither. */
static bool target_of(const char *operand, struct gc_feed *feed, char **copy)
{
    const char *colon = strrchr(operand, ':');

    if (!colon || !colon[1] || !(*copy = strdup(operand)))
        return false;
    (*copy)[colon - operand] = 0;
    feed->plugin = **copy ? *copy : NULL;
    feed->function = *copy + (colon - operand) + 1;
    return true;
}

static bool place_of(const char *text, struct gc_feed *feed)
{
    static const enum gc_feed_from places[] = {[GC_FROM_NEW] = GC_FEED_FROM_NEW,
                                               [GC_FROM_START] = GC_FEED_FROM_START,
                                               [GC_FROM_SEQUENCE] = GC_FEED_FROM_SEQUENCE,
                                               [GC_FROM_TIME] = GC_FEED_FROM_TIME};
    struct gc_subscribe_options from = {.from = GC_FROM_LAST};

    if (!text)
        return true;
    if (from_parse(text, from_now_us(), &from) < 0 || from.from == GC_FROM_LAST)
        return false;
    feed->from = places[from.from];
    feed->from_sequence = from.from_sequence;
    feed->from_time_us = from.from_time_us;
    return true;
}

static int set(struct session *session)
{
    const struct options *options = session->options;
    char *target = NULL;
    struct gc_feed feed = {.size = sizeof feed,
                           .name = options->operands[1],
                           .pattern = options->operands_n > 2 ? options->operands[2] : NULL,
                           .queue = options->queue,
                           .ahead = options->capacity,
                           .argument = options->headers ? GC_FEED_MESSAGE : GC_FEED_ARGUMENT_STAYS,
                           .flags = options->paused ? GC_FEED_PAUSED : 0};

    if (!place_of(options->from, &feed))
        return usage("--from is start, now, a sequence, a time, or so long ago, such as 10m");
    if (options->operands_n > 3 && !target_of(options->operands[3], &feed, &target))
        return usage("what is submitted is not PLUGIN.so:FUNCTION, nor :FUNCTION for workers");
    int r = gc_feed_set(session->client, &feed, session_patience(session));
    free(target);
    return r < 0 ? session_fail(r, "feed set %s", feed.name) : STATUS_OK;
}

/* ---- ls ---- */

static const char *state_of(const struct gc_feed_info *info)
{
    return info->flags & GC_FEED_PAUSED ? "paused" : info->flags & GC_FEED_WAITS ? "waits" : "runs";
}

static json_t *info_json(const struct gc_feed_info *info)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", info->name, "state", state_of(info),
                  "pattern", info->pattern, "plugin", info->plugin, "function", info->function, "queue",
                  info->queue, "argument", info->argument == GC_FEED_MESSAGE ? "message" : "body");

    if (!object)
        return NULL;
    json_object_set_new(object, "uid", json_integer(info->uid));
    json_object_set_new(object, "ahead", json_integer((json_int_t)info->ahead));
    json_object_set_new(object, "cursor", json_integer((json_int_t)info->cursor));
    json_object_set_new(object, "waiting", json_integer((json_int_t)info->waiting));
    json_object_set_new(object, "jobs", json_integer((json_int_t)info->jobs));
    json_object_set_new(object, "missed", json_integer((json_int_t)info->missed));
    if (info->last_job)
        json_object_set_new(object, "last_job", json_integer((json_int_t)info->last_job));
    if (*info->text)
        json_object_set_new(object, "text", json_string(info->text));
    return object;
}

static int print_page(const struct options *options, const struct gc_feed_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        const struct gc_feed_info *info = &page->items[i];
        int r = options->json ? output_json(info_json(info)) : 0;

        if (r < 0)
            return r;
        if (options->json)
            continue;
        printf("%-6s %9" PRIu64 " %8" PRIu64 " %8" PRIu64 " %9" PRIu64 " %s  %s > %s:%s > %s", state_of(info),
               info->jobs, info->waiting, info->missed, info->cursor, info->name, info->pattern, info->plugin,
               info->function, info->queue);
        printf(*info->text ? "  (%s)\n" : "%s\n", info->text);
    }
    return output_flush();
}

static int say_page(struct session *session, struct page_at *at, const void *unused)
{
    struct gc_feed_page page;
    int r = gc_feeds(session->client, at->prefix, at->after, at->limit, &page, session_patience(session));

    (void)unused;
    if (r < 0)
        return session_fail(r, "feed ls");
    r = print_page(session->options, &page);
    page_last(at, page.n, page.n ? page.items[page.n - 1].name : NULL, page.more);
    gc_feed_page_clear(&page);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int list(struct session *session)
{
    const struct options *options = session->options;

    return pages_say(session, options->operands_n > 1 ? options->operands[1] : NULL,
                     "STATE       JOBS  WAITING   MISSED    CURSOR NAME  PATTERN > FUNCTION > QUEUE",
                     say_page, NULL);
}

/* ---- pause, resume, rm ---- */

typedef int change(gc_client *g, const char *name, gc_until until);

static const struct {
    const char *what;
    change *change;
} changes[] = {{"pause", gc_feed_pause}, {"resume", gc_feed_resume}, {"rm", gc_feed_remove}};

/* The place in that table; -1: it is something else. */
static int change_of(const char *what)
{
    for (int i = 0; i < (int)(sizeof changes / sizeof *changes); i++)
        if (!strcmp(changes[i].what, what))
            return i;
    return -1;
}

/* All that are named; the first failure is the status. */
static int change_all(struct session *session, int which)
{
    const struct options *options = session->options;
    int status = STATUS_OK;

    for (int i = 1; i < options->operands_n; i++) {
        int r = changes[which].change(session->client, options->operands[i], session_patience(session));
        int failed = r < 0 ? fail(r, changes[which].what, options->operands[i]) : STATUS_OK;
        status = status ? status : failed;
    }
    return status;
}

/* ---- the command ---- */

static int act(struct session *session)
{
    const char *what = session->options->operands[0];

    if (!strcmp(what, "ls"))
        return list(session);
    if (!strcmp(what, "set"))
        return set(session);
    return change_all(session, change_of(what));
}

int command_feed(const struct options *options)
{
    const char *what = options->operands[0];
    bool names = strcmp(what, "ls") != 0;
    struct session session;

    if (names && strcmp(what, "set") != 0 && change_of(what) < 0)
        return usage("it is set, ls, rm, pause or resume");
    if (names && options->operands_n < 2)
        return usage("which? it needs a NAME");
    int status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, act(&session)) : status;
}
