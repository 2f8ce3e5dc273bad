/*
 * Contexts between processes (X): a tree whose ends reach whatever names them, in the order of the daemon.
 *
 * A context belongs to the scope that made it and ends with it, or to nobody (detached, in a number and life that are
 * limited). Its end is one word, `status`, that is never changed again (X2). Setting it is the whole change: whoever
 * meets a context below it, or an operation that ends with it, asks the words above (context_over) and not the lists.
 * The sweep then carries the end down the tree, at most sweep_per_turn pieces a turn: first to all that watch, so that
 * their results come before every later one (IP8), then to operations and jobs.
 *
 * Invariants. `sibling` is linked while neither it nor, as far as the sweep has come, its parent has ended. A deadline is
 * never later than that of the context above (X5), and only one that is earlier has a timer. One that has ended and is in
 * no list of the sweep has no children, watchers or bonds (X6). It stays in memory while it has an owner or is above another
 * (its values: X10); without an owner for op_status_s more, so that a late question is answered with its cause (X3). One
 * that is there for those below it alone is charged to them.
 */
#include "context.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { ID_SEQUENCE_BITS = 40 };

/* ---- finding ---- */

struct context *context_find(const struct core *core, uint64_t id)
{
    struct map_node *n = map_first(&core->contexts.by_id, core_hash_number(core, id));

    while (n && map_entry(n, struct context, by_id)->id != id)
        n = map_next(n);
    return n ? map_entry(n, struct context, by_id) : NULL;
}

struct context *context_named(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->contexts.by_name, core_hash(core, name.data, name.size));

    for (; n; n = map_next(n)) {
        struct context *c = map_entry(n, struct context, by_name);

        if (bytes_are(name, c->text, c->name_size))
            return c;
    }
    return NULL;
}

/* By its number; a request that names it was judged before (rights.h). */
bool context_allowed(const struct core *core, const struct op *op, const struct context *c)
{
    uint32_t uid = op->scope->account->uid;
    struct right_want want = {.groups = GROUP_CONTEXT, .name = {c->text, c->name_size}};

    return uid == c->uid || uid == 0 || (c->name_size && account_may(core, op->scope->account, &want));
}

int context_missing(const struct core *core, uint64_t id, const struct context *c)
{
    if (id && id >> ID_SEQUENCE_BITS != core->incarnation)
        return -ENETRESET;
    return c ? -EPERM : -ENOENT;
}

/* ---- causes ---- */

struct cause *cause_new(struct core *core, struct bytes words)
{
    size_t size = words.size < core->limits.text_bytes_max ? words.size : core->limits.text_bytes_max;
    struct cause *cause = core_alloc(core, sizeof(*cause) + size);

    if (!cause)
        return NULL;
    cause->refs = 1;
    cause->size = (uint32_t)size;
    memcpy(cause->text, words.data, size);
    return cause;
}

struct cause *cause_drop(struct core *core, struct cause *cause)
{
    if (cause && !--cause->refs)
        core_free(core, cause);
    return NULL;
}

static struct cause *cause_ref(struct cause *cause)
{
    if (cause)
        cause->refs++;
    return cause;
}

#define WORDS(text) ((struct bytes){(text), sizeof(text) - 1})

struct bytes context_words(const struct context *c)
{
    if (c->cause)
        return (struct bytes){c->cause->text, c->cause->size};
    if (c->code == -EOWNERDEAD)
        return WORDS("the owner of the context has ended");
    return c->status == -ETIMEDOUT ? WORDS("context deadline exceeded") : WORDS("context canceled");
}

/* ---- values (X10) ---- */

static size_t bindings_bytes(const struct request_ctx_new *what)
{
    size_t size = 0;

    for (size_t i = 0; i < what->values_n; i++)
        size += what->values[i].name.size + what->values[i].value.size;
    return size;
}

static char *put(char *to, const void *from, size_t size)
{
    if (size)
        memcpy(to, from, size);
    return to + size;
}

static void bindings_put(char *to, const struct request_ctx_new *what)
{
    for (size_t i = 0; i < what->values_n; i++) {
        const struct ctx_value *v = &what->values[i];
        struct binding sizes = {(uint16_t)v->name.size, (uint16_t)v->value.size};

        to = put(to, &sizes, sizeof(sizes));
        to = put(to, v->name.data, v->name.size);
        to = put(to, v->value.data, v->value.size);
    }
}

/* The last one of that name counts, as if they had been bound one after the other. */
static bool binding_find(const struct context *c, struct bytes key, struct bytes *value)
{
    const char *at = c->text + c->name_size;
    bool found = false;

    for (int i = 0; i < c->values_n; i++) {
        struct binding sizes;

        memcpy(&sizes, at, sizeof(sizes));
        at += sizeof(sizes);
        if (bytes_are(key, at, sizes.name_size)) {
            *value = (struct bytes){at + sizes.name_size, sizes.value_size};
            found = true;
        }
        at += sizes.name_size + sizes.value_size;
    }
    return found;
}

bool context_value(const struct context *c, struct bytes key, struct bytes *value)
{
    for (; c; c = c->parent)
        if (binding_find(c, key, value))
            return true;
    return false;
}

/* ---- words: is it over? ---- */

static bool over_by_itself(const struct core *core, const struct context *c)
{
    return c->status || c->deadline_ns <= core->now.mono_ns || (c->owner && c->owner->ended);
}

bool context_over(const struct core *core, const struct context *c)
{
    if (over_by_itself(core, c))
        return true;
    if (list_empty(&core->contexts.ended) && list_empty(&core->contexts.orphans))
        return false;
    while ((c = context_above(c)))
        if (over_by_itself(core, c))
            return true;
    return false;
}

/* ---- ending ---- */

void context_part(struct context *c)
{
    if (!list_linked(&c->sibling))
        return;
    list_remove(&c->sibling);
    c->parent->children_n--;
}

void context_end(struct core *core, struct context *c, int32_t status, int32_t code, struct cause *cause)
{
    assert(!c->status && status < 0 && "X2: the first end is the only one");
    c->status = status;
    c->code = code ? code : status;
    c->cause = cause_ref(cause);
    c->origin = c->id;
    context_part(c);
    timer_disarm(core, &c->timer);
    list_append(&core->contexts.ended, &c->ending);
    if (c->group)
        errgroup_context_over(core, c);
}

void context_inherit(struct core *core, struct context *c, const struct context *from)
{
    context_end(core, c, from->status, from->code, from->cause);
    c->origin = from->origin;
}

void context_update(struct core *core, struct context *c)
{
    struct context *parent = context_above(c);

    if (parent)
        context_update(core, parent); /* as deep as context_depth_max */
    bool above_over = parent && parent->status;
    if (c->status || (!above_over && !over_by_itself(core, c)))
        return;
    if (above_over)
        context_inherit(core, c, parent);
    else if (c->owner && c->owner->ended)
        context_end(core, c, -ECANCELED, -EOWNERDEAD, NULL);
    else
        context_end(core, c, -ETIMEDOUT, c->late_code, c->late);
}

static void deadline_passed(struct core *core, struct timer *timer)
{
    context_update(core, container_of(timer, struct context, timer));
}

/* ---- birth ---- */

static int plan_check(const struct core *core, const struct context_plan *plan)
{
    const struct request_ctx_new *what = plan->what;

    if (plan->parent && plan->parent->depth >= core->limits.context_depth_max)
        return -E2BIG;
    if (what->values_n > CTX_VALUES_MAX || bindings_bytes(what) > core->limits.context_bytes_max)
        return -E2BIG;
    for (size_t i = 0; i < what->values_n; i++)
        if (what->values[i].value.size > UINT16_MAX)
            return -E2BIG;
    return 0;
}

static int charge(struct core *core, const struct context_plan *plan)
{
    int r = account_charge(core, plan->account, SLOT_CONTEXTS, 1);

    if (r == 0 && !plan->owner && (r = account_charge(core, plan->account, SLOT_DETACHED, 1)) < 0)
        account_release(plan->account, SLOT_CONTEXTS, 1);
    return r;
}

/* Everything that can fail. */
static int reserve(struct core *core, const struct context_plan *plan, struct context **out)
{
    const struct request_ctx_new *what = plan->what;
    size_t text = what->name.size + what->values_n * sizeof(struct binding) + bindings_bytes(what);
    struct contexts *all = &core->contexts;

    if (map_reserve(core, &all->by_id, 1) < 0 || map_reserve(core, &all->by_name, 1) < 0)
        return -ENOMEM;
    struct context *c = core_alloc(core, sizeof(*c) + text);
    if (!c)
        return -ENOMEM;
    bool caused = what->cause.size && !plan->clamped;
    c->late = caused ? cause_new(core, what->cause) : NULL;
    int r = caused && !c->late ? -ENOMEM : timers_reserve(core);
    if (r == 0 && (r = charge(core, plan)) < 0)
        timers_unreserve(core);
    if (r < 0) {
        cause_drop(core, c->late);
        core_free(core, c);
        return r;
    }
    *out = c;
    return 0;
}

static void context_create(struct context *c, const struct context_plan *plan)
{
    struct list *lists[] = {&c->sibling, &c->children, &c->owned, &c->ending,
                            &c->bonds,   &c->watchers, &c->heir,  &c->heirs};
    const struct request_ctx_new *what = plan->what;

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        list_init(lists[i]);
    c->parent = plan->parent;
    c->owner = plan->owner;
    c->account = account_ref(plan->account);
    c->uid = plan->account->uid;
    c->detached = !plan->owner;
    c->deadline_ns = plan->deadline_ns;
    c->flags = what->flags;
    c->late_code = plan->clamped ? 0 : what->code;
    c->values_n = (uint16_t)what->values_n;
    c->name_size = (uint8_t)what->name.size;
    bindings_put(put(c->text, what->name.data, what->name.size), what);
}

/* Under its parent and its owner. */
static void context_join(struct core *core, struct context *c)
{
    struct context *parent = c->parent;
    bool ends_with = parent && !(c->flags & CTX_WITHOUT_CANCEL);

    if (parent) {
        list_append(&parent->heirs, &c->heir);
        c->depth = parent->depth + 1;
    }
    if (c->owner) {
        c->owner->contexts_n++;
        list_append(&c->owner->contexts, &c->owned);
    }
    if (ends_with && parent->status)
        return context_inherit(core, c, parent);
    if (ends_with) {
        list_append(&parent->children, &c->sibling);
        parent->children_n++;
    }
    if (c->deadline_ns < (ends_with ? parent->deadline_ns : INT64_MAX))
        timer_arm(core, &c->timer, c->deadline_ns, deadline_passed);
}

int context_make(struct core *core, const struct context_plan *plan, struct context **out)
{
    struct contexts *all = &core->contexts;
    struct context *c;
    int r = plan_check(core, plan);

    if (r < 0 || (r = reserve(core, plan, &c)) < 0)
        return r;
    context_create(c, plan);
    c->id = core->incarnation << ID_SEQUENCE_BITS | ++all->last;
    map_add(&all->by_id, &c->by_id, core_hash_number(core, c->id));
    c->named = c->name_size;
    if (c->named)
        map_add(&all->by_name, &c->by_name, core_hash(core, c->text, c->name_size));
    context_join(core, c);
    context_update(core, c);
    *out = c;
    return 0;
}

/* ---- death ---- */

void context_unname(struct core *core, struct context *c)
{
    if (c->named)
        map_remove(&core->contexts.by_name, &c->by_name);
    c->named = false;
}

void context_free(struct core *core, struct context *c)
{
    context_unname(core, c);
    map_remove(&core->contexts.by_id, &c->by_id);
    list_remove(&c->heir);
    timer_disarm(core, &c->timer);
    timers_unreserve(core);
    cause_drop(core, c->cause);
    cause_drop(core, c->late);
    account_release(c->account, SLOT_CONTEXTS, 1);
    if (c->detached)
        account_release(c->account, SLOT_DETACHED, 1);
    account_drop(core, c->account);
    core_free(core, c);
}

static void kept_long_enough(struct core *core, struct timer *timer)
{
    struct context *c = container_of(timer, struct context, timer);

    c->dropped = true;
    context_settle(core, c);
}

/* Nobody has it, nor can ask for it. */
static bool is_relic(const struct context *c)
{
    return c->status && c->dropped && !c->owner && !list_linked(&c->ending);
}

/* Of what is there for those below it alone the first of them pays, up to the root. */
static void heirs_pay(struct core *core, struct context *c)
{
    for (; c && is_relic(c); c = c->parent) {
        if (c->detached)
            account_release(c->account, SLOT_DETACHED, 1);
        c->detached = false;
        account_move(core, &c->account, list_first(&c->heirs, struct context, heir)->account, SLOT_CONTEXTS);
    }
}

void context_settle(struct core *core, struct context *c)
{
    while (c && c->status && !list_linked(&c->ending) && !c->owner) {
        struct context *parent = c->parent;

        if (!c->dropped) {
            if (!timer_armed(&c->timer))
                timer_arm(core, &c->timer,
                          time_after(core->now.mono_ns, (int64_t)core->limits.op_status_s * 1000000000),
                          kept_long_enough);
            return;
        }
        if (!list_empty(&c->heirs))
            return heirs_pay(core, c);
        context_free(core, c);
        c = parent;
    }
}

void context_disown(struct context *c)
{
    list_remove(&c->owned);
    if (c->owner)
        c->owner->contexts_n--;
    c->owner = NULL;
}

void context_drop(struct core *core, struct context *c)
{
    assert(c->status && "only what has ended is dropped");
    context_unname(core, c);
    context_disown(c);
    timer_disarm(core, &c->timer);
    c->dropped = true;
    context_settle(core, c);
}
