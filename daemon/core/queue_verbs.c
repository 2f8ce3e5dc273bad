/* What is asked of queues: setting, telling, pausing, purging. */
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"
#include "name_page.h"

enum {
    STATE_ROWS = 13,
    BREAKER_ROWS = 16, /* more are not told */
    ROWS = STATE_ROWS + POLICY_FIELDS + BREAKER_ROWS,
    ROW_BYTES = 64 + NAME_BYTES_MAX,
};
_Static_assert(ROW_BYTES >= 64 + POLICY_TEXT_BYTES, "a setting fits in a row");

static struct queue *find(struct core *core, struct op *op, struct bytes name, int *r)
{
    struct queue *queue = queue_find(core, name);

    if (queue)
        return queue;
    *r = -ENOENT;
    op_fail(core, op, *r, "no queue %.*s", (int)name.size, (const char *)name.data);
    return NULL;
}

int queue_asked(struct core *core, struct op *op, struct bytes name, struct queue **queue)
{
    int r = account_owns(core, op->scope->account) ? 0 : -EPERM;

    *queue = r == 0 ? find(core, op, name, &r) : NULL;
    return r;
}

static int keep(struct core *core, struct op *op, struct queue *queue, const struct queue_kept *kept)
{
    uint64_t batch = kept_set(core, queue, kept);

    if (!batch)
        return -ENOMEM;
    op_depends(op, batch);
    return 0;
}

/* The answer tells that it is new: so does who mistyped a name come to know. */
static int make(struct core *core, struct op *op, struct bytes name, const struct queue_kept *kept)
{
    struct queue *queue;
    int r = queue_make(core, op, name, &queue);

    if (r < 0)
        return r;
    r = keep(core, op, queue, kept);
    if (r < 0)
        queue_unmake(core, queue);
    else
        op->handle = 1;
    return r;
}

static int refuse_setting(struct core *core, struct op *op, struct bytes wrong)
{
    const char *text = wrong.data, *equals = memchr(text, '=', wrong.size);
    size_t name = equals ? (size_t)(equals - text) : wrong.size;
    int field = policy_field((struct bytes){text, name});
    char demand[128];

    if (field < 0)
        op_fail(core, op, -EINVAL, "'%.*s': there is no such setting of a queue", (int)name, text);
    else
        op_fail(core, op, -EINVAL, "'%.*s' is not %.*s", (int)wrong.size, text,
                (int)policy_demand((enum policy_field)field, demand, sizeof(demand)), demand);
    return -EINVAL;
}

int handle_queue_set(struct core *core, struct op *op, const struct request *request)
{
    const struct request_queue_set *set = &request->queue_set;
    struct queue *queue = queue_find(core, set->name);
    struct bytes wrong;

    if (!account_owns(core, op->scope->account))
        return -EPERM;
    struct queue_kept kept = queue ? kept_of(queue) : (struct queue_kept){.made = true},
                      asked = {.part = kept.part};
    if (kept_read(&asked, set->settings, &wrong) < 0)
        return refuse_setting(core, op, wrong);
    if (asked.paused_us || asked.pause_submits || asked.made)
        return -EINVAL;
    kept.part = asked.part;
    kept.made |= queue && !queue->configured; /* it was there for its jobs, and now it stays */
    return queue ? keep(core, op, queue, &kept) : make(core, op, set->name, &kept);
}

int handle_queue_pause(struct core *core, struct op *op, const struct request *request)
{
    const struct request_queue_pause *pause = &request->queue_pause;
    struct queue *queue;
    int r = queue_asked(core, op, pause->name, &queue);

    if (r < 0)
        return r;
    if (pause->for_ns < 0 || pause->what < PAUSE_BEGIN || pause->what > PAUSE_END)
        return -EINVAL;
    struct queue_kept kept = kept_of(queue);
    kept.pause_submits = pause->what == PAUSE_SUBMITS;
    kept.paused_us = pause->what == PAUSE_END ? 0
                     : pause->for_ns          ? time_after(core->now.wall_ns, pause->for_ns) / 1000
                                              : INT64_MAX;
    return keep(core, op, queue, &kept);
}

int handle_queue_purge(struct core *core, struct op *op, const struct request *request)
{
    struct queue *queue;
    int r = queue_asked(core, op, request->queue_purge.name, &queue);

    if (r < 0 || list_empty(&queue->waiting))
        return r;
    return purge_begin(core, queue, op);
}

/* ---- telling ---- */

struct rows {
    struct counter row[ROWS];
    char text[ROWS][ROW_BYTES];
    size_t n;
};

static void put(struct rows *rows, const char *origin, const char *name, struct bytes word, uint64_t value)
{
    char *to = rows->text[rows->n];
    size_t size = text_write(to, ROW_BYTES, "%s.%s%s%.*s", origin, name, word.size ? "=" : "", (int)word.size,
                             (const char *)word.data);

    rows->row[rows->n++] = (struct counter){.name = {to, size}, .value = value};
}

static uint64_t submits_n(const struct queue *queue)
{
    const struct waiter *w;
    uint64_t n = 0;

    list_each (w, &queue->submits, link)
        n++;
    return n;
}

/* Milliseconds; UINT64_MAX: until somebody ends it. */
static uint64_t pause_left(const struct core *core, const struct queue *queue)
{
    if (!gate_paused(core, queue))
        return 0;
    if (queue->paused_ns == INT64_MAX)
        return UINT64_MAX;
    return (uint64_t)(queue->paused_ns - core->now.mono_ns + 999999) / 1000000;
}

static void put_state(struct rows *rows, const struct core *core, const struct queue *queue)
{
    const struct {
        const char *name;
        uint64_t value;
    } states[] = {
        {"running", queue->running},
        {"ready", queue->ready},
        {"waiting", queue->waiting_n},
        {"waiting_bytes", queue->waiting_bytes},
        {"submits", submits_n(queue)},
        {"keys", queue->keys.count},
        {"pause_left", pause_left(core, queue)},
        {"pause_submits", queue->pause_submits && gate_paused(core, queue)},
        {"breakers_open", queue->broken},
        {"ended", queue->ended.n},
        {"dead", queue->dead.n},
        {"states_told", queue->states_told},
        {"states_lost", queue->states_lost},
    };

    for (size_t i = 0; i < STATE_ROWS; i++)
        put(rows, "state", states[i].name, (struct bytes){"", 0}, states[i].value);
}

/* Those that are not closed, each with the milliseconds until a job tries. */
static void put_breakers(struct rows *rows, const struct core *core, const struct queue *queue)
{
    size_t most = rows->n + BREAKER_ROWS;
    const struct track *track;
    char name[NAME_BYTES_MAX + 1];

    list_each (track, &queue->tracks, queue_link) {
        enum breaker_state state = track->breaker.state;
        if (state == BREAKER_CLOSED || rows->n == most)
            continue;
        name[text_write(name, sizeof(name), "%.*s", (int)track->function->name_size, track->function->name)] =
            '\0';
        put(rows, "breaker", name, (struct bytes){breaker_word(state), strlen(breaker_word(state))},
            breaker_left_ms(core, track));
    }
}

static void put_settings(struct rows *rows, const struct queue *queue)
{
    static const char *const origins[ORIGINS] = {"default", "config", "set"};
    struct queue_policy policy = queue->policy;
    char room[POLICY_TEXT_BYTES];

    for (int i = 0; i < POLICY_FIELDS; i++) {
        put(rows, origins[queue->origin[i]], policy_rows[i].name,
            policy_word(&policy, (enum policy_field)i, room), *policy_value(&policy, (enum policy_field)i));
    }
}

int handle_queue_info(struct core *core, struct op *op, const struct request *request)
{
    struct rows rows = {.n = 0};
    int r = 0;
    struct queue *queue = find(core, op, request->queue_info.name, &r);

    if (!queue)
        return r;
    put_state(&rows, core, queue);
    put_settings(&rows, queue);
    put_breakers(&rows, core, queue);
    return op_answer(core, op, &(struct result){.stats = rows.row, .stats_n = rows.n});
}

int handle_queue_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_queue_list *list = &request->queue_list;
    const struct queue *queue;
    struct name_page page;
    struct counter *row;
    int r = name_page_new(core, &page, sizeof(*row), list->prefix, list->after, list->limit);

    if (r < 0)
        return r;
    list_each (queue, &core->jobs->queues, link) {
        struct bytes name = {queue->name, queue->name_size};

        row = queue->removed ? NULL : name_page_place(&page, name);
        if (row)
            *row = (struct counter){.name = name, .value = queue->waiting_n};
    }
    r = op_answer(core, op,
                  &(struct result){.flags = name_page_flags(&page), .stats = page.row, .stats_n = page.n});
    core_free(core, page.row);
    return r;
}
