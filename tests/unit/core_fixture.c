#include "core_fixture.h"

#include <stdio.h>

#include "filter.h"

void *rig_resize(void *context, void *p, size_t size)
{
    struct rig *rig = context;

    if (!size) {
        rig->live -= p != NULL;
        free(p);
        return NULL;
    }
    long n = rig->allocs++;
    if (n >= rig->fail_from && n < rig->fail_to)
        return NULL;
    void *q = realloc(p, size);
    rig->live += q && !p;
    return q;
}

size_t rig_keeps_bytes;

struct rig *rig_with(const struct limits *limits, uint64_t seed)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct allocator memory = {rig_resize, rig, rig_keeps_bytes};

    rig->limits = *limits;
    rig->now = (struct now){.mono_ns = 1000 * (int64_t)SECOND, .wall_ns = 5};
    rig->incarnation = 7;
    rig->core = core_new(limits, &memory, 1, rig->incarnation, seed);
    assert_non_null(rig->core);
    effects_init(&rig->out);
    return rig;
}

void rig_reborn(struct rig *rig)
{
    struct allocator memory = {rig_resize, rig, rig_keeps_bytes};

    core_delete(rig->core);
    assert_int_equal(rig->live, 0);
    rig->batch_last = 0;
    rig->core = core_new(&rig->limits, &memory, 1, ++rig->incarnation, 43);
    assert_non_null(rig->core);
}

struct rig *rig_new(void)
{
    return rig_with(&(struct limits)LIMITS_DEFAULT, 42);
}

void rig_delete(struct rig *rig)
{
    struct got *next;
    struct client *after;

    rig->fail_to = 0;
    core_delete(rig->core);
    assert_int_equal(rig->live, 0);
    for (struct got *g = rig->got; g; g = next) {
        next = g->next;
        free(g->waits);
        free(g);
    }
    for (struct client *c = rig->clients; c; c = after) {
        after = c->next;
        free(c);
    }
    free(rig);
}

/* ---- what comes out ---- */

static void copy_text(char *to, size_t size, struct bytes from)
{
    size_t n = from.size < size - 1 ? from.size : size - 1;

    if (n)
        memcpy(to, from.data, n);
    to[n] = 0;
}

static void take_message(struct got *g, size_t i, const struct message *m)
{
    g->value[i].is_message = m;
    if (!m)
        return;
    copy_text(g->value[i].topic, sizeof(g->value[i].topic), m->topic);
    copy_text(g->value[i].key, sizeof(g->value[i].key), m->key);
    g->value[i].sequence = m->sequence;
    g->value[i].lost = m->lost;
    g->value[i].tries = m->tries;
    g->value[i].time_us = m->time_us;
    if (m->headers_n)
        snprintf(g->value[i].header, sizeof(g->value[i].header), "%.*s=%.*s", (int)m->headers[0].name.size,
                 (const char *)m->headers[0].name.data, (int)m->headers[0].value.size,
                 (const char *)m->headers[0].value.data);
}

static void take_values(struct got *g, const struct result *r)
{
    g->values_n = r->values_n;
    for (size_t i = 0; i < r->values_n && i < GOT_VALUES_MAX; i++) {
        copy_text(g->value[i].text, sizeof(g->value[i].text), r->values[i].body);
        g->value[i].size = r->values[i].body.size;
        g->value[i].flags = r->values[i].flags;
        g->value[i].handles_n = r->values[i].handles_n;
        take_message(g, i, r->values[i].message);
        for (size_t k = 0; k < r->values[i].handles_n && k < 2; k++)
            g->value[i].handle[k] = r->values[i].handles[k];
    }
}

static void add_name(struct got *g, struct bytes name)
{
    size_t used = strlen(g->names);

    if (used + name.size + 2 > sizeof(g->names))
        return;
    copy_text(g->names + used, sizeof(g->names) - used, name);
    strcat(g->names, " ");
}

static void take_topics(struct got *g, const struct result *r)
{
    if (r->published)
        g->published = *r->published;
    g->topics_n = r->topics_n;
    if (r->topics_n)
        g->topic = r->topics[0];
    for (size_t i = 0; i < r->topics_n; i++)
        add_name(g, r->topics[i].name);
    if (r->groups_n)
        g->group = r->groups[0];
    for (size_t i = 0; i < r->groups_n; i++)
        add_name(g, r->groups[i].name);
}

static void take_contexts(struct got *g, const struct result *r)
{
    g->ctxs_n = r->ctxs_n;
    if (!r->ctxs_n)
        return;
    g->ctx = r->ctxs[0];
    copy_text(g->ctx_text, sizeof(g->ctx_text), r->ctxs[0].text);
    for (size_t i = 0; i < r->ctxs_n; i++)
        add_name(g, r->ctxs[i].name);
}

static void take_lists(struct got *g, const struct result *r)
{
    take_contexts(g, r);
    g->chans_n = r->chans_n;
    g->stats_n = r->stats_n;
    if (r->chans_n)
        g->chan = r->chans[0];
    if (r->stats_n)
        g->stat = r->stats[0].value;
    for (size_t i = 0; i < r->chans_n; i++) {
        size_t used = strlen(g->names);

        if (used + r->chans[i].name.size + 2 > sizeof(g->names))
            break;
        copy_text(g->names + used, sizeof(g->names) - used, r->chans[i].name);
        g->names[used + r->chans[i].name.size] = ' ';
    }
}

static void take_waits(struct got *g, const struct result *r)
{
    g->waits_n = r->waits_n;
    g->waits = calloc(r->waits_n + 1, sizeof(*g->waits));
    for (size_t i = 0; i < r->waits_n; i++) {
        struct got_wait *to = &g->waits[i];

        to->info = r->waits[i];
        copy_text(to->program, sizeof(to->program), to->info.program);
        copy_text(to->reason, sizeof(to->reason), to->info.reason);
        copy_text(to->kind, sizeof(to->kind), to->info.kind);
        copy_text(to->object, sizeof(to->object), to->info.object);
    }
}

static void take_result(struct rig *rig, uint64_t conn, const struct result *r)
{
    struct got *g = calloc(1, sizeof(*g));

    *g = (struct got){.next = rig->got,
                      .conn = conn,
                      .op = r->op,
                      .number = r->number,
                      .handle = r->handle,
                      .status = r->status,
                      .flags = r->flags,
                      .index = r->index,
                      .doubt = r->doubt};
    take_values(g, r);
    take_lists(g, r);
    take_topics(g, r);
    take_waits(g, r);
    copy_text(g->text, sizeof(g->text), r->text);
    copy_text(g->output, sizeof(g->output), r->output);
    rig->got = g;
}

static void take_reply(struct rig *rig, uint64_t conn, const struct server_frame *f)
{
    struct said *s = &rig->said;

    *s = (struct said){.conn = conn, .need_resume = f->need_resume, .refused = f->refused};
    s->welcome = f->welcome;
    if (f->welcome)
        s->hello = *f->welcome;
    copy_text(s->text, sizeof(s->text), f->text);
    s->states_n = f->states_n;
    for (size_t i = 0; i < f->states_n && i < 64; i++)
        s->state[i] = f->states[i];
    rig->replies++;
}

static void take_fetch(struct rig *rig, const struct effect *e)
{
    struct rig_fetch *asked = &rig->asked[rig->asked_n];

    if (e->fetch.what.kind != FETCH_MESSAGES && e->fetch.what.kind != FETCH_LATERS)
        return;
    assert_true(rig->asked_n++ < sizeof(rig->asked) / sizeof(*rig->asked));
    assert_true(e->fetch.what.topics_n <= sizeof(asked->topics) / sizeof(*asked->topics));
    asked->number = e->fetch.number;
    asked->what = e->fetch.what;
    memcpy(asked->topics, e->fetch.what.topics, e->fetch.what.topics_n * sizeof(*asked->topics));
}

static void take_effect(struct rig *rig, const struct effect *e)
{
    switch (e->kind) {
    case EFFECT_RESULT:
        return take_result(rig, e->conn, e->result);
    case EFFECT_REPLY:
        return take_reply(rig, e->conn, e->reply);
    case EFFECT_SESSION_END:
        rig->ended_peer = e->session_end.peer;
        rig->ended_error = e->session_end.error;
        rig->ended_n++;
        return;
    case EFFECT_FETCH:
        rig->fetch = e->fetch.number;
        rig->fetch_what = e->fetch.what;
        take_fetch(rig, e);
        return;
    case EFFECT_CLOCK:
        rig->clock_ns = e->clock_ns;
        return;
    default:
        return;
    }
}

static void take_batches(struct rig *rig)
{
    struct batch *batch, *after;

    list_each_safe (batch, after, &rig->out.batches, link) {
        assert_int_equal(batch->number, rig->batch_last + 1);
        rig->batch_last = batch->number;
        list_remove(&batch->link);
        if (rig->take)
            rig->take(rig, batch);
        else
            batch_delete(batch);
    }
}

void rig_step(struct rig *rig, const struct input *in)
{
    struct effect *e;

    core_step(rig->core, rig->now, in, &rig->out);
    if (!rig->unchecked)
        core_check(rig->core);
    list_each (e, &rig->out.list, link)
        take_effect(rig, e);
    take_batches(rig);
    effects_clear(rig->core, &rig->out);
}

void rig_after(struct rig *rig, int64_t ns)
{
    rig->now.mono_ns += ns;
    rig_step(rig, &(struct input){.kind = IN_TICK});
}

void rig_sweep(struct rig *rig)
{
    do
        rig_step(rig, &(struct input){.kind = IN_TICK});
    while (rig->out.wake_ns <= rig->now.mono_ns);
}

void rig_stored(struct rig *rig, int error)
{
    rig_step(rig, &(struct input){.kind = IN_STORED, .stored = {rig->batch_last, error}});
}

uint64_t rig_stat(struct rig *rig, const char *name)
{
    struct client *c = client_new(rig);
    uint64_t op = client_do(c, (struct request){.verb = VERB_STATS, .stats.prefix = {name, strlen(name)}});
    struct got *g = got(c, op);

    assert_true(g && g->stats_n);
    uint64_t value = g->stat;
    client_bye(c);
    return value;
}

/* ---- clients ---- */

struct client *client_up(struct rig *rig, uint32_t uid, bool lease, uint64_t host)
{
    struct client *c = calloc(1, sizeof(*c));

    c->rig = rig;
    c->next = rig->clients;
    rig->clients = c;
    c->peer = ++rig->peers;
    c->conn = ++rig->conns;
    memcpy(c->secret.byte, &c->peer, sizeof(c->peer));
    c->secret.byte[15] = 0x5a;
    c->who = (struct credentials){.uid = uid, .gid = uid, .pid = 1000 + (int)c->peer, .known = !lease};
    rig_step(rig, &(struct input){.kind = IN_SESSION_UP,
                                  .peer = c->peer,
                                  .session_up = {c->secret, c->who, host, lease}});
    return c;
}

void client_hello(struct client *c)
{
    struct hello hello = {.session = c->secret};

    c->frame = 0;
    client_frame(c, (struct client_frame){.hello = &hello});
}

struct client *client_of(struct rig *rig, uint32_t uid)
{
    struct client *c = client_up(rig, uid, false, 0);

    client_hello(c);
    return c;
}

struct client *client_new(struct rig *rig)
{
    return client_of(rig, 1000);
}

void client_die(struct client *c)
{
    rig_step(c->rig, &(struct input){.kind = IN_SESSION_END, .peer = c->peer});
}

void client_bye(struct client *c)
{
    client_frame(c, (struct client_frame){.bye = true});
}

void client_cut(struct client *c)
{
    rig_step(c->rig, &(struct input){.kind = IN_CONN_END, .conn = c->conn});
}

void client_resume(struct client *c, ...)
{
    uint64_t open[64];
    struct resume resume = {.session = c->secret, .open_ops = open};
    va_list ids;

    va_start(ids, c);
    while ((open[resume.open_ops_n] = va_arg(ids, uint64_t)))
        resume.open_ops_n++;
    va_end(ids);
    c->conn = ++c->rig->conns;
    c->frame = 0;
    client_frame(c, (struct client_frame){.resume = &resume});
}

static void frame_in(struct client *c, struct client_frame *head)
{
    head->version = head->version ? head->version : PROTOCOL_VERSION;
    head->number = head->number ? head->number : ++c->frame;
    head->ack_mark = head->ack_mark ? head->ack_mark : c->mark;
    rig_step(c->rig, &(struct input){.kind = IN_FRAME,
                                     .conn = c->conn,
                                     .frame = {.head = head, .who = c->who, .same_clock = true}});
}

void client_frame(struct client *c, struct client_frame head)
{
    frame_in(c, &head);
    for (size_t i = 0; i < head.requests_n; i++)
        rig_step(c->rig, &(struct input){.kind = IN_OP, .conn = c->conn, .op = &head.requests[i]});
}

void client_again(struct client *c, struct request request, uint64_t id)
{
    request.id = id;
    request.run = c->run;
    client_frame(c, (struct client_frame){.requests = &request, .requests_n = 1});
}

uint64_t client_do(struct client *c, struct request request)
{
    request.until = c->until;
    request.context = c->context;
    c->until = (struct until){0};
    c->context = 0;
    client_again(c, request, ++c->op);
    return c->op;
}

struct client *at_once(struct client *c)
{
    c->until = (struct until){.kind = UNTIL_NOW};
    return c;
}

struct client *within(struct client *c, int64_t ns)
{
    c->until = (struct until){.kind = UNTIL_IN, .ns = ns};
    return c;
}

struct client *under(struct client *c, uint64_t context)
{
    c->context = context;
    return c;
}

/* ---- channels ---- */

uint64_t chan_flags(struct client *c, const char *name, uint64_t capacity, uint32_t flags, uint32_t full)
{
    struct request r = {.verb = VERB_CHAN_OPEN,
                        .chan_open = {.name = {name, name ? strlen(name) : 0},
                                      .capacity = capacity,
                                      .flags = OPEN_CREATE | flags,
                                      .full = full}};
    uint64_t op = client_do(c, r);
    struct got *g = got(c, op);

    return g && g->status == 0 ? g->handle : 0;
}

uint64_t chan(struct client *c, const char *name, uint64_t capacity)
{
    return chan_flags(c, name, capacity, 0, FULL_BLOCK);
}

uint64_t send1(struct client *c, uint64_t handle, const char *value)
{
    return send_carrying(c, handle, value, NULL, 0);
}

uint64_t send_carrying(struct client *c, uint64_t handle, const char *value, const struct passed *passed,
                       size_t n)
{
    struct value v = {.body = {value, strlen(value)}, .handles = passed, .handles_n = n};

    return client_do(c, (struct request){.verb = VERB_SEND, .send = {handle, &v, 1}});
}

uint64_t send_many(struct client *c, uint64_t handle, const char *values)
{
    struct value v[64];
    size_t n = 0;

    while (*values) {
        size_t size = strcspn(values, " ");

        v[n++] = (struct value){.body = {values, size}};
        values += size + (values[size] == ' ');
    }
    return client_do(c, (struct request){.verb = VERB_SEND, .send = {handle, v, n}});
}

uint64_t recv_many(struct client *c, uint64_t handle, uint32_t max)
{
    return client_do(c, (struct request){.verb = VERB_RECV, .recv = {handle, max}});
}

uint64_t recv1(struct client *c, uint64_t handle)
{
    return recv_many(c, handle, 1);
}

uint64_t chan_close(struct client *c, uint64_t handle)
{
    return client_do(c, (struct request){.verb = VERB_CLOSE, .close = {handle}});
}

uint64_t select_of(struct client *c, const struct select_case *cases, size_t n)
{
    return client_do(c, (struct request){.verb = VERB_SELECT, .select = {cases, n}});
}

struct chan_info info(struct client *c, uint64_t handle)
{
    uint64_t op = client_do(c, (struct request){.verb = VERB_CHAN_INFO, .chan_info.handle = handle});
    struct got *g = got(c, op);

    assert_true(g && g->chans_n == 1);
    ack(c, op, 0);
    return g->chan;
}

void ack(struct client *c, uint64_t op, uint64_t count)
{
    client_frame(c, (struct client_frame){.acks = &(struct ack){op, count}, .acks_n = 1});
}

void give_back(struct client *c, uint64_t op, uint64_t keep)
{
    client_frame(c, (struct client_frame){.returns = &(struct ack){op, keep}, .returns_n = 1});
}

void cancel(struct client *c, uint64_t op)
{
    client_frame(c, (struct client_frame){.cancels = &op, .cancels_n = 1});
}

/* ---- what came ---- */

struct got *got(struct client *c, uint64_t op)
{
    for (struct got *g = c->rig->got; g; g = g->next)
        if (g->conn == c->conn && g->op == op)
            return g;
    return NULL;
}

size_t got_count(struct client *c, uint64_t op)
{
    size_t n = 0;

    for (struct got *g = c->rig->got; g; g = g->next)
        n += g->conn == c->conn && g->op == op;
    return n;
}

const char *got_values(struct client *c, uint64_t op)
{
    static char text[GOT_VALUES_MAX * 34];
    struct got *g = got(c, op);

    text[0] = 0;
    assert_non_null(g);
    for (size_t i = 0; i < g->values_n && i < GOT_VALUES_MAX; i++) {
        strcat(text, g->value[i].text);
        strcat(text, " ");
    }
    return text;
}

int32_t status_of(struct client *c, uint64_t op)
{
    struct got *g = got(c, op);

    assert_non_null(g);
    return g->status;
}

int32_t status_if(struct client *c, uint64_t op)
{
    struct got *g = got(c, op);

    return g ? g->status : NOTHING_YET;
}
