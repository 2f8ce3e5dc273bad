/*
 * Copies of requests. Where a verb keeps bytes is a row of the table below, so that copying, counting and
 * charging are one walk; the vectors of SEND and SELECT are walked beside it.
 */
#include "request.h"

#include <stddef.h>
#include <string.h>

enum { FIELDS_MAX = 8 };

#define FIELD(path) (offsetof(struct request, path) + 1) /* 0: no more fields */

/* Every struct bytes of a request, by verb. */
static const size_t fields[VERB_NUMBER_END][FIELDS_MAX] = {
    [VERB_CHAN_OPEN] = {FIELD(chan_open.name), FIELD(chan_open.type_tag)},
    [VERB_CHAN_UNLINK] = {FIELD(chan_unlink.name)},
    [VERB_CHAN_INFO] = {FIELD(chan_info.name)},
    [VERB_TRANSACT] = {FIELD(transact.result)},
    [VERB_CHAN_LIST] = {FIELD(chan_list.prefix), FIELD(chan_list.after)},
    [VERB_SUBMIT] = {FIELD(submit.plugin), FIELD(submit.function), FIELD(submit.argument),
                     FIELD(submit.queue), FIELD(submit.key), FIELD(submit.once_key)},
    [VERB_JOB_RETRY] = {FIELD(job_retry.queue)},
    [VERB_JOB_PURGE] = {FIELD(job_purge.queue)},
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
    [VERB_CTX_NEW] = {FIELD(ctx_new.name), FIELD(ctx_new.parent_name), FIELD(ctx_new.cause),
                      FIELD(ctx_new.group)},
    [VERB_CTX_CANCEL] = {FIELD(ctx_cancel.name), FIELD(ctx_cancel.cause)},
    [VERB_CTX_DROP] = {FIELD(ctx_drop.name)},
    [VERB_CTX_INFO] = {FIELD(ctx_info.name), FIELD(ctx_info.key)},
    [VERB_CTX_WATCH] = {FIELD(ctx_watch.name)},
    [VERB_CTX_LIST] = {FIELD(ctx_list.prefix), FIELD(ctx_list.after)},
    [VERB_SCHEDULE_SET] = {FIELD(schedule_set.name), FIELD(schedule_set.spec), FIELD(schedule_set.zone),
                           FIELD(schedule_set.plugin), FIELD(schedule_set.function),
                           FIELD(schedule_set.argument), FIELD(schedule_set.queue), FIELD(schedule_set.key)},
    [VERB_SCHEDULE_REMOVE] = {FIELD(schedule_remove.name)},
    [VERB_SCHEDULE_PAUSE] = {FIELD(schedule_pause.name)},
    [VERB_SCHEDULE_LIST] = {FIELD(schedule_list.prefix), FIELD(schedule_list.after)},
    [VERB_SYNC_TAKE] = {FIELD(sync_take.name)},
    [VERB_SYNC_GIVE] = {FIELD(sync_give.name), FIELD(sync_give.value)},
    [VERB_SYNC_ADD] = {FIELD(sync_add.name)},
    [VERB_SYNC_WAIT] = {FIELD(sync_wait.name)},
    [VERB_SYNC_RESET] = {FIELD(sync_reset.name)},
    [VERB_COND_WAIT] = {FIELD(cond_wait.name), FIELD(cond_wait.lock)},
    [VERB_COND_SIGNAL] = {FIELD(cond_signal.name)},
    [VERB_QUEUE_SET] = {FIELD(queue_set.name), FIELD(queue_set.settings)},
    [VERB_QUEUE_INFO] = {FIELD(queue_info.name)},
    [VERB_QUEUE_LIST] = {FIELD(queue_list.prefix), FIELD(queue_list.after)},
    [VERB_QUEUE_PAUSE] = {FIELD(queue_pause.name)},
    [VERB_QUEUE_PURGE] = {FIELD(queue_purge.name)},
    [VERB_QUEUE_REMOVE] = {FIELD(queue_remove.name)},
    [VERB_POOL_SET] = {FIELD(pool_set.name), FIELD(pool_set.settings)},
    [VERB_POOL_REMOVE] = {FIELD(pool_remove.name)},
    [VERB_POOL_INFO] = {FIELD(pool_info.name)},
    [VERB_POOL_LIST] = {FIELD(pool_list.prefix), FIELD(pool_list.after)},
    [VERB_POOL_DRAIN] = {FIELD(pool_drain.name)},
    [VERB_WORK_RESERVE] = {FIELD(work_reserve.queues), FIELD(work_reserve.functions)},
    [VERB_PUBLISH] = {FIELD(publish.topic)},
    [VERB_SUBSCRIBE] = {FIELD(subscribe.pattern), FIELD(subscribe.group), FIELD(subscribe.settings)},
    [VERB_TOPIC_CLOSE] = {FIELD(topic_close.topic)},
    [VERB_TOPIC_LIST] = {FIELD(topic_list.pattern), FIELD(topic_list.after)},
    [VERB_TOPIC_INFO] = {FIELD(topic_info.topic)},
    [VERB_GROUP_SET] = {FIELD(group_set.group), FIELD(group_set.settings)},
    [VERB_GROUP_LIST] = {FIELD(group_list.prefix), FIELD(group_list.after)},
    [VERB_GROUP_REMOVE] = {FIELD(group_remove.group)},
    [VERB_FEED_SET] = {FIELD(feed_set.name), FIELD(feed_set.pattern), FIELD(feed_set.plugin),
                       FIELD(feed_set.function), FIELD(feed_set.queue)},
    [VERB_FEED_REMOVE] = {FIELD(feed_remove.name)},
    [VERB_FEED_LIST] = {FIELD(feed_list.prefix), FIELD(feed_list.after)},
    [VERB_TOPIC_PURGE] = {FIELD(topic_purge.topic)},
    [VERB_TOPIC_REMOVE] = {FIELD(topic_remove.topic)},
    [VERB_TOPIC_SET] = {FIELD(topic_set.pattern), FIELD(topic_set.settings)},
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

/* ---- submits: one, or many, whose strings are mostly those of the one before ---- */

static const struct request_submit nothing;

static struct bytes delays_of(const struct request_submit *submit)
{
    return (struct bytes){submit->delays_ns, submit->delays_ns_n * sizeof(uint64_t)};
}

static struct bytes waits_of(const struct request_schedule_set *set)
{
    return (struct bytes){set->delays_ns, set->delays_ns_n * sizeof(uint64_t)};
}

static struct bytes sequences_of(const struct request_settle *settle)
{
    return (struct bytes){settle->sequences, settle->sequences_n * sizeof(uint64_t)};
}

static struct bytes after_of(const struct request_submit *submit)
{
    return (struct bytes){submit->after, submit->after_n * sizeof(uint64_t)};
}

static const size_t submit_fields[] = {
    offsetof(struct request_submit, plugin),   offsetof(struct request_submit, function),
    offsetof(struct request_submit, argument), offsetof(struct request_submit, queue),
    offsetof(struct request_submit, key),      offsetof(struct request_submit, once_key)};

enum { SUBMIT_FIELDS_N = sizeof submit_fields / sizeof *submit_fields };

static struct bytes *submit_field(const struct request_submit *submit, int i)
{
    return (struct bytes *)((char *)submit + submit_fields[i]);
}

static bool is_that_of(const struct bytes *field, const struct request_submit *before, int i)
{
    const struct bytes *other = submit_field(before, i);
    return field->data == other->data && field->size == other->size;
}

/* What is not that of the job before. */
static size_t submit_bytes(const struct request_submit *submit, const struct request_submit *before)
{
    size_t size = 0;
    for (int i = 0; i < SUBMIT_FIELDS_N; i++) {
        const struct bytes *field = submit_field(submit, i);
        size += is_that_of(field, before, i) ? 0 : field->size;
    }
    return size;
}

static const struct request_submit *job_before(const struct request_submit_many *many, size_t i)
{
    return i ? &many->jobs[i - 1] : &nothing;
}

static size_t many_arrays(const struct request_submit_many *many)
{
    size_t size = many->jobs_n * sizeof *many->jobs;
    for (size_t i = 0; i < many->jobs_n; i++)
        size += delays_of(&many->jobs[i]).size + after_of(&many->jobs[i]).size;
    return size;
}

static size_t many_bytes(const struct request_submit_many *many)
{
    size_t size = 0;
    for (size_t i = 0; i < many->jobs_n; i++)
        size += submit_bytes(&many->jobs[i], job_before(many, i));
    return size;
}

static struct request_submit_many jobs_of(const struct request *request)
{
    if (request->verb == VERB_TRANSACT)
        return (struct request_submit_many){request->transact.jobs, request->transact.jobs_n};
    return request->verb == VERB_SUBMIT_MANY ? request->submit_many : (struct request_submit_many){0};
}

/* ---- messages of a publish ---- */

static size_t messages_arrays(const struct request_publish *publish)
{
    size_t size = publish->messages_n * sizeof *publish->messages;
    for (size_t i = 0; i < publish->messages_n; i++)
        size += publish->messages[i].headers_n * sizeof(struct header);
    return size;
}

static size_t message_bytes(const struct outgoing *message)
{
    size_t size = message->value.body.size + message->key.size + message->once.size;
    for (size_t i = 0; i < message->headers_n; i++)
        size += message->headers[i].name.size + message->headers[i].value.size;
    return size;
}

static size_t messages_bytes(const struct request_publish *publish)
{
    size_t size = 0;
    for (size_t i = 0; i < publish->messages_n; i++)
        size += message_bytes(&publish->messages[i]);
    return size;
}

static void copy_message(struct outgoing *to, const struct outgoing *from, struct span *arrays,
                         struct span *bodies)
{
    struct header *headers = span_take(arrays, from->headers_n * sizeof *headers);
    *to = (struct outgoing){.value = {.body = bytes_copy(from->value.body, bodies)},
                            .key = bytes_copy(from->key, bodies),
                            .headers = headers,
                            .headers_n = from->headers_n,
                            .once = bytes_copy(from->once, bodies)};
    for (size_t i = 0; i < from->headers_n; i++)
        headers[i] = (struct header){bytes_copy(from->headers[i].name, bodies),
                                     bytes_copy(from->headers[i].value, bodies)};
}

static void copy_messages(struct request_publish *to, const struct request_publish *from, struct span *arrays,
                          struct span *bodies)
{
    struct outgoing *messages = span_take(arrays, from->messages_n * sizeof *messages);
    for (size_t i = 0; i < from->messages_n; i++)
        copy_message(&messages[i], &from->messages[i], arrays, bodies);
    to->messages = messages;
}

/* ---- transactions ---- */

static size_t publishes_arrays(const struct request_transact *transact)
{
    size_t size = transact->publishes_n * sizeof(struct request_publish);
    for (size_t i = 0; i < transact->publishes_n; i++)
        size += messages_arrays(&transact->publishes[i]);
    return size;
}

static size_t publishes_bytes(const struct request_transact *transact)
{
    size_t size = 0;
    for (size_t i = 0; i < transact->publishes_n; i++)
        size += transact->publishes[i].topic.size + messages_bytes(&transact->publishes[i]);
    return size;
}

static size_t sends_arrays(const struct request_transact *transact)
{
    size_t size = transact->sends_n * sizeof(struct request_send) + transact->acks_n * sizeof(struct ack);
    for (size_t i = 0; i < transact->sends_n; i++)
        size += transact->sends[i].values_n * sizeof(struct value);
    return size;
}

static size_t sends_bytes(const struct request_transact *transact)
{
    size_t size = 0;
    for (size_t i = 0; i < transact->sends_n; i++)
        for (size_t k = 0; k < transact->sends[i].values_n; k++)
            size += transact->sends[i].values[k].body.size;
    return size;
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
    if (request->verb == VERB_SUBMIT)
        size = delays_of(&request->submit).size + after_of(&request->submit).size;
    if (request->verb == VERB_SCHEDULE_SET)
        size = waits_of(&request->schedule_set).size;
    struct request_submit_many many = jobs_of(request);
    size += many_arrays(&many);
    if (request->verb == VERB_TRANSACT)
        size += sends_arrays(&request->transact) + publishes_arrays(&request->transact);
    if (request->verb == VERB_CTX_NEW)
        size += request->ctx_new.values_n * sizeof(struct ctx_value);
    if (request->verb == VERB_PUBLISH)
        size += messages_arrays(&request->publish);
    if (request->verb == VERB_SETTLE)
        size += sequences_of(&request->settle).size;
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
    struct request_submit_many many = jobs_of(request);
    size += many_bytes(&many);
    if (request->verb == VERB_TRANSACT)
        size += sends_bytes(&request->transact) + publishes_bytes(&request->transact);
    if (request->verb == VERB_CTX_NEW)
        for (size_t i = 0; i < request->ctx_new.values_n; i++)
            size += request->ctx_new.values[i].name.size + request->ctx_new.values[i].value.size;
    if (request->verb == VERB_PUBLISH)
        size += messages_bytes(&request->publish);
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

static void copy_values(struct request_send *to, const struct request_send *from, struct span *arrays,
                        struct span *bodies)
{
    struct value *values = span_take(arrays, from->values_n * sizeof *values);
    for (size_t i = 0; i < from->values_n; i++) {
        values[i] = from->values[i];
        copy_value(&values[i], arrays, bodies);
    }
    to->values = values;
}

/* Sends and acknowledgements of a transaction. */
static void copy_sends(struct request_transact *to, const struct request_transact *from, struct span *arrays,
                       struct span *bodies)
{
    struct request_send *sends = span_take(arrays, from->sends_n * sizeof *sends);
    for (size_t i = 0; i < from->sends_n; i++) {
        sends[i] = from->sends[i];
        copy_values(&sends[i], &from->sends[i], arrays, bodies);
    }
    to->sends = sends;
    to->acks = bytes_copy((struct bytes){from->acks, from->acks_n * sizeof(struct ack)}, arrays).data;
}

static void copy_publishes(struct request_transact *to, const struct request_transact *from,
                           struct span *arrays, struct span *bodies)
{
    struct request_publish *publishes = span_take(arrays, from->publishes_n * sizeof *publishes);
    for (size_t i = 0; i < from->publishes_n; i++) {
        publishes[i] = from->publishes[i];
        publishes[i].topic = bytes_copy(from->publishes[i].topic, bodies);
        copy_messages(&publishes[i], &from->publishes[i], arrays, bodies);
    }
    to->publishes = publishes;
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

static void copy_submit(struct request_submit *to, const struct request_submit *from, struct span *arrays)
{
    to->delays_ns = bytes_copy(delays_of(from), arrays).data;
    to->after = bytes_copy(after_of(from), arrays).data;
}

static const struct request_submit *copy_jobs(const struct request_submit_many *many, struct span *arrays,
                                              struct span *bodies)
{
    struct request_submit *jobs = span_take(arrays, many->jobs_n * sizeof *jobs);
    for (size_t i = 0; i < many->jobs_n; i++) {
        const struct request_submit *before = job_before(many, i);
        jobs[i] = many->jobs[i];
        copy_submit(&jobs[i], &many->jobs[i], arrays);
        for (int k = 0; k < SUBMIT_FIELDS_N; k++) {
            struct bytes *field = submit_field(&jobs[i], k);
            *field = !is_that_of(field, before, k) ? bytes_copy(*field, bodies)
                     : i                           ? *submit_field(&jobs[i - 1], k)
                                                   : *field;
        }
    }
    return jobs;
}

void request_copy(struct request *to, const struct request *from, void *memory)
{
    struct span arrays = {memory}, span = {arrays.next + vector_size(from)};
    *to = *from;
    if (from->verb == VERB_SEND)
        copy_values(&to->send, &from->send, &arrays, &span);
    if (from->verb == VERB_SELECT)
        copy_cases(to, from, &arrays, &span);
    if (from->verb == VERB_SUBMIT)
        copy_submit(&to->submit, &from->submit, &arrays);
    if (from->verb == VERB_SUBMIT_MANY)
        to->submit_many.jobs = copy_jobs(&from->submit_many, &arrays, &span);
    if (from->verb == VERB_TRANSACT) {
        struct request_submit_many many = jobs_of(from);
        to->transact.jobs = copy_jobs(&many, &arrays, &span);
        copy_sends(&to->transact, &from->transact, &arrays, &span);
        copy_publishes(&to->transact, &from->transact, &arrays, &span);
    }
    if (from->verb == VERB_SCHEDULE_SET)
        to->schedule_set.delays_ns = bytes_copy(waits_of(&from->schedule_set), &arrays).data;
    if (from->verb == VERB_CTX_NEW)
        copy_bindings(to, from, &arrays, &span);
    if (from->verb == VERB_PUBLISH)
        copy_messages(&to->publish, &from->publish, &arrays, &span);
    if (from->verb == VERB_SETTLE)
        to->settle.sequences = bytes_copy(sequences_of(&from->settle), &arrays).data;
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

bool request_undoable(const struct request *request, int32_t status)
{
    uint32_t kind = request->sync_take.kind;

    if (request->verb == VERB_LOCK)
        return status >= 0 && !(request->lock.flags & LOCK_CLAIM);
    if (request->verb != VERB_SYNC_TAKE)
        return false;
    return kind == SYNC_ONCE || kind == SYNC_FLIGHT ? status == GRANT_RUN : status >= 0;
}

enum trait { NAMES_HANDLE = 1, DOUBTFUL = 2 };

static const unsigned traits[VERB_NUMBER_END] = {
    [VERB_CHAN_DROP] = NAMES_HANDLE,
    [VERB_SEND] = NAMES_HANDLE | DOUBTFUL,
    [VERB_SETTLE] = NAMES_HANDLE | DOUBTFUL,
    [VERB_GROUP_SET] = DOUBTFUL,
    [VERB_GROUP_REMOVE] = DOUBTFUL,
    [VERB_TOPIC_PURGE] = DOUBTFUL,
    [VERB_TOPIC_REMOVE] = DOUBTFUL,
    [VERB_RECV] = NAMES_HANDLE,
    [VERB_CLOSE] = NAMES_HANDLE | DOUBTFUL,
    [VERB_SELECT] = NAMES_HANDLE,
    [VERB_CHAN_UNLINK] = DOUBTFUL,
    [VERB_SUBMIT] = DOUBTFUL,
    [VERB_SUBMIT_MANY] = DOUBTFUL,
    [VERB_JOB_CANCEL] = DOUBTFUL,
    [VERB_JOB_RETRY] = DOUBTFUL,
    [VERB_JOB_PURGE] = DOUBTFUL,
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
    [VERB_TRANSACT] = DOUBTFUL,
    [VERB_PUBLISH] = DOUBTFUL,
    [VERB_TOPIC_CLOSE] = DOUBTFUL,
};

bool request_names_handle(const struct request *request)
{
    if (request->verb == VERB_CHAN_INFO)
        return request->chan_info.handle != 0;
    if (request->verb == VERB_TRANSACT)
        return request->transact.sends_n || request->transact.acks_n;
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
