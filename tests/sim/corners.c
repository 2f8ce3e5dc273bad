/*
 * Mistakes of the stranger that need more than one operation, or that the encoding of frames would turn away before the core
 * sees them. Nobody judges the answers; the invariants of the core and what is left in the end tell whether one did harm. He
 * acknowledges each answer, so that his window stays open, and waits for nothing.
 */
#include <string.h>

#include "inspect.h"
#include "objects.h"
#include "stranger.h"

enum { BIG = 5000, FIRST_CLOSABLE = 8, DURABLE = 10 /* slots */ };

static const char big[BIG];

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

/* Whether it was answered with success; what with, in *how. */
static bool asks(struct stranger *s, struct request request, struct outcome *how)
{
    struct outcome own;

    how = how ? how : &own;
    request.until.kind = UNTIL_NOW;
    stranger_asks(s, request);
    if (!core_outcome(s->sim->daemon.core, &s->secret, s->op, how))
        return false;
    const struct ack ack = {.op = s->op};
    stranger_says(s, &(struct client_frame){.acks = &ack, .acks_n = 1});
    return how->status >= 0;
}

#define ASK(s, ...) asks(s, (struct request){__VA_ARGS__}, NULL)

/* ---- names and sizes ---- */

static void name_wrongly(struct stranger *s)
{
    const struct bytes names[] = {text("white space"), {big, 300}, {0}};
    const struct bytes name = names[below(s->sim, 3)];

    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.name = name, .type_tag = {big, 300}});
    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.type_tag = {big, 300}});
    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.flags = UINT32_MAX});
    ASK(s, .verb = VERB_CHAN_UNLINK, .chan_unlink = {name});
    ASK(s, .verb = VERB_QUEUE_SET, .queue_set = {name, text("weight=1")});
    ASK(s, .verb = VERB_PING, .ping = {{big, sizeof(big)}});
    ASK(s, .verb = VERB_SELECT);
    ASK(s, .verb = VERB_CALLERS, .callers = {1});
}

/* Of a channel that is there, all that it is not. */
static void open_otherwise(struct stranger *s)
{
    static const char *const names[] = {"sim.0.0", "sim.2.0", "sim.3.0", "sim.10.0", "sim.11.0"};
    const struct bytes name = text(names[below(s->sim, 5)]);
    struct outcome there;

    if (!asks(s, (struct request){.verb = VERB_CHAN_OPEN, .chan_open = {.name = name}}, &there))
        return;
    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.name = name, .flags = OPEN_CREATE, .capacity = 77});
    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.name = name, .flags = OPEN_CREATE, .capacity = 3});
    ASK(s, .verb = VERB_CHAN_OPEN,
        .chan_open = {.name = name, .flags = OPEN_CREATE | OPEN_DURABLE | OPEN_AT_MOST_ONCE, .capacity = 3});
    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.name = name, .type_tag = text("other")});
    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.name = name, .flags = OPEN_CREATE, .value_bytes_max = 77});
    ASK(s, .verb = VERB_SEND, .send = {.handle = there.handle});
    ASK(s, .verb = VERB_RECV, .recv = {.handle = there.handle});
    ASK(s, .verb = VERB_CHAN_DROP, .chan_drop = {there.handle});
}

/* Durable channels that cannot be, under a name that none has. */
static void open_durably(struct stranger *s)
{
    const struct bytes name = text("sim.stranger");

    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.flags = OPEN_DURABLE | OPEN_CREATE, .capacity = 1});
    ASK(s, .verb = VERB_CHAN_OPEN, .chan_open = {.name = name, .flags = OPEN_DURABLE | OPEN_CREATE});
    ASK(s, .verb = VERB_CHAN_OPEN,
        .chan_open = {
            .name = name, .flags = OPEN_DURABLE | OPEN_CREATE, .capacity = 1, .full = FULL_DROP_OLDEST});
    ASK(s, .verb = VERB_CHAN_OPEN,
        .chan_open = {.name = name, .flags = OPEN_DURABLE | OPEN_CREATE | OPEN_OWNER_CLOSES, .capacity = 1});
}

/* ---- jobs ---- */

static void submit_wrongly(struct stranger *s)
{
    static const uint64_t many[100], endless[] = {UINT64_MAX};
    const struct request_submit good = {.plugin = text("/p/0.so"), .function = text("run")};
    struct request_submit bad[9];

    for (size_t i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].priority = 10;
    bad[1].once_scope = 99;
    bad[2].after = many;
    bad[2].after_n = 100;
    bad[3].jitter = 101;
    bad[4].delays_ns = many;
    bad[4].delays_ns_n = 100;
    bad[5].delays_ns = endless;
    bad[5].delays_ns_n = 1;
    bad[6].key = (struct bytes){big, 300};
    bad[7].delay_ns = -1;
    bad[8].argument = (struct bytes){big, sizeof(big)};
    for (size_t i = 0; i < 9; i++)
        ASK(s, .verb = VERB_SUBMIT, .submit = bad[i]);
    ASK(s, .verb = VERB_JOB_RETRY, .job_retry = {.states = 1u << JOB_DONE});
    ASK(s, .verb = VERB_JOB_RETRY, .job_retry = {.queue = text("white space")});
    ASK(s, .verb = VERB_JOB_PURGE, .job_purge = {.states = 1u << JOB_READY});
    ASK(s, .verb = VERB_JOB_PURGE, .job_purge = {.older_ns = -1});
}

/* He is no worker, nor a host, and has no run. */
static void end_what_is_not_his(struct stranger *s)
{
    const struct request_transact what = {.job = 1, .run = 1};

    ASK(s, .verb = VERB_TRANSACT, .transact = what);
    ASK(s, .verb = VERB_DONE, .done = {.job = 1, .run = 1});
    ASK(s, .verb = VERB_WORK_EXTEND, .work_extend = {.job = 1, .run = 1});
    ASK(s, .verb = VERB_WORK_WATCH, .work_watch = {.job = 1, .run = 1});
    ASK(s, .verb = VERB_WORK_RESERVE, .work_reserve = {.functions = text("none"), .max = 1000});
    ASK(s, .verb = VERB_DONE, .done = {.job = 1, .run = 1});
}

/* ---- sync objects ---- */

/* M3. Of a lock that is not judged. */
static void claim_lock(struct stranger *s)
{
    const struct bytes name = lock_name(COND_LOCK);
    struct outcome mine;

    ASK(s, .verb = VERB_LOCK, .lock = {.name = text("sim.stranger"), .flags = LOCK_CLAIM});
    if (!asks(s, (struct request){.verb = VERB_LOCK, .lock = {.name = name, .flags = LOCK_RECOVER}}, &mine))
        return;
    struct request claim = {.verb = VERB_LOCK, .lock = {name, LOCK_CLAIM, mine.handle}};
    asks(s, claim, NULL); /* before it is offered */
    ASK(s, .verb = VERB_UNLOCK, .unlock = {name, mine.handle, UNLOCK_OFFER});
    claim.lock.token++;
    asks(s, claim, NULL);
    claim.lock.token--;
    if (asks(s, claim, &mine))
        ASK(s, .verb = VERB_UNLOCK,
            .unlock = {name, mine.handle, chance(s->sim, 1, 2) ? UNLOCK_UNSEEN : UNLOCK_CONSISTENT});
}

/* E2: a context that ends with the first error of its group. */
static void group_context(struct stranger *s)
{
    const struct bytes name = object_name(SYNC_KINDS + SYNC_ERRGROUP);
    const struct request_sync_take take = {.kind = SYNC_ERRGROUP, .name = name, .units = 1, .size = MEMBERS};
    struct request_sync_take larger = take;
    struct outcome context;

    larger.size++;
    if (!asks(s, (struct request){.verb = VERB_CTX_NEW, .ctx_new = {.group = name}}, &context))
        return;
    ASK(s, .verb = VERB_CTX_NEW, .ctx_new = {.group = name}); /* it has one */
    if (chance(s->sim, 1, 4)) {
        ASK(s, .verb = VERB_CTX_CANCEL, .ctx_cancel = {.context = context.handle});
        return;
    }
    ASK(s, .verb = VERB_SYNC_TAKE, .sync_take = take);
    ASK(s, .verb = VERB_SYNC_TAKE, .sync_take = larger);
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = {.kind = SYNC_ERRGROUP, .name = name, .error = 5});
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = {.kind = SYNC_ERRGROUP, .name = name, .error = -5});
    ASK(s, .verb = VERB_CTX_INFO, .ctx_info = {.context = context.handle});
    ASK(s, .verb = VERB_SYNC_TAKE, .sync_take = take);
    ASK(s, .verb = VERB_CTX_NEW, .ctx_new = {.group = name}); /* over at once, where the error was not told */
}

static void write_wrongly(struct stranger *s)
{
    const struct bytes name = object_name(SYNC_KINDS + SYNC_RWMUTEX);
    struct request_sync_give give = {.kind = SYNC_RWMUTEX, .name = name};
    struct outcome mine;

    if (!asks(s, (struct request){.verb = VERB_SYNC_TAKE, .sync_take = {.kind = SYNC_RWMUTEX, .name = name}},
              &mine))
        return;
    give.token = mine.handle + 1;
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = give);
    give.token = 0;
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = give);
    ASK(s, .verb = VERB_SYNC_RESET, .sync_reset = {SYNC_RWMUTEX, name});
    give.token = mine.handle;
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = give);
    give.token = mine.handle;
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = give);
}

static void run_wrongly(struct stranger *s)
{
    uint32_t kind = chance(s->sim, 1, 2) ? SYNC_ONCE : SYNC_FLIGHT;
    struct request_sync_give give = {.kind = kind, .name = object_name(SYNC_KINDS + kind)};
    struct outcome mine;

    if (!asks(s, (struct request){.verb = VERB_SYNC_TAKE, .sync_take = {.kind = kind, .name = give.name}},
              &mine))
        return;
    give.token = mine.handle;
    give.error = 5;
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = give);
    give.error = 0;
    give.value = (struct bytes){big, sizeof(big)};
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = give);
    give.value.size = 0;
    give.token++;
    ASK(s, .verb = VERB_SYNC_GIVE, .sync_give = give);
}

/* Makes a queue, or sets what another stranger has made; it goes, comes again, or is left. */
static void make_queue(struct stranger *s)
{
    const struct bytes name = chance(s->sim, 1, 2) ? text("passing") : text("passing.too");
    uint64_t times = below(s->sim, 3);

    ASK(s, .verb = VERB_QUEUE_SET, .queue_set = {name, text("weight=2")});
    for (uint64_t i = 0; i < times; i++) {
        ASK(s, .verb = VERB_WORK_RESERVE, .work_reserve = {.queues = name});
        ASK(s, .verb = VERB_QUEUE_REMOVE, .queue_remove = {name});
        ASK(s, .verb = VERB_QUEUE_INFO, .queue_info = {name});
        ASK(s, .verb = VERB_QUEUE_SET, .queue_set = {name, text("retained_s=5")});
    }
    ASK(s, .verb = VERB_QUEUE_REMOVE, .queue_remove = {text("default")});
}

void stranger_corners(struct stranger *s)
{
    static void (*const deeds[])(struct stranger *) = {
        name_wrongly, open_otherwise, open_durably,  submit_wrongly, end_what_is_not_his,
        claim_lock,   group_context,  write_wrongly, run_wrongly,    make_queue,
    };
    uint64_t first = below(s->sim, sizeof(deeds) / sizeof(*deeds));

    for (uint64_t i = 0; i < 3; i++)
        deeds[(first + i) % (sizeof(deeds) / sizeof(*deeds))](s);
}
