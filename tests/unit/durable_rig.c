#include "durable_rig.h"

#include "store.h"

static struct durable_rig *the_rig; /* of the test that runs */

static void take(struct rig *rig, struct batch *batch)
{
    list_append(&the_rig->waiting, &batch->link);
}

struct durable_rig *durable_rig_new(const struct limits *limits)
{
    struct store_options options = {0};
    struct durable_rig *self = calloc(1, sizeof(*self));
    uint64_t incarnation;

    self->rig = rig_with(limits, 42);
    self->rig->take = take;
    list_init(&self->waiting);
    assert_int_equal(store_memory.open(&options, &self->store, &incarnation, NULL), 0);
    the_rig = self;
    return self;
}

static void forget(struct durable_rig *self)
{
    struct batch *batch;

    while ((batch = list_first(&self->waiting, struct batch, link)))
        batch_delete(batch);
}

void durable_rig_delete(struct durable_rig *self)
{
    rig_delete(self->rig);
    forget(self);
    store_memory.close(self->store);
    free(self);
}

size_t waiting(const struct durable_rig *self)
{
    const struct batch *batch;
    size_t n = 0;

    list_each (batch, &self->waiting, link)
        n++;
    return n;
}

/* The number of the last one that was stored; 0: none. */
static uint64_t store(struct durable_rig *self, size_t n)
{
    struct list group = LIST_INIT(group);
    struct batch *batch;
    uint64_t last = 0;

    for (; n && (batch = list_first(&self->waiting, struct batch, link)); n--) {
        list_remove(&batch->link);
        list_append(&group, &batch->link);
        last = batch->number;
    }
    assert_int_equal(store_memory.apply(self->store, &group), 0);
    while ((batch = list_first(&group, struct batch, link)))
        batch_delete(batch);
    return last;
}

static void report(struct durable_rig *self, uint64_t last, int error)
{
    if (last)
        rig_step(self->rig, &(struct input){.kind = IN_STORED, .stored = {last, error}});
}

void stored_some(struct durable_rig *self, size_t n)
{
    report(self, store(self, n), 0);
}

void fetched(struct durable_rig *self)
{
    struct rig_fetch asked = self->rig->asked[0];
    struct fetched out = {0};

    self->rig->asked_n--;
    memmove(self->rig->asked, self->rig->asked + 1, self->rig->asked_n * sizeof(asked));
    asked.what.topics = asked.topics;
    int r = store_memory.fetch(self->store, &asked.what, &out);
    rig_step(self->rig, &(struct input){.kind = IN_FETCHED,
                                        .fetched = {.fetch = asked.number,
                                                    .error = r,
                                                    .messages = out.messages,
                                                    .messages_n = out.messages_n,
                                                    .offset = out.offset,
                                                    .more = out.more}});
    if (r == 0)
        fetched_clear(&out);
}

static int load_group(void *context, const struct group_row *row)
{
    const char *why;

    return core_load_group(context, row, &why);
}

static int load_group_ack(void *context, const struct ack_row *row)
{
    const char *why;

    return core_load_group_ack(context, row, &why);
}

static int load_group_try(void *context, const struct ack_row *row)
{
    const char *why;

    return core_load_group_try(context, row, &why);
}

/* It has more to do in this moment. */
static bool is_busy(const struct rig *rig)
{
    return rig->out.wake_ns <= rig->now.mono_ns;
}

void stored(struct durable_rig *self)
{
    while (waiting(self) || self->rig->asked_n || is_busy(self->rig)) {
        stored_some(self, SIZE_MAX);
        if (self->rig->asked_n)
            fetched(self);
        if (is_busy(self->rig))
            rig_step(self->rig, &(struct input){.kind = IN_TICK});
    }
}

void store_full(struct durable_rig *self)
{
    struct batch *batch;

    while ((batch = list_first(&self->waiting, struct batch, link))) {
        uint64_t number = batch->number;

        if (!batch_admits(batch)) {
            stored_some(self, 1);
            continue;
        }
        batch_delete(batch);
        report(self, number, -ENOSPC);
    }
}

static int load_channel(void *context, const struct channel_row *row)
{
    const char *why;

    return core_load_channel(context, row, &why);
}

static int load_value(void *context, const struct value_row *row, struct bytes body)
{
    const char *why;

    return core_load_value(context, row, body, &why);
}

static int load_sequence(void *context, uint64_t last)
{
    return core_load_sequence(context, last);
}

static int load_topic_rule(void *context, struct bytes pattern, struct bytes kept)
{
    const char *why;

    return core_load_topic_rule(context, pattern, kept, &why);
}

static int load_topic(void *context, const struct topic_row *row)
{
    const char *why;

    return core_load_topic(context, row, &why);
}

static int load_block(void *context, const struct block_row *row)
{
    const char *why;

    return core_load_block(context, row, &why);
}

static int load_message(void *context, const struct message_row *row)
{
    const char *why;

    return core_load_message(context, row, &why);
}

static int load_later(void *context, const struct later_row *row)
{
    const char *why;

    return core_load_later(context, row, &why);
}

static int load_once(void *context, const struct message_row *row)
{
    const char *why;

    return core_load_once(context, row, &why);
}

void crash(struct durable_rig *self, size_t n)
{
    store(self, n);
    forget(self);
    self->rig->asked_n = 0;
    rig_reborn(self->rig);
    const struct store_load load = {.context = self->rig->core,
                                    .channel = load_channel,
                                    .value = load_value,
                                    .sequence = load_sequence,
                                    .topic_rule = load_topic_rule,
                                    .topic = load_topic,
                                    .block = load_block,
                                    .message = load_message,
                                    .once = load_once,
                                    .later = load_later,
                                    .group = load_group,
                                    .group_ack = load_group_ack,
                                    .group_try = load_group_try};
    assert_int_equal(store_memory.load(self->store, &load, NULL), 0);
    core_check(self->rig->core);
}

/* ---- two clients of one channel ---- */

struct durable_rig *d;
struct client *a, *b;
uint64_t ha, hb;

void meet(void)
{
    a = client_new(d->rig);
    b = client_new(d->rig);
}

/* Opens or finds; waits for the store. */
uint64_t durable(struct client *c, const char *name, uint64_t capacity, uint32_t flags)
{
    uint64_t handle = chan_flags(c, name, capacity, OPEN_DURABLE | flags, FULL_BLOCK);

    if (handle)
        return handle;
    stored(d);
    return got(c, c->op) ? got(c, c->op)->handle : 0;
}

void open_both(uint64_t capacity, uint32_t flags)
{
    meet();
    ha = durable(a, "d", capacity, flags);
    hb = durable(b, "d", capacity, flags);
    assert_true(ha && hb);
}

int durable_setup(void **state)
{
    d = durable_rig_new(&(struct limits)LIMITS_DEFAULT);
    open_both(4, 0);
    return 0;
}

int durable_teardown(void **state)
{
    durable_rig_delete(d);
    return 0;
}

void send_stored(const char *values)
{
    uint64_t op = send_many(a, ha, values);

    stored(d);
    assert_true(status_of(a, op) > 0);
}

/* Received, and the result has come. */
uint64_t receive(struct client *c, uint64_t handle, uint32_t max)
{
    uint64_t op = recv_many(c, handle, max);

    stored(d);
    return op;
}

void restart(void)
{
    crash(d, 0);
    meet();
    ha = chan_flags(a, "d", 4, OPEN_DURABLE, FULL_BLOCK);
    hb = chan_flags(b, "d", 4, OPEN_DURABLE, FULL_BLOCK);
}
