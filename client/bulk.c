/*
 * Many jobs in one submit, or in the transaction that ends a run. Files are looked up once for jobs of one after the other that name the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "cleanup.h"
#include "goclient_host.h"
#include "last.h"
#include "submit.h"
#include "topics.h"

/* A copy of each path, for as long as the request needs it. */
struct paths {
    struct path {
        struct path *next;
        char text[];
    } * first;
    const char *name; /* the last one, as the caller said it */
    struct bytes plugin;
};

static void paths_free(struct paths *paths)
{
    while (paths->first) {
        struct path *next = paths->first->next;
        free(paths->first);
        paths->first = next;
    }
}

static int paths_find(struct paths *paths, const char *name)
{
    struct bytes plugin = {0};
    char text[PATH_MAX];
    if (!name) { /* workers have its function, no plugin */
        *paths = (struct paths){.first = paths->first};
        return 0;
    }
    if (paths->name && !strcmp(name, paths->name))
        return 0;
    int r = submit_plugin(name, text, &plugin);
    if (r < 0)
        return r;
    struct path *path = malloc(sizeof *path + plugin.size);
    if (!path)
        return last_failed(-ENOMEM, NULL, false);
    memcpy(path->text, plugin.data, plugin.size);
    path->next = paths->first;
    paths->first = path;
    paths->name = name;
    paths->plugin = (struct bytes){path->text, plugin.size};
    return 0;
}

/* An older program has shorter structs: they lie as far apart as the first one says. */
static const struct gc_submit *given_at(const struct gc_submit *first, size_t i)
{
    return (const struct gc_submit *)((const char *)first + i * first->size);
}

/* The number that could be read; less than n: the next one is wrong, and *r says how. */
static size_t read_all(const struct gc_submit *given, size_t n, struct request_submit *jobs,
                       struct paths *paths, int *r)
{
    *r = 0;
    for (size_t i = 0; i < n; i++) {
        struct gc_submit what;
        *r = submit_take(&what, given_at(given, i));
        if (*r == 0)
            *r = paths_find(paths, what.plugin);
        if (*r < 0)
            return i;
        jobs[i] = request_submit_of(&what, paths->plugin);
    }
    return n;
}

/* The ids; of a refusal, which job it is about, and who holds its key. */
static void give(const struct result *result, int r, size_t n, gc_job *out, size_t *refused)
{
    for (size_t i = 0; r >= 0 && i < result->ids_n && i < n; i++)
        out[i].id = result->ids[i];
    if (r >= 0 || !result->index || result->index > n)
        return;
    *refused = result->index - 1;
    if (r == -EEXIST || r == -EBUSY)
        out[*refused].id = result->handle;
}

static int run(gc_client *g, const struct request *request, gc_job *out, size_t *refused, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, 0, &answer);
    give(&answer.result, r, request->submit_many.jobs_n, out, refused);
    answer_end(&answer);
    return r;
}

static int submit_all(gc_client *g, const struct gc_submit *jobs, size_t n, bool callback, gc_job *out,
                      size_t *refused, gc_until until)
{
    size_t place;
    int r;
    refused = refused ? refused : &place;
    *refused = n;
    memset(out, 0, n * sizeof *out);
    _cleanup_(cleanup_free) struct request_submit *many = n ? calloc(n, sizeof *many) : NULL;
    _cleanup_(paths_free) struct paths paths = {0};
    struct request request = {.verb = VERB_SUBMIT_MANY, .submit_many = {many, n, callback}};
    if (n && !many)
        return last_failed(-ENOMEM, NULL, false);
    *refused = read_all(jobs, n, many, &paths, &r);
    return r < 0 ? r : run(g, &request, out, refused, until);
}

GC_API int gc_submit_many(gc_client *g, const struct gc_submit *jobs, size_t n, gc_job *out, size_t *refused,
                          gc_until until)
{
    return submit_all(g, jobs, n, false, out, refused, until);
}

GC_API int gc_submit_batch(gc_client *g, const struct gc_submit *jobs, size_t n, gc_job *out, size_t *refused,
                           gc_until until)
{
    return submit_all(g, jobs, n, true, out, refused, until);
}

/* ---- with the end of a run ---- */

/* Of each topic one message, in one piece of memory. */
static void *fill_publishes(const struct gc_host_transaction *what, struct request_transact *transact)
{
    const struct gc_publish_options none = {.size = sizeof none};
    size_t n = what->publishes_n;
    struct request_publish *publishes =
        calloc(1, n * (sizeof(struct request_publish) + sizeof(struct outgoing)) + 1);
    struct outgoing *messages = (struct outgoing *)(publishes + n);
    if (!publishes)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        messages[i] = outgoing_wire(&what->publishes[i].message, &none);
        publishes[i] = (struct request_publish){.topic = text_bytes(what->publishes[i].topic),
                                                .messages = &messages[i],
                                                .messages_n = 1,
                                                .delay_ns = what->publishes[i].delay_ns,
                                                .at_us = what->publishes[i].at_us};
    }
    transact->publishes = publishes;
    transact->publishes_n = n;
    return publishes;
}

/* The arrays of a request, in one piece of memory: sends, their values, acknowledgements. */
static void *fill_parts(const struct gc_host_transaction *what, struct request_transact *transact)
{
    size_t sends = what->sends_n * (sizeof(struct request_send) + sizeof(struct value));
    struct request_send *send = calloc(1, sends + what->acks_n * sizeof(struct ack) + 1);
    struct value *value = (struct value *)(send + what->sends_n);
    struct ack *ack = (struct ack *)(value + what->sends_n);
    if (!send)
        return NULL;
    for (size_t i = 0; i < what->sends_n; i++) {
        value[i].body = (struct bytes){what->sends[i].value.data, what->sends[i].value.size};
        send[i] = (struct request_send){what->sends[i].chan.id, &value[i], 1};
    }
    for (size_t i = 0; i < what->acks_n; i++)
        ack[i] = (struct ack){what->acks[i]->hold_, what->acks[i]->place_ + 1ULL};
    transact->sends = send;
    transact->sends_n = what->sends_n;
    transact->acks = ack;
    transact->acks_n = what->acks_n;
    return send;
}

static int transact(gc_client *g, const struct request *request, const struct gc_host_transaction *what,
                    gc_job *out, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, 0, &answer);
    for (size_t i = 0; out && r >= 0 && i < answer.result.ids_n && i < what->jobs_n; i++)
        out[i].id = answer.result.ids[i];
    answer_end(&answer);
    for (size_t i = 0; r >= 0 && i < what->acks_n; i++)
        gc_ack(g, what->acks[i]); /* the daemon knows: they are no longer held here either */
    return r < 0 ? r : 0;
}

GC_API int gc_host_transact(gc_client *g, const struct gc_host_transaction *what, gc_job *jobs,
                            gc_until until)
{
    struct request request = {.verb = VERB_TRANSACT,
                              .transact = {.job = what->job,
                                           .run = what->run,
                                           .result = {what->result, what->result_bytes},
                                           .jobs_n = what->jobs_n}};
    _cleanup_(cleanup_free) struct request_submit *many = calloc(what->jobs_n + 1, sizeof *many);
    _cleanup_(cleanup_free) void *parts = fill_parts(what, &request.transact);
    _cleanup_(cleanup_free) void *publishes = fill_publishes(what, &request.transact);
    _cleanup_(paths_free) struct paths paths = {0};
    int r;
    if (!many || !parts || !publishes)
        return last_failed(-ENOMEM, NULL, false);
    request.transact.jobs = many;
    read_all(what->jobs, what->jobs_n, many, &paths, &r);
    return r < 0 ? r : transact(g, &request, what, jobs, until);
}
