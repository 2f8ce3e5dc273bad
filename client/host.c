/*
 * What only a host asks.
 */
#include <errno.h>
#include <stdlib.h>

#include "call.h"
#include "last.h"

/* ---- offers ---- */

static void give_offer(const struct result *result, void *arg)
{
    const struct gc_client *g = arg;
    const struct offer *from = result->offer;
    if (!from || !g->host.offer)
        return;
    struct gc_offer offer = {.kind = from->kind,
                             .job = from->job,
                             .run = from->run,
                             .attempt = from->attempt,
                             .after_n = from->after_n,
                             .after_done = from->after_done,
                             .function = from->function.size ? from->function.data : "",
                             .argument = from->argument.data,
                             .argument_bytes = from->argument.size,
                             .text = from->text.size ? from->text.data : "",
                             .cause = from->cause,
                             .grace_ns = from->grace_ns,
                             .time_left_ns = from->time_left_ns,
                             .context = from->context,
                             .what = from->what,
                             .format = from->format,
                             .value = from->value};
    g->host.offer(&offer, g->host.arg);
}

GC_API int gc_host_reserve(gc_client *g, const char *generation, uint32_t window)
{
    struct request request = {.verb = VERB_RESERVE, .reserve = {text_bytes(generation), window}};
    client_enter(g);
    bool again = g->reserved;
    g->reserved = true;
    client_leave(g);
    return again ? -EALREADY : call_post(g, &request, give_offer, g);
}

/* ---- runs ---- */

GC_API int gc_host_started(gc_client *g, uint64_t job, uint64_t run)
{
    return call_post(g, &(struct request){.verb = VERB_STARTED, .started = {job, run}}, NULL, NULL);
}

GC_API int gc_host_progress(gc_client *g, uint64_t job, uint64_t run, double fraction, const char *text)
{
    struct request request = {.verb = VERB_PROGRESS, .progress = {job, run, fraction, text_bytes(text)}};
    return call_post(g, &request, NULL, NULL);
}

struct stored {
    void (*tell)(int status, void *arg);
    void *arg;
};

static void tell_stored(const struct result *result, void *arg)
{
    struct stored *stored = arg;
    stored->tell(result->status, stored->arg);
    free(stored);
}

GC_API int gc_host_done(gc_client *g, const struct gc_host_end *end, void (*tell)(int status, void *arg),
                        void *arg)
{
    struct request request = {.verb = VERB_DONE,
                              .done = {.job = end->job,
                                       .run = end->run,
                                       .cause = end->cause,
                                       .error = end->error,
                                       .text = text_bytes(end->text),
                                       .result = {end->result, end->result_bytes},
                                       .permanent = end->permanent}};
    struct stored *stored = tell ? malloc(sizeof *stored) : NULL;
    if (tell && !stored)
        return -ENOMEM;
    if (stored)
        *stored = (struct stored){tell, arg};
    int r = call_post(g, &request, stored ? tell_stored : NULL, stored);
    if (r < 0)
        free(stored);
    return r;
}

GC_API int gc_host_print(gc_client *g, uint64_t job, uint64_t run, const void *bytes, size_t size)
{
    struct request request = {.verb = VERB_PRINT, .print = {job, run, {bytes, size}}};
    struct answer answer;
    int r = call_run(g, &request, GC_FOREVER, CALL_MASKED, &answer);
    answer_end(&answer);
    return r < 0 ? r : 0;
}

GC_API int gc_host_dumped(gc_client *g, uint64_t dump, const void *text, size_t size, bool last)
{
    struct request request = {.verb = VERB_DUMPED, .dumped = {dump, {text, size}, last, 0}};
    return call_post(g, &request, NULL, NULL);
}

GC_API int gc_host_dump_failed(gc_client *g, uint64_t dump, int error, const char *why)
{
    struct request request = {.verb = VERB_DUMPED, .dumped = {dump, text_bytes(why), true, error}};
    return call_post(g, &request, NULL, NULL);
}
