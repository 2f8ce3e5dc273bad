/*
 * The command cron: schedules of the daemon, and, without one, when a text is due.
 */
#include "goclient_schedule.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "argument.h"
#include "commands.h"
#include "cron.h"
#include "options.h"
#include "output.h"
#include "pages.h"
#include "retry.h"
#include "session.h"
#include "status.h"
#include "zone_file.h"

enum { NEXT_DEFAULT = 5 };

static int fail(int error, const char *what, const char *name)
{
    const char *hint = error == -ENOENT  ? "`goctl cron ls` lists those there are"
                       : error == -EBUSY ? "try again"
                                         : NULL;

    return session_fail_hint(error, hint, "cron %s %s", what, name);
}

static int usage(const char *words)
{
    fprintf(stderr, "goctl cron: %s; see `goctl cron --help`\n", words);
    return STATUS_USAGE;
}

/* ---- words of policies ---- */

static const char *const missed_words[] = {
    [GC_MISSED_ONE] = "one", [GC_MISSED_SKIP] = "skip", [GC_MISSED_ALL] = "all"};
static const char *const overlap_words[] = {[GC_OVERLAP_ALLOW] = "allow", [GC_OVERLAP_SKIP] = "skip"};

/* The place of a word; 0 when none was given; -1: it is not there. */
static int word_of(const char *const *words, int n, const char *word)
{
    for (int i = 0; i < n && word; i++)
        if (!strcmp(words[i], word))
            return i;
    return word ? -1 : 0;
}

/* ---- set ---- */

/* PLUGIN.so:FUNCTION as two texts in one copy, which is the caller's. NULL: it is not that. */
static char *target_of(const char *operand, const char **function)
{
    const char *colon = strrchr(operand, ':');
    char *copy = colon && colon != operand && colon[1] ? strdup(operand) : NULL;

    if (!copy)
        return NULL;
    copy[colon - operand] = 0;
    *function = copy + (colon - operand) + 1;
    return copy;
}

static struct gc_submit submit_of(const struct options *options, const struct argument *argument,
                                  const struct retry *retry)
{
    return (struct gc_submit){
        .size = sizeof(struct gc_submit),
        .argument = argument->value.data,
        .argument_bytes = argument->value.size,
        .queue = options->queue,
        .attempts_max = retry->none ? 1 : (uint32_t)options->retries,
        .backoff_ns = options->backoff_ns,
        .time_limit_ns = options->time_limit_ns,
        .grace_ns = options->grace_ns,
        .deadline_in_ns = options->deadline_ns,
        .delay_ns = options->delay_ns,
        .jitter = (uint32_t)options->jitter,
        .delays_ns = retry->delays_ns,
        .delays_n = retry->delays_n,
        .priority = (uint32_t)options->priority,
        .key = options->key,
    };
}

static int set_with(struct session *session, const char *plugin, const char *function,
                    const struct retry *retry)
{
    const struct options *options = session->options;
    struct argument argument;
    int r = argument_make(&argument, options->operands + 4, options->operands_n - 4);

    if (r < 0) {
        argument_release(&argument);
        return session_fail_here(r, "the argument");
    }
    struct gc_submit submit = submit_of(options, &argument, retry);
    submit.plugin = plugin;
    submit.function = function;
    struct gc_schedule what = {.size = sizeof what,
                               .name = options->operands[1],
                               .spec = options->operands[2],
                               .zone = options->zone,
                               .missed = (enum gc_missed)word_of(missed_words, 3, options->missed),
                               .overlap = (enum gc_overlap)word_of(overlap_words, 2, options->overlap),
                               .flags = options->paused ? GC_SCHEDULE_PAUSED : 0,
                               .submit = &submit};
    r = gc_schedule_set(session->client, &what, session_patience(session));
    argument_release(&argument);
    return r < 0 ? session_fail(r, "cron set %s", what.name) : STATUS_OK;
}

static int set(struct session *session)
{
    const char *function = "";
    struct retry retry;

    if (retry_parse(session->options, &retry) < 0)
        return STATUS_USAGE;
    char *plugin = target_of(session->options->operands[3], &function);

    if (!plugin)
        return usage("what is submitted is not PLUGIN.so:FUNCTION, such as ./wordcount.so:count");
    int status = set_with(session, plugin, function, &retry);
    free(plugin);
    return status;
}

static bool set_fits(const struct options *options)
{
    if (options->operands_n < 4)
        usage("set needs NAME, 'SPEC' and PLUGIN.so:FUNCTION");
    else if (word_of(missed_words, 3, options->missed) < 0)
        usage("--missed is skip, one or all");
    else if (word_of(overlap_words, 2, options->overlap) < 0)
        usage("--overlap is allow or skip");
    else if (options->priority > 9 || options->jitter > 100 || options->retries > UINT32_MAX)
        usage("--priority is 0 to 9, --jitter 0 to 100, and --retries no such number");
    else
        return true;
    return false;
}

/* ---- ls ---- */

static const char *state_of(const struct gc_schedule_info *info)
{
    return info->flags & GC_SCHEDULE_PAUSED ? "paused" : info->flags & GC_SCHEDULE_BROKEN ? "broken" : "set";
}

static json_t *info_json(const struct gc_schedule_info *info)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", info->name, "state",
                               state_of(info), "spec", info->spec, "zone", info->zone, "missed",
                               missed_words[info->missed % 3], "overlap", overlap_words[info->overlap % 2],
                               "plugin", info->plugin, "function", info->function, "queue", info->queue);

    if (!object)
        return NULL;
    json_object_set_new(object, "uid", json_integer(info->uid));
    json_object_set_new(object, "runs", json_integer((json_int_t)info->runs));
    json_object_set_new(object, "skipped", json_integer((json_int_t)info->skipped));
    if (info->last_us)
        json_object_set_new(object, "last_us", json_integer(info->last_us));
    if (info->next_us)
        json_object_set_new(object, "next_us", json_integer(info->next_us));
    if (info->last_job)
        json_object_set_new(object, "last_job", json_integer((json_int_t)info->last_job));
    if (*info->text)
        json_object_set_new(object, "text", json_string(info->text));
    return object;
}

/* Seconds are enough for people. */
static const char *instant_of(int64_t us, char text[static INSTANT_TEXT_BYTES])
{
    time_t s = (time_t)(us / 1000000);
    struct tm tm;

    if (us == 0 || !gmtime_r(&s, &tm))
        return "-";
    strftime(text, INSTANT_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

static int print_page(const struct options *options, const struct gc_schedule_page *page)
{
    for (size_t i = 0; i < page->n; i++) {
        const struct gc_schedule_info *info = &page->items[i];
        char last[INSTANT_TEXT_BYTES], next[INSTANT_TEXT_BYTES];
        int r = options->json ? output_json(info_json(info)) : 0;

        if (r < 0)
            return r;
        if (options->json)
            continue;
        printf("%-6s %7" PRIu64 " %7" PRIu64 " %-20s %-20s %s  %s %s", state_of(info), info->runs,
               info->skipped, instant_of(info->last_us, last), instant_of(info->next_us, next), info->name,
               info->spec, info->zone);
        printf(*info->text ? "  (%s)\n" : "%s\n", info->text);
    }
    return output_flush();
}

static int say_page(struct session *session, struct page_at *at, const void *unused)
{
    struct gc_schedule_page page;
    int r = gc_schedules(session->client, at->prefix, at->after, at->limit, &page, session_patience(session));

    (void)unused;
    if (r < 0)
        return session_fail(r, "cron ls");
    r = print_page(session->options, &page);
    page_last(at, page.n, page.n ? page.items[page.n - 1].name : NULL, page.more);
    gc_schedule_page_clear(&page);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int list(struct session *session)
{
    const struct options *options = session->options;

    return pages_say(session, options->operands_n > 1 ? options->operands[1] : NULL,
                     "STATE     RUNS SKIPPED LAST                 NEXT                 NAME  SPEC ZONE",
                     say_page, NULL);
}

/* ---- rm, pause, resume ---- */

typedef int change(gc_client *g, const char *name, gc_until until);

/* Goes on behind a failure; the first bad status. */
static int each(struct session *session, const char *what, change *one)
{
    const struct options *options = session->options;
    int status = STATUS_OK;

    for (int i = 1; i < options->operands_n; i++) {
        int r = one(session->client, options->operands[i], session_patience(session));

        if (r < 0 && status == STATUS_OK)
            status = fail(r, what, options->operands[i]);
        else if (r < 0)
            fail(r, what, options->operands[i]);
    }
    return status;
}

static int forget(struct session *session)
{
    return each(session, "rm", gc_schedule_remove);
}

static int hold(struct session *session)
{
    return each(session, "pause", gc_schedule_pause);
}

static int resume(struct session *session)
{
    return each(session, "resume", gc_schedule_resume);
}

/* ---- next: without a daemon ---- */

static int zone_of(const char *name, struct zone **zone)
{
    const char *folder = getenv("TZDIR");
    int r = zone_file_read(folder && *folder ? folder : ZONE_FOLDER, name, zone);

    if (r < 0)
        fprintf(stderr, "goctl cron next: zone %s: %s; zones have names like Europe/Berlin or UTC\n", name,
                strerror(-r));
    return r;
}

/* A moment as the clock on the wall shows it there. */
static int print_moment(const struct options *options, const struct zone *zone, int64_t ns)
{
    struct zone_span span = zone_span(zone, zone_span_of(zone, ns / 1000000000));
    time_t local = (time_t)(ns / 1000000000 + span.offset_s);
    int minutes = span.offset_s / 60;
    char text[INSTANT_TEXT_BYTES], utc[INSTANT_TEXT_BYTES];
    struct tm tm;

    gmtime_r(&local, &tm);
    strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S", &tm);
    if (options->json)
        return output_json(
            json_pack("{s:I, s:i}", "due_us", (json_int_t)(ns / 1000), "offset_s", span.offset_s));
    printf("%s %c%02d:%02d  %s\n", text, minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60,
           instant_of(ns / 1000, utc));
    return output_flush();
}

static int print_moments(const struct options *options, const struct cron *cron, const struct zone *zone)
{
    uint64_t left = options->count ? options->count : NEXT_DEFAULT;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    int64_t at = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    for (; left && (at = cron_next(cron, zone, at)) >= 0; left--) {
        int r = print_moment(options, zone, at);

        if (r < 0)
            return output_fail(r);
    }
    return STATUS_OK;
}

static int next(const struct options *options)
{
    char words[CRON_ERROR_BYTES] = "";
    struct zone *zone = NULL;
    struct cron cron;

    if (options->operands_n != 2)
        return usage("next needs one 'SPEC'");
    const char *spec = options->operands[1];
    if (cron_parse((struct bytes){spec, strlen(spec)}, &cron, words) < 0) {
        fprintf(stderr, "goctl cron next: %s\n", words);
        return STATUS_USAGE;
    }
    if (zone_of(options->zone ? options->zone : "UTC", &zone) < 0)
        return STATUS_NOT_FOUND;
    int status = print_moments(options, &cron, zone);
    zone_delete(zone);
    return status;
}

/* ---- the command ---- */

static const struct action {
    const char *name;
    int (*run)(struct session *session);
    int least, most; /* operands, with the name; most -1: any number */
} actions[] = {
    {"set", set, 4, -1},    {"ls", list, 1, 2},        {"rm", forget, 2, -1},
    {"pause", hold, 2, -1}, {"resume", resume, 2, -1},
};

static int act(const struct options *options, const struct action *action)
{
    struct session session;

    if (options->operands_n < action->least && action->run != set)
        return usage("which? rm, pause and resume need the NAME of a schedule");
    if (action->most >= 0 && options->operands_n > action->most)
        return usage("ls takes one PREFIX");
    if (action->run == set && !set_fits(options))
        return STATUS_USAGE;
    int status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, action->run(&session)) : status;
}

int command_cron(const struct options *options)
{
    const char *verb = options->operands[0];

    if (!strcmp(verb, "next"))
        return next(options);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(verb, actions[i].name))
            return act(options, &actions[i]);
    return usage("it is set, ls, rm, pause, resume or next");
}
