/*
 * What is told about waiting operations of all processes; drain and backup.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "goclient_inspect.h"
#include "last.h"
#include "options.h"

static const char *const verb_names[VERB_NUMBER_END] = {
#define VERB_NAME(NAME, name, number, flags, help) [number] = #name,
    VERBS(VERB_NAME)
#undef VERB_NAME
};

/* A newer daemon may know more of them. */
static const char *verb_name(uint32_t verb)
{
    return verb < VERB_NUMBER_END && verb_names[verb] ? verb_names[verb] : "unknown";
}

/* The block of an answer ends every string with a NUL. */
static struct gc_parked parked_of(const struct wait_info *from)
{
    return (struct gc_parked){.session = from->session,
                              .op = from->op,
                              .run = from->run,
                              .pid = from->pid,
                              .uid = from->uid,
                              .program = from->program.data,
                              .verb = verb_name(from->verb),
                              .reason = from->reason.data,
                              .kind = from->kind.data,
                              .object = from->object.data,
                              .cases = from->cases,
                              .age_ns = from->age_ns,
                              .left_ns = from->left_ns,
                              .flags = from->flags,
                              .group = from->group,
                              .holder = from->holder};
}

/* The page's rows, pointing into the answer's block, which becomes the page's. */
static int page_give(struct gc_parked_page *out, struct answer *answer)
{
    size_t n = answer->result.waits_n;
    if (n && !(out->items = calloc(n, sizeof *out->items)))
        return last_failed(-ENOMEM, NULL, false);
    for (; out->n < n; out->n++)
        out->items[out->n] = parked_of(&answer->result.waits[out->n]);
    out->more = answer->result.flags & RESULT_MORE;
    out->next_[0] = answer->result.handle;
    out->next_[1] = answer->result.index;
    out->memory_ = answer->block;
    answer->block = NULL;
    return (int)n;
}

static int run_page(gc_client *g, const struct request *request, struct gc_parked_page *out, gc_until until)
{
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, request, until, 0, &answer);
    if (r >= 0)
        r = page_give(out, &answer);
    answer_end(&answer);
    return r;
}

GC_API int gc_parked(gc_client *g, const struct gc_parked_filter *filter, struct gc_parked_page *out,
                     gc_until until)
{
    struct gc_parked_filter use;
    memset(out, 0, sizeof *out);
    if (options_take(&use, sizeof use, filter) < 0)
        return last_failed(-EINVAL, "gc_parked_filter: size is not set, or of a newer library", false);
    struct request request = {.verb = VERB_DUMP,
                              .dump = {.session = use.session,
                                       .object = text_bytes(use.object),
                                       .age_ns = use.age_ns,
                                       .limit = use.limit,
                                       .from_session = use.next_[0],
                                       .from_place = (uint32_t)use.next_[1]}};
    return run_page(g, &request, out, until);
}

GC_API int gc_deadlocks(gc_client *g, uint32_t limit, struct gc_parked_page *out, gc_until until)
{
    return run_page(g, &(struct request){.verb = VERB_DEADLOCKS, .deadlocks = {limit}}, out, until);
}

GC_API int gc_leaks(gc_client *g, int64_t age_ns, uint32_t limit, struct gc_parked_page *out, gc_until until)
{
    return run_page(g, &(struct request){.verb = VERB_LEAKS, .leaks = {age_ns, limit}}, out, until);
}

GC_API int gc_callers(gc_client *g, uint32_t n, gc_until until)
{
    int r = call_plain(g, &(struct request){.verb = VERB_CALLERS, .callers = {n}}, until);
    if (r < 0)
        return r;
    client_enter(g);
    g->promised = n > 0;
    client_leave(g);
    return 0;
}

GC_API void gc_parked_page_clear(struct gc_parked_page *page)
{
    free(page->items);
    result_unref(page->memory_);
    memset(page, 0, sizeof *page);
}

static void told_give(struct gc_told *out, struct answer *answer)
{
    *out = (struct gc_told){.host = answer->result.handle,
                            .pid = answer->result.waits->pid,
                            .plugin = answer->result.waits->object.data,
                            .text = answer->result.output.data,
                            .bytes = answer->result.output.size,
                            .more = answer->result.flags & RESULT_MORE,
                            .memory_ = answer->block};
    answer->block = NULL;
}

static int run_told(gc_client *g, const struct request *request, struct gc_told *out, gc_until until)
{
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, request, until, 0, &answer);
    if (r >= 0 && answer.result.waits_n)
        told_give(out, &answer);
    answer_end(&answer);
    return r < 0 ? r : 0;
}

GC_API int gc_goroutines(gc_client *g, uint64_t after, struct gc_told *out, gc_until until)
{
    return run_told(g, &(struct request){.verb = VERB_GOROUTINES, .goroutines = {after}}, out, until);
}

GC_API int gc_inspect(gc_client *g, const struct gc_question *question, struct gc_told *out, gc_until until)
{
    struct gc_question use;
    memset(out, 0, sizeof *out);
    if (options_take(&use, sizeof use, question) < 0)
        return last_failed(-EINVAL, "gc_question: size is not set, or of a newer library", false);
    struct request request = {.verb = VERB_INSPECT,
                              .inspect = {.what = use.what,
                                          .job = use.job.id,
                                          .after = use.after,
                                          .value = use.value,
                                          .format = use.pprof ? INSPECT_PPROF : INSPECT_FOLDED,
                                          .detached = use.detached}};
    return run_told(g, &request, out, until);
}

GC_API void gc_told_clear(struct gc_told *told)
{
    result_unref(told->memory_);
    memset(told, 0, sizeof *told);
}

/* The block of the answer becomes the figures', and its lines their names. */
static int figures_give(struct gc_stats *out, struct gc_told *told)
{
    char *line = (char *)(uintptr_t)told->text;
    size_t lines = 0;
    for (size_t i = 0; i < told->bytes; i++)
        lines += line[i] == '\n';
    if (lines && !(out->items = calloc(lines, sizeof *out->items)))
        return last_failed(-ENOMEM, NULL, false);
    for (char *end; lines-- > 0; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        char *space = strchr(line, ' ');
        if (!space)
            continue;
        *space = '\0';
        out->items[out->n++] = (struct gc_stat){line, strtoull(space + 1, NULL, 10)};
    }
    out->memory_ = told->memory_;
    told->memory_ = NULL;
    return (int)out->n;
}

GC_API int gc_figures(gc_client *g, gc_job job, struct gc_stats *out, gc_until until)
{
    struct gc_question question = {.size = sizeof question, .what = GC_ASK_FIGURES, .job = job};
    struct gc_told told;
    memset(out, 0, sizeof *out);
    int r = gc_inspect(g, &question, &told, until);
    if (r == 0)
        r = figures_give(out, &told);
    gc_told_clear(&told);
    return r;
}

GC_API int gc_drain(gc_client *g, enum gc_drain what, gc_until until)
{
    return call_plain(g, &(struct request){.verb = VERB_DRAIN, .drain = {what}}, until);
}

GC_API int gc_backup(gc_client *g, char path[GC_PATH_BYTES], gc_until until)
{
    struct answer answer;
    int r = call_run(g, &(struct request){.verb = VERB_BACKUP}, until, 0, &answer);
    const struct bytes *said = &answer.result.text;
    if (r >= 0)
        snprintf(path, GC_PATH_BYTES, "%.*s", (int)said->size, (const char *)said->data);
    answer_end(&answer);
    return r < 0 ? r : 0;
}
