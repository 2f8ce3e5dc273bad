/*
 * Copies of requests. Where a verb keeps bytes is a row of the table below, so that copying, counting and
 * charging are one walk; the vectors of SEND and SELECT are walked beside it.
 */
#include "request.h"

#include <stddef.h>
#include <string.h>

enum { FIELDS_MAX = 5 };

#define FIELD(path) (offsetof(struct request, path) + 1) /* 0: no more fields */

/* Every struct bytes of a request, by verb. */
static const size_t fields[VERB_NUMBER_END][FIELDS_MAX] = {
    [VERB_CHAN_OPEN] = {FIELD(chan_open.name), FIELD(chan_open.type_tag)},
    [VERB_CHAN_UNLINK] = {FIELD(chan_unlink.name)},
    [VERB_CHAN_INFO] = {FIELD(chan_info.name)},
    [VERB_CHAN_LIST] = {FIELD(chan_list.prefix), FIELD(chan_list.after)},
    [VERB_SUBMIT] = {FIELD(submit.plugin), FIELD(submit.function), FIELD(submit.argument),
                     FIELD(submit.queue), FIELD(submit.key)},
    [VERB_JOB_LIST] = {FIELD(job_list.queue)},
    [VERB_JOB_CANCEL] = {FIELD(job_cancel.cause)},
    [VERB_PING] = {FIELD(ping.payload)},
    [VERB_STATS] = {FIELD(stats.prefix)},
    [VERB_DUMP] = {FIELD(dump.object)},
    [VERB_DUMPED] = {FIELD(dumped.text)},
    [VERB_RESERVE] = {FIELD(reserve.generation)},
    [VERB_DONE] = {FIELD(done.text), FIELD(done.result)},
    [VERB_PRINT] = {FIELD(print.output)},
    [VERB_PROGRESS] = {FIELD(progress.text)},
    [VERB_LOCK] = {FIELD(lock.name)},
    [VERB_UNLOCK] = {FIELD(unlock.name)},
    [VERB_CTX_NEW] = {FIELD(ctx_new.name), FIELD(ctx_new.parent_name), FIELD(ctx_new.cause)},
    [VERB_CTX_CANCEL] = {FIELD(ctx_cancel.name), FIELD(ctx_cancel.cause)},
    [VERB_CTX_DROP] = {FIELD(ctx_drop.name)},
    [VERB_CTX_INFO] = {FIELD(ctx_info.name), FIELD(ctx_info.key)},
    [VERB_CTX_WATCH] = {FIELD(ctx_watch.name)},
    [VERB_CTX_LIST] = {FIELD(ctx_list.prefix), FIELD(ctx_list.after)},
    [VERB_SYNC_TAKE] = {FIELD(sync_take.name)},
    [VERB_SYNC_GIVE] = {FIELD(sync_give.name), FIELD(sync_give.value)},
    [VERB_SYNC_ADD] = {FIELD(sync_add.name)},
    [VERB_SYNC_WAIT] = {FIELD(sync_wait.name)},
    [VERB_SYNC_RESET] = {FIELD(sync_reset.name)},
    [VERB_COND_WAIT] = {FIELD(cond_wait.name), FIELD(cond_wait.lock)},
    [VERB_COND_SIGNAL] = {FIELD(cond_signal.name)},
};

static const unsigned flags_of[VERB_NUMBER_END] = {
#define VERB_FLAGS(NAME, name, number, flags, help) [number] = (flags),
    VERBS(VERB_FLAGS)
#undef VERB_FLAGS
};

unsigned verb_flags(enum verb verb)
{
    return (unsigned)verb < VERB_NUMBER_END ? flags_of[verb] : 0;
}

/* Memory handed out from front to back; the caller has counted. */
struct span {
    unsigned char *next;
};

static void *span_take(struct span *span, size_t size)
{
    void *taken = span->next;
    span->next += size;
    return taken;
}

static struct bytes bytes_copy(struct bytes from, struct span *span)
{
    struct bytes to = {span_take(span, from.size), from.size};
    if (from.size)
        memcpy((void *)to.data, from.data, from.size);
    return to;
}

static size_t passed_size(const struct value *value)
{
    return value->handles_n * sizeof(struct passed);
}

/* Arrays: they need their alignment, and so come before the bytes. */
static size_t vector_size(const struct request *request)
{
    size_t size = 0;
    if (request->verb == VERB_SEND)
        for (size_t i = 0; i < request->send.values_n; i++)
            size += sizeof(struct value) + passed_size(&request->send.values[i]);
    if (request->verb == VERB_SELECT)
        for (size_t i = 0; i < request->select.cases_n; i++)
            size += sizeof(struct select_case) + passed_size(&request->select.cases[i].value);
    if (request->verb == VERB_CTX_NEW)
        size = request->ctx_new.values_n * sizeof(struct ctx_value);
    return size;
}

static size_t field_bytes(const struct request *request)
{
    size_t size = 0;
    const size_t *field = fields[request->verb];
    for (int i = 0; i < FIELDS_MAX && field[i]; i++)
        size += ((const struct bytes *)((const char *)request + field[i] - 1))->size;
    return size;
}

size_t request_charge(const struct request *request)
{
    size_t size = field_bytes(request);
    if (request->verb == VERB_SEND)
        for (size_t i = 0; i < request->send.values_n; i++)
            size += request->send.values[i].body.size;
    if (request->verb == VERB_SELECT)
        for (size_t i = 0; i < request->select.cases_n; i++)
            size += request->select.cases[i].value.body.size;
    if (request->verb == VERB_CTX_NEW)
        for (size_t i = 0; i < request->ctx_new.values_n; i++)
            size += request->ctx_new.values[i].name.size + request->ctx_new.values[i].value.size;
    return size;
}

size_t request_size(const struct request *request)
{
    return vector_size(request) + request_charge(request);
}

/* The handles of a value go among the arrays, its body among the bytes. */
static void copy_value(struct value *value, struct span *arrays, struct span *bodies)
{
    struct bytes passed = bytes_copy((struct bytes){value->handles, passed_size(value)}, arrays);
    value->handles = passed.data;
    value->body = bytes_copy(value->body, bodies);
}

static void copy_values(struct request *to, const struct request *from, struct span *arrays,
                        struct span *bodies)
{
    struct value *values = span_take(arrays, from->send.values_n * sizeof *values);
    for (size_t i = 0; i < from->send.values_n; i++) {
        values[i] = from->send.values[i];
        copy_value(&values[i], arrays, bodies);
    }
    to->send.values = values;
}

static void copy_cases(struct request *to, const struct request *from, struct span *arrays,
                       struct span *bodies)
{
    struct select_case *cases = span_take(arrays, from->select.cases_n * sizeof *cases);
    for (size_t i = 0; i < from->select.cases_n; i++) {
        cases[i] = from->select.cases[i];
        copy_value(&cases[i].value, arrays, bodies);
    }
    to->select.cases = cases;
}

static void copy_bindings(struct request *to, const struct request *from, struct span *arrays,
                          struct span *bodies)
{
    struct ctx_value *values = span_take(arrays, from->ctx_new.values_n * sizeof(*values));
    for (size_t i = 0; i < from->ctx_new.values_n; i++)
        values[i] = (struct ctx_value){bytes_copy(from->ctx_new.values[i].name, bodies),
                                       bytes_copy(from->ctx_new.values[i].value, bodies)};
    to->ctx_new.values = values;
}

void request_copy(struct request *to, const struct request *from, void *memory)
{
    struct span arrays = {memory}, span = {arrays.next + vector_size(from)};
    *to = *from;
    if (from->verb == VERB_SEND)
        copy_values(to, from, &arrays, &span);
    if (from->verb == VERB_SELECT)
        copy_cases(to, from, &arrays, &span);
    if (from->verb == VERB_CTX_NEW)
        copy_bindings(to, from, &arrays, &span);
    const size_t *field = fields[from->verb];
    for (int i = 0; i < FIELDS_MAX && field[i]; i++) {
        struct bytes *bytes = (struct bytes *)((char *)to + field[i] - 1);
        *bytes = bytes_copy(*bytes, &span);
    }
}

bool request_grants(const struct request *request)
{
    return request->verb == VERB_LOCK || request->verb == VERB_SYNC_TAKE || request->verb == VERB_COND_WAIT;
}

static uint32_t given_back(const struct request_sync_take *what)
{
    return GIVE_UNSEEN | (what->flags & TAKE_READ ? GIVE_READ : 0);
}

struct request request_give_back(const struct request *request, uint64_t token)
{
    const struct request_sync_take *what = &request->sync_take;

    if (request->verb == VERB_LOCK)
        return (struct request){.verb = VERB_UNLOCK, .unlock = {request->lock.name, token, UNLOCK_UNSEEN}};
    if (request->verb == VERB_COND_WAIT)
        return (struct request){.verb = VERB_UNLOCK,
                                .unlock = {request->cond_wait.lock, token, UNLOCK_UNSEEN}};
    return (struct request){.verb = VERB_SYNC_GIVE,
                            .sync_give = {what->kind, what->name, what->units, token, given_back(what)}};
}

enum trait { NAMES_HANDLE = 1, DOUBTFUL = 2 };

static const unsigned traits[VERB_NUMBER_END] = {
    [VERB_CHAN_DROP] = NAMES_HANDLE,
    [VERB_SEND] = NAMES_HANDLE | DOUBTFUL,
    [VERB_RECV] = NAMES_HANDLE,
    [VERB_CLOSE] = NAMES_HANDLE | DOUBTFUL,
    [VERB_SELECT] = NAMES_HANDLE,
    [VERB_CHAN_UNLINK] = DOUBTFUL,
    [VERB_SUBMIT] = DOUBTFUL,
    [VERB_JOB_CANCEL] = DOUBTFUL,
    [VERB_UNLOCK] = DOUBTFUL,
    [VERB_CTX_NEW] = DOUBTFUL,
    [VERB_CTX_CANCEL] = NAMES_HANDLE | DOUBTFUL,
    [VERB_CTX_DROP] = NAMES_HANDLE,
    [VERB_CTX_WATCH] = NAMES_HANDLE,
    [VERB_SYNC_GIVE] = DOUBTFUL,
    [VERB_SYNC_ADD] = DOUBTFUL,
    [VERB_SYNC_RESET] = DOUBTFUL,
    [VERB_COND_SIGNAL] = DOUBTFUL,
    [VERB_COND_WAIT] = DOUBTFUL,
};

bool request_names_handle(const struct request *request)
{
    if (request->verb == VERB_CHAN_INFO)
        return request->chan_info.handle != 0;
    return (traits[request->verb] & NAMES_HANDLE) || (verb_flags(request->verb) & VERB_HOST);
}

static bool select_sends(const struct request *request)
{
    for (size_t i = 0; i < request->select.cases_n; i++)
        if (request->select.cases[i].kind == CASE_SEND)
            return true;
    return false;
}

bool request_doubtful(const struct request *request)
{
    return request->verb == VERB_SELECT ? select_sends(request) : traits[request->verb] & DOUBTFUL;
}
