/* Counters for people, and the two verbs about the daemon itself: PING and CLOCK_ADVANCE. */
#include <errno.h>
#include <string.h>

#include "kept.h"

enum { STATS_MAX = 128 };

struct rows {
    struct bytes prefix;
    struct counter row[STATS_MAX];
    size_t n;
};

static void say(void *context, const char *name, uint64_t value)
{
    struct rows *rows = context;
    struct bytes text = {name, strlen(name)};

    if (rows->n == STATS_MAX || text.size < rows->prefix.size ||
        (rows->prefix.size && memcmp(name, rows->prefix.data, rows->prefix.size) != 0))
        return;
    rows->row[rows->n++] = (struct counter){text, value};
}

static uint64_t account_bytes(const struct core *core)
{
    struct map_node *n = NULL;
    uint64_t bytes = 0;

    while ((n = map_walk(&core->accounts, n)))
        bytes += map_entry(n, struct account, node)->used[SLOT_BYTES];
    return bytes;
}

static void say_all(const struct core *core, struct rows *rows)
{
    say(rows, "accounts", core->accounts.count);
    say(rows, "bytes", account_bytes(core));
    say(rows, "channels", core->channels_n);
    say(rows, "channels.named", core->channels.count);
    say(rows, "connections", core->links.count);
    say(rows, "contexts", core->contexts.by_id.count);
    say(rows, "fetches", core->fetches.count);
    say(rows, "handles", core->handles.count);
    say(rows, "incarnation", core->incarnation);
    say(rows, "locks", core->syncs_n[SYNC_MUTEX]);
    say(rows, "ops", core->ops_n);
    say(rows, "ops.arrived", core->counters[COUNT_OPS]);
    say(rows, "ops.parked", core->parked_n);
    say(rows, "ops.refused", core->counters[COUNT_REFUSED]);
    say(rows, "results.kept", core->results_n);
    say(rows, "results.resent", core->counters[COUNT_RESENT]);
    say(rows, "sessions", core->sessions.count);
    say(rows, "sessions.begun", core->counters[COUNT_SESSIONS]);
    say(rows, "sessions.remembered", core->ended.count);
    say(rows, "store.asked", core->batch_last);
    say(rows, "store.done", core->batch_stored);
    say(rows, "syncs", core->syncs.count);
    say(rows, "syncs.holds", core->holds.count);
    say(rows, "timers", core->timers.count);
    say(rows, "topics.delayed", core->kept_topics->laters.count);
    say(rows, "topics.delivered", core->topics->delivered);
    say(rows, "topics.dropped", core->topics->dropped);
    say(rows, "topics.lasts", core->topics->lasts.by_topic.count);
    say(rows, "topics.lasts_bytes", core->topics->lasts.bytes);
    say(rows, "topics.lasts_refused", core->topics->lasts.refused);
    say(rows, "topics.published", core->topics->published);
    say(rows, "topics.publishes", core->topics->publishes);
    say(rows, "topics.subscriptions", core->topics->subscriptions);
    say(rows, "values.given_back", core->counters[COUNT_REDELIVERED]);
    jobs_stats(core, say, rows);
    if (core->tell_stats)
        core->tell_stats(core->shell, say, rows);
}

void core_set_stats(struct core *core, void (*tell)(void *shell, core_say *say, void *context), void *shell)
{
    core->tell_stats = tell;
    core->shell = shell;
}

int handle_stats(struct core *core, struct op *op, const struct request *request)
{
    struct rows rows = {.prefix = request->stats.prefix};

    say_all(core, &rows);
    return op_answer(core, op, &(struct result){.stats = rows.row, .stats_n = rows.n});
}

int handle_ping(struct core *core, struct op *op, const struct request *request)
{
    struct bytes payload = request->ping.payload;

    if (payload.size > core->limits.text_bytes_max)
        return -E2BIG;
    return payload.size ? op_answer(core, op, &(struct result){.output = payload}) : 0;
}

int handle_clock_advance(struct core *core, struct op *op, const struct request *request)
{
    struct effect *effect;

    if (request->clock_advance.ns <= 0)
        return -EINVAL;
    effect = effect_new(core, EFFECT_CLOCK, 0);
    if (!effect)
        return -ENOMEM;
    effect->clock_ns = request->clock_advance.ns;
    return 0;
}
