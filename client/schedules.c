/* Schedules: set, held, forgotten, looked at. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "goclient_schedule.h"
#include "last.h"
#include "options.h"
#include "path.h"

static struct request request_of_set(const struct gc_schedule *what, const struct gc_submit *submit,
                                     const char *plugin)
{
    return (struct request){.verb = VERB_SCHEDULE_SET,
                            .schedule_set = {.name = text_bytes(what->name),
                                             .spec = text_bytes(what->spec),
                                             .zone = text_bytes(what->zone),
                                             .missed = what->missed,
                                             .missed_most = what->missed_most,
                                             .overlap = what->overlap,
                                             .flags = what->flags,
                                             .plugin = text_bytes(plugin),
                                             .function = text_bytes(submit->function),
                                             .argument = {submit->argument, submit->argument_bytes},
                                             .queue = text_bytes(submit->queue),
                                             .attempts_max = submit->attempts_max,
                                             .backoff_ns = submit->backoff_ns,
                                             .backoff_max_ns = submit->backoff_max_ns,
                                             .time_limit_ns = submit->time_limit_ns,
                                             .grace_ns = submit->grace_ns,
                                             .deadline_in_ns = submit->deadline_in_ns,
                                             .priority = submit->priority,
                                             .key = text_bytes(submit->key),
                                             .delay_ns = submit->delay_ns,
                                             .jitter = submit->jitter,
                                             .delays_ns = submit->delays_ns,
                                             .delays_ns_n = submit->delays_n}};
}

/* NULL: it is all there; else what is missing. */
static const char *lack(const struct gc_schedule *what, const struct gc_submit *submit)
{
    if (!what->name || !what->spec)
        return "gc_schedule_set: name and spec must be there";
    if (!submit->plugin || !submit->function)
        return "gc_schedule_set: plugin and function must be named";
    if (submit->once)
        return "gc_schedule_set: submit has a key of its own: a moment has one job, and `overlap` says what "
               "becomes of it while the last one goes on";
    if (submit->after_n)
        return "gc_schedule_set: submit comes after jobs, which end once, and a schedule is due again and "
               "again";
    return submit->flags ? "gc_schedule_set: submit has flags: a job of a schedule has no context" : NULL;
}

GC_API int gc_schedule_set(gc_client *g, const struct gc_schedule *given, gc_until until)
{
    struct gc_schedule what;
    struct gc_submit submit;
    char plugin[PATH_MAX];
    if (options_take(&what, sizeof what, given) < 0 || !what.submit ||
        options_take(&submit, sizeof submit, what.submit) < 0)
        return last_failed(-EINVAL, "gc_schedule_set: a size is not set, or of a newer library", false);
    const char *lacks = lack(&what, &submit);
    if (lacks)
        return last_failed(-EINVAL, lacks, false);
    const char *path = path_real(submit.plugin, plugin);
    if (!path && submit.plugin[0] != '/') /* as gc_submit */
        return last_failed(-errno, "no such plugin file", false);
    struct request request = request_of_set(&what, &submit, path ? path : submit.plugin);
    int r = call_plain(g, &request, until);
    return r < 0 ? r : 0;
}

GC_API int gc_schedule_remove(gc_client *g, const char *name, gc_until until)
{
    struct request request = {.verb = VERB_SCHEDULE_REMOVE, .schedule_remove.name = text_bytes(name)};
    return call_plain(g, &request, until);
}

static int hold(gc_client *g, const char *name, bool resume, gc_until until)
{
    struct request request = {.verb = VERB_SCHEDULE_PAUSE, .schedule_pause = {text_bytes(name), resume}};
    return call_plain(g, &request, until);
}

GC_API int gc_schedule_pause(gc_client *g, const char *name, gc_until until)
{
    return hold(g, name, false, until);
}

GC_API int gc_schedule_resume(gc_client *g, const char *name, gc_until until)
{
    return hold(g, name, true, until);
}

/* ---- lists ---- */

static const char *text_of(struct bytes bytes)
{
    return bytes.size ? bytes.data : "";
}

static void give(struct gc_schedule_info *to, const struct schedule_info *from)
{
    *to = (struct gc_schedule_info){.name = text_of(from->name),
                                    .spec = text_of(from->spec),
                                    .zone = text_of(from->zone),
                                    .missed = from->missed,
                                    .missed_most = from->missed_most,
                                    .overlap = from->overlap,
                                    .flags = from->flags,
                                    .uid = from->uid,
                                    .plugin = text_of(from->plugin),
                                    .function = text_of(from->function),
                                    .queue = text_of(from->queue),
                                    .text = text_of(from->text),
                                    .last_us = from->last_us,
                                    .next_us = from->next_us,
                                    .runs = from->runs,
                                    .skipped = from->skipped,
                                    .last_job = from->last_job};
}

GC_API int gc_schedules(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                        struct gc_schedule_page *out, gc_until until)
{
    struct request request = {
        .verb = VERB_SCHEDULE_LIST,
        .schedule_list = {.prefix = text_bytes(prefix), .after = text_bytes(after), .limit = limit}};
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, &request, until, 0, &answer);
    size_t n = r < 0 ? 0 : answer.result.schedules_n;
    if (n && !(out->items = calloc(n, sizeof *out->items)))
        r = last_failed(-ENOMEM, NULL, false);
    for (; out->items && out->n < n; out->n++)
        give(&out->items[out->n], &answer.result.schedules[out->n]);
    out->more = r >= 0 && answer.result.flags & RESULT_MORE;
    if (out->items) {
        out->memory_ = answer.block;
        answer.block = NULL;
    }
    answer_end(&answer);
    return r < 0 ? r : (int)out->n;
}

GC_API void gc_schedule_page_clear(struct gc_schedule_page *page)
{
    result_unref(page->memory_);
    free(page->items);
    memset(page, 0, sizeof *page);
}
