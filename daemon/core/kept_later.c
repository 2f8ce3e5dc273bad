/*
 * Publishing later.
 *
 * A message with a delay is confirmed when the store has it, and waits there. When it is due its bytes are fetched and it goes to
 * the log as if it were published then: one record, that of its wait becoming that of its place in the log, so that it is in one
 * of them whatever dies. What is due goes there in its order and in pieces: one is fetched, moved and stored before the next, and
 * told to all but a piece before the one behind that, so that no more than two are in memory.
 * Time is that of the clock on the wall, so that it holds over a restart.
 */
#include <errno.h>
#include <stdlib.h>

#include "kept.h"
#include "schedule.h"

enum { PIECE_MESSAGES = 256, PIECE_BYTES = 1 << 20 };
#define AGAIN_NS 100000000ll

static struct laters *laters_of(const struct core *core)
{
    return &core->kept_topics->laters;
}

/* ---- its time ---- */

static void go(struct core *core);

static void fire(struct core *core, struct timer *timer)
{
    laters_of(core)->pausing = false;
    go(core);
}

/* Neither a broken disk nor a full memory is asked without a pause. */
static void pause(struct core *core)
{
    struct laters *l = laters_of(core);

    l->pausing = true;
    timer_arm(core, &l->timer, time_after(core->now.mono_ns, AGAIN_NS), fire);
}

static void set_time(struct core *core)
{
    struct laters *l = laters_of(core);
    const struct later *first = laters_first(core);
    int64_t left_us = first ? first->due_us - core->now.wall_ns / 1000 : 0; /* no time is negative */

    if (!first)
        return timer_disarm(core, &l->timer);
    if (left_us < 0)
        left_us = 0;
    if (left_us > SCHEDULE_LOOK_NS / 1000)
        left_us = SCHEDULE_LOOK_NS / 1000; /* the clock may be set meanwhile */
    timer_arm(core, &l->timer, time_after(core->now.mono_ns, left_us * 1000), fire);
}

static bool is_due(const struct core *core, const struct later *later)
{
    return later && later->due_us <= core->now.wall_ns / 1000 + (PLANTED(EARLY_MESSAGE) ? 1000 : 0);
}

/* ---- to the log ---- */

/* Its id was taken when it was accepted, and counts from now on as that of any other message. */
static void settle(struct core *core, struct later *later, const struct letter *letter, uint64_t batch)
{
    struct topic_once *once = later->once;

    later->once = NULL;
    if (!once)
        return;
    once->sequence = letter->sequence;
    once->time_us = letter->time_us;
    once->batch = batch;
    once_window_settle(&later->topic->once, once);
}

/* What the store is told. NULL: out of memory. */
static struct record *record_of_move(struct core *core, const struct later *later,
                                     const struct letter *letter)
{
    const struct later_row due = {
        .id = later->id,
        .message = {.sequence = letter->sequence, .time_us = letter->time_us, .flags = later->topic->flags}};

    if (PLANTED(SECOND_MESSAGE)) /* and it waits there, too */
        return kept_record_of(core, RECORD_MESSAGE_JOINED, later->topic, letter, later->account->uid,
                              (struct bytes){0});
    return record_new_later(RECORD_LATER_DUE, &due, (struct bytes){0});
}

/* 0 or -ENOMEM. */
static int publish(struct core *core, struct later *later, const struct kept_message *message)
{
    struct letter *letter = kept_letter(core, later->topic, message);
    struct publish *p = publish_letter(core, later->account, letter);
    uint64_t batch;

    if (!p)
        return -ENOMEM;
    letter->sequence = core->kept_topics->sequence + 1;
    letter->time_us = kept_time(core);
    batch = kept_record(core, record_of_move(core, later, letter));
    if (!batch) {
        publish_free(core, p);
        return -ENOMEM;
    }
    kept_sent(core, p, later->topic, batch);
    p->due = true;
    core->topics->due_n++;
    core->topics->due_bytes += p->bytes;
    settle(core, later, letter, batch);
    later_delete(core, later);
    laters_of(core)->moved = batch;
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct kept_message *)a)->row.sequence,
             y = ((const struct kept_message *)b)->row.sequence;

    return (x > y) - (x < y);
}

static int come(struct core *core, struct later *later, const struct input *in)
{
    const struct kept_message key = {.row.sequence = later->id};
    const struct kept_message *message =
        in->fetched.messages_n
            ? bsearch(&key, in->fetched.messages, in->fetched.messages_n, sizeof(key), compare)
            : NULL;

    if (later->id <= later->topic->doomed)
        return 0;
    if (message)
        return publish(core, later, message);
    core_log(core, LOG_LEVEL_ERROR, "event=delayed_message_lost id=%lu", later->id);
    later_delete(core, later);
    return 0;
}

static void fetched(struct core *core, struct op *op, void *context, const struct input *in)
{
    struct laters *l = context;
    struct later *later, *after;
    int r = in->fetched.error;

    l->asked = false;
    list_each_safe (later, after, &l->fetching, link) {
        list_remove(&later->link);
        if (r == 0)
            r = come(core, later, in);
        if (r < 0)
            later_wait(core, later);
    }
    if (r < 0)
        pause(core);
    else
        go(core);
}

/* ---- what is due ---- */

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The ids of those in l->fetching, rising. */
static size_t ids_of(const struct laters *l, uint64_t ids[PIECE_MESSAGES])
{
    const struct later *later;
    size_t n = 0;

    list_each (later, &l->fetching, link)
        ids[n++] = later->id;
    qsort(ids, n, sizeof(*ids), by_number);
    return n;
}

static void ask(struct core *core)
{
    struct laters *l = laters_of(core);
    struct later *later, *after;
    uint64_t ids[PIECE_MESSAGES];
    const struct fetch what = {
        .kind = FETCH_LATERS,
        .topics = ids,
        .topics_n = ids_of(l, ids),
        .limit = PIECE_MESSAGES,
        .last = UINT64_MAX,
        .bytes = UINT64_MAX,
    };

    l->asked = core_fetch(core, &what, fetched, NULL, l) == 0;
    if (l->asked)
        return;
    list_each_safe (later, after, &l->fetching, link) {
        list_remove(&later->link);
        later_wait(core, later);
    }
    pause(core);
}

/* The first piece of what is due. What is doomed is left to whom it is for. */
static void gather(struct core *core)
{
    struct laters *l = laters_of(core);
    struct later *later;
    uint64_t bytes = 0;

    for (int n = 0; n < PIECE_MESSAGES && is_due(core, later = laters_first(core)); n++) {
        bool doomed = later->id <= later->topic->doomed;

        bytes += doomed ? 0 : later->bytes;
        if (!list_empty(&l->fetching) && bytes > PIECE_BYTES)
            break;
        later_take(core, later);
        if (!doomed)
            list_append(&l->fetching, &later->link);
    }
}

static void go(struct core *core)
{
    struct laters *l = laters_of(core);

    if (l->asked || l->pausing || !core_stored(core, l->moved))
        return; /* it goes on with that */
    l->held = core->topics->due_n > PIECE_MESSAGES || core->topics->due_bytes > PIECE_BYTES;
    if (l->held)
        return;
    gather(core);
    if (list_empty(&l->fetching))
        set_time(core);
    else
        ask(core);
}

void laters_stored(struct core *core, int error)
{
    struct later *later, *after;

    list_each_safe (later, after, &laters_of(core)->storing, link) {
        if (!core_stored(core, later->batch))
            break;
        list_remove(&later->link);
        if (error)
            later_delete(core, later);
        else
            later_wait(core, later);
    }
    go(core);
}

void laters_run(struct core *core)
{
    if (laters_of(core)->held)
        go(core);
}

/* ---- PUBLISH of what waits ---- */

bool publish_waits(const struct core *core, const struct request_publish *asked)
{
    return asked->delay_ns || (asked->at_us && asked->at_us > core->now.wall_ns / 1000);
}

/* Not before its time, to the microsecond. */
static int64_t due_of(const struct core *core, int64_t delay_ns, int64_t at_us)
{
    return at_us ? at_us : (time_after(core->now.wall_ns, delay_ns) - 1) / 1000 + 1;
}

/* What one operation has made. Its laters are the last ones of the topic. */
struct made {
    struct kept_topic *topic;
    struct list records;
    size_t n;
    int64_t due_us;
    struct published told;
    struct kept_repeats repeats;
};

/* Without id and time, and of its headers the size alone. */
static struct later_row row_of(const struct kept_topic *topic, const struct account *account,
                               const struct outgoing *message)
{
    return (struct later_row){
        .message = {.topic = topic->id,
                    .uid = account->uid,
                    .flags = topic->flags,
                    .body_bytes = message->value.body.size,
                    .key = message->key,
                    .once = message->once,
                    .headers = {"", headers_size(message->headers, message->headers_n)}},
    };
}

static struct record *record_of(struct core *core, const struct later_row *row,
                                const struct outgoing *message)
{
    struct later_row whole = *row;
    char *text = core_take(core, row->message.headers.size + 1);
    struct record *record;

    if (!text)
        return NULL;
    headers_write(message->headers, message->headers_n, text);
    whole.message.headers.data = text;
    record = record_new_later(RECORD_LATER, &whole, message->value.body);
    core_give(core, text, row->message.headers.size + 1);
    return record;
}

static int make(struct core *core, struct op *op, struct made *made, const struct outgoing *message)
{
    struct account *account = op->scope->account;
    struct later_row row = row_of(made->topic, account, message);
    struct later *later;
    struct record *record;

    if (message->once.size && core->kept_topics->ids >= core->limits.dedup_max)
        return -ENOBUFS;
    later = later_new(core);
    if (!later)
        return -ENOMEM;
    row.id = laters_of(core)->last_id + made->n + 1;
    row.due_us = made->due_us;
    later_enter(core, later, made->topic, account, &row);
    made->n++;
    if (later_hold(core, later, message->once) < 0)
        return -ENOMEM;
    record = record_of(core, &row, message);
    if (!record)
        return -ENOMEM;
    list_append(&made->records, &record->link);
    return 0;
}

/* A message that is there before, or waits, is told and not taken again. */
static int take(struct core *core, struct op *op, struct made *made, const struct outgoing *message)
{
    struct bytes id = message->once;
    const struct topic_once *once = id.size ? once_window_find(core, &made->topic->once, id) : NULL;

    if (!once)
        return make(core, op, made, message);
    kept_repeat(core, &made->repeats, &made->told, once);
    return 0;
}

int laters_check_room(struct core *core, struct op *op, uint64_t messages, uint64_t bytes)
{
    const struct account *account = op->scope->account;

    if (!account_has_room(core, account, SLOT_DELAYED, messages))
        return kept_refuse(core, op, "there are no more messages to be published later", "delayed_max",
                           core->limits.delayed_max);
    if (!account_has_room(core, account, SLOT_DELAYED_BYTES, bytes))
        return kept_refuse(core, op, "messages to be published later are no longer together",
                           "delayed_bytes_max", core->limits.delayed_bytes_max);
    return 0;
}

/* With what was made. */
static int check_room(struct core *core, struct op *op, const struct made *made,
                      const struct topic_policy *policy)
{
    int r = laters_check_room(core, op, 0, 0);

    return r < 0 ? r : kept_check_room(core, op, made->topic, policy, 0, 0);
}

static struct later *last_later(const struct kept_topic *topic)
{
    return container_of(topic->laters.prev, struct later, in_topic);
}

static void unmake(struct core *core, struct made *made)
{
    for (; made->n; made->n--)
        later_delete(core, last_later(made->topic));
}

/* To the store. */
static int send(struct core *core, struct op *op, struct made *made)
{
    struct laters *l = laters_of(core);
    uint64_t batch = core_record_all(core, &made->records);
    struct later *later = last_later(made->topic);
    struct list *at = &l->storing;

    if (!batch)
        return -ENOMEM;
    for (size_t n = made->n; n; n--) {
        later->batch = batch;
        if (later->once)
            later->once->batch = batch;
        list_insert_before(at, &later->link);
        at = &later->link;
        later = container_of(later->in_topic.prev, struct later, in_topic);
    }
    l->last_id += made->n;
    op_depends(op, batch);
    return 0;
}

static int make_all(struct core *core, struct op *op, struct made *made, const struct request_publish *asked,
                    const struct topic_policy *policy)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < asked->messages_n; i++)
        r = take(core, op, made, &asked->messages[i]);
    if (r == 0)
        r = kept_check_repeats(core, op, &made->repeats, made->n);
    if (r == 0 && made->n)
        r = check_room(core, op, made, policy);
    return r == 0 && made->n ? send(core, op, made) : r;
}

int laters_publish(struct core *core, struct op *op, const struct request_publish *asked,
                   const struct topic_policy *policy)
{
    struct made made = {.due_us = due_of(core, asked->delay_ns, asked->at_us)};
    int r = kept_topic_for(core, op, asked->topic, policy, &made.topic);

    if (r < 0)
        return r;
    kept_trim(core, made.topic); /* ids that are too old are not asked */
    list_init(&made.records);
    op->answer = answer_new(core, &(struct result){.published = &made.told});
    r = op->answer ? make_all(core, op, &made, asked, policy) : -ENOMEM;
    kept_drop_records(&made.records);
    if (r < 0) {
        unmake(core, &made);
        if (op->state == OP_NEW) /* no words were said */
            op->answer = answer_drop(core, op->answer);
        return r;
    }
    *(struct published *)op->answer->result.published = made.told;
    return (int)(made.n + made.told.repeated);
}

/* ---- the same in a transaction ---- */

struct record *laters_record(struct core *core, const struct kept_topic *topic, const struct publish *p)
{
    const struct letter *letter = p->letter[0];
    const struct outgoing message = {.value.body = letter->body,
                                     .key = letter->key,
                                     .headers = letter->headers,
                                     .headers_n = letter->headers_n};
    const struct later_row row = row_of(topic, p->account, &message);

    return record_of(core, &row, &message);
}

void laters_send(struct core *core, struct later *later, struct kept_topic *topic, struct account *account,
                 struct note *note, int64_t delay_ns, int64_t at_us)
{
    struct laters *l = laters_of(core);
    struct later_row *row = &note->record->later;

    row->id = ++l->last_id;
    row->due_us = due_of(core, delay_ns, at_us);
    later_enter(core, later, topic, account, row);
    later->batch = note_write(core, note);
    list_append(&l->storing, &later->link);
}

/* ---- a topic that is to go ---- */

bool laters_doomed(const struct kept_topic *topic)
{
    const struct later *first = list_first(&topic->laters, struct later, in_topic);

    return first && first->id <= topic->doomed;
}

bool laters_forget(struct core *core, struct kept_topic *topic, size_t most)
{
    for (; most && laters_doomed(topic); most--) {
        struct later *later = list_first(&topic->laters, struct later, in_topic);
        const struct later_row row = {.id = later->id, .message.flags = topic->flags};

        if (!kept_record(core, record_new_later(RECORD_LATER_GONE, &row, (struct bytes){0})))
            return false;
        later_delete(core, later);
    }
    return true;
}

/* ---- the start ---- */

int core_load_later(struct core *core, const struct later_row *row, const char **why)
{
    struct laters *l = laters_of(core);
    struct kept_topic *topic = kept_topic_by_id(core, row->message.topic);
    struct account *account;
    struct later *later;

    *why = "it is of no topic, or not behind the one before it";
    if (!topic || row->id <= l->last_id || row->message.once.size > TOPIC_ONCE_BYTES_MAX)
        return -EINVAL;
    *why = "out of memory";
    account = account_get(core, row->message.uid);
    later = account ? later_new(core) : NULL;
    if (later)
        later_enter(core, later, topic, account, row);
    account_drop(core, account);
    if (!later)
        return -ENOMEM;
    l->last_id = row->id;
    if (PLANTED(LOST_MESSAGE)) {
        later_delete(core, later);
        return 0;
    }
    later_wait(core, later);
    timer_arm(core, &l->timer, 0, fire); /* in the first step: there is no time yet */
    return kept_load_hold(core, later, row->message.once);
}
