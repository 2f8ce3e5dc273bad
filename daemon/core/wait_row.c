/*
 * What is told of one parked operation (IP9.4): session, process, operation, object, reason and age. For people: the
 * words may change, the numbers do not.
 */
#include <errno.h>
#include <string.h>

#include "durable.h"
#include "inspect.h"
#include "topic.h"

#define WORDS(text) ((struct bytes){(text), sizeof(text) - 1})

static const struct {
    struct bytes reason, kind; /* kind of the object */
} waits[WAIT_REASONS] = {
    [WAIT_CHAN_SEND] = {WORDS("channel send"), WORDS("channel")},
    [WAIT_CHAN_RECV] = {WORDS("channel receive"), WORDS("channel")},
    [WAIT_SELECT] = {WORDS("select"), WORDS("cases")},
    [WAIT_JOB] = {WORDS("end of a job"), WORDS("job")},
    [WAIT_FETCH] = {WORDS("store"), WORDS("store")},
    [WAIT_PLUGIN] = {WORDS("look at a plugin"), WORDS("plugin")},
    [WAIT_STREAM] = {WORDS("offers"), WORDS("host")},
    [WAIT_CONTEXT] = {WORDS("end of a context"), WORDS("context")},
    [WAIT_PURGE] = {WORDS("end of a purge"), WORDS("queue")},
    [WAIT_WORK] = {WORDS("a job to work on"), WORDS("queues")},
    [WAIT_RUN] = {WORDS("end of a run"), WORDS("job")},
    [WAIT_QUEUE] = {WORDS("room in a queue"), WORDS("queue")},
    [WAIT_DRAIN] = {WORDS("end of all jobs"), WORDS("daemon")},
    [WAIT_SCHEDULE] = {WORDS("look at zone and plugin"), WORDS("schedule")},
    [WAIT_HOST] = {WORDS("answer of a host"), WORDS("host")},
    [WAIT_LOCK] = {WORDS("lock"), WORDS("lock")},
    [WAIT_SYNC] = {WORDS("sync"), WORDS("sync")},
    [WAIT_PUBLISH] = {WORDS("room in subscriptions"), WORDS("topic")},
    [WAIT_TURN] = {WORDS("its turn with last messages"), WORDS("topic")},
};

/* Room for text, from front to back. What does not fit is left out. */
struct room {
    char *at;
    size_t left;
};

static void say(struct room *room, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct room *room, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t n = text_writev(room->at, room->left, format, arguments);
    va_end(arguments);
    room->at += n;
    room->left -= n;
}

static void say_bytes(struct room *room, struct bytes bytes)
{
    say(room, "%.*s", (int)bytes.size, (const char *)bytes.data);
}

static void say_channel(struct room *room, const struct waiter *w)
{
    const struct channel *c = w->channel;

    if (c->name_size)
        say(room, "%.*s%s", c->name_size, c->text, c->linked ? "" : " (unlinked)");
    else if (c->subscription && c->subscription->audience)
        say_bytes(room, subscription_pattern(c->subscription));
    else
        say(room, "handle %lu", w->via->id);
}

static void say_cases(struct room *room, const struct op *op)
{
    static const char *const kinds[] = {
        [CASE_SEND] = "send", [CASE_RECV] = "recv", [CASE_JOB] = "job", [CASE_CTX] = "ctx"};

    for (uint32_t i = 0; i < op->waiters_n && room->left > NAME_BYTES_MAX; i++) {
        const struct waiter *w = &op->waiters[i];

        say(room, "%s%s ", i ? ", " : "", kinds[w->kind]);
        if (w->channel)
            say_channel(room, w);
        else
            say(room, "%lu", w->object);
    }
}

static void say_object(struct room *room, const struct op *op)
{
    const struct waiter *w = op->waiters_n ? &op->waiters[0] : NULL;

    switch (op->reason) {
    case WAIT_CHAN_SEND:
    case WAIT_CHAN_RECV:
        return w->channel ? say_channel(room, w) : (void)0;
    case WAIT_SELECT:
        return say_cases(room, op);
    case WAIT_LOCK:
    case WAIT_SYNC:
        return w->sync ? say_bytes(room, sync_name(w->sync)) : (void)0;
    case WAIT_PUBLISH:
    case WAIT_TURN:
        return op->publish ? say_bytes(room, publish_topic(op->publish)) : (void)0;
    case WAIT_STREAM:
        return say(room, "%lu", op->scope->session->host);
    default:
        return op->job ? say(room, "%lu", op->job) : (void)0;
    }
}

static int64_t time_left(const struct core *core, const struct op *op)
{
    int64_t left = op->timer.at_ns - core->now.mono_ns;

    return !op->timed ? 0 : left > 0 ? left : 1;
}

/* Of the session that has the lock; 0: it is not a lock that is waited for. */
static uint64_t holder_of(const struct op *op)
{
    const struct sync *sync = op->reason == WAIT_LOCK && op->waiters_n ? op->waiters[0].sync : NULL;
    const struct session *holder = sync ? lock_holder(sync) : NULL;

    return holder ? holder->number : 0;
}

static struct bytes kind_of(const struct op *op)
{
    const char *word = op->reason == WAIT_SYNC && op->waiters[0].sync ? sync_word(op->waiters[0].sync) : NULL;

    return word ? (struct bytes){word, strlen(word)} : waits[op->reason].kind;
}

int rows_make(struct wait_rows *rows, struct core *core, const struct op *asks, size_t room)
{
    *rows = (struct wait_rows){.core = core, .who = asks->scope->account, .room = room};
    rows->row = core_alloc(core, room * sizeof(*rows->row));
    rows->text = core_alloc(core, room * sizeof(*rows->text));
    if (rows->row && rows->text)
        return 0;
    rows_free(rows);
    return -ENOMEM;
}

void rows_free(struct wait_rows *rows)
{
    core_free(rows->core, rows->row);
    core_free(rows->core, rows->text);
}

struct wait_info *rows_put(struct wait_rows *rows, const struct session *session)
{
    struct wait_info *row = &rows->row[rows->n];

    rows->more |= rows->n == rows->room;
    if (rows->n == rows->room)
        return NULL;
    rows->n++;
    *row = (struct wait_info){0};
    if (!session)
        return row;
    row->session = session->number;
    row->pid = session->who.known ? session->who.pid : 0;
    row->program = (struct bytes){session->program, strlen(session->program)};
    return row;
}

struct wait_info *rows_put_op(struct wait_rows *rows, const struct op *op)
{
    char *text = rows->n < rows->room ? rows->text[rows->n] : NULL;
    struct wait_info *row = rows_put(rows, op->scope->session);
    struct room room = {text, WAIT_TEXT_BYTES};

    if (!row)
        return NULL;
    say_object(&room, op);
    row->op = op->id;
    row->run = op->scope->run;
    row->uid = op->scope->account->uid;
    row->verb = op->verb;
    row->reason = op_storing(op)           ? waits[WAIT_FETCH].reason
                  : op->state == OP_HANDED ? WORDS("acknowledgement")
                                           : waits[op->reason].reason;
    row->kind = kind_of(op);
    row->object = (struct bytes){text, (size_t)(room.at - text)};
    row->cases = op->verb == VERB_SELECT ? op->waiters_n : 0;
    row->age_ns = rows->core->now.mono_ns - op->since_ns;
    row->left_ns = time_left(rows->core, op);
    row->holder = holder_of(op);
    return row;
}

struct wait_info *rows_put_channel(struct wait_rows *rows, const struct session *session,
                                   const struct channel *c)
{
    struct wait_info *row = rows_put(rows, session);

    if (!row)
        return NULL;
    row->uid = session ? session->account->uid : c->account->uid;
    row->kind = WORDS("channel");
    row->object = (struct bytes){c->text, c->name_size};
    return row;
}

int rows_answer(struct wait_rows *rows, struct op *op, struct result result)
{
    result.waits = rows->row;
    result.waits_n = rows->n;
    int r = op_answer(rows->core, op, &result);
    rows_free(rows);
    return r;
}

bool waits_for(const struct op *op, struct bytes name)
{
    for (uint32_t i = 0; i < op->waiters_n; i++) {
        const struct waiter *w = &op->waiters[i];

        if (w->channel && bytes_are(name, w->channel->text, w->channel->name_size))
            return true;
    }
    if (op->publish) {
        struct bytes topic = publish_topic(op->publish);

        return bytes_are(name, topic.data, topic.size);
    }
    if ((op->reason != WAIT_LOCK && op->reason != WAIT_SYNC) || !op->waiters[0].sync)
        return false;
    struct bytes other = sync_name(op->waiters[0].sync);
    return bytes_are(name, other.data, other.size);
}

bool may_see(const struct core *core, const struct account *who, const struct account *whose)
{
    return who == whose || account_owns(core, who);
}
