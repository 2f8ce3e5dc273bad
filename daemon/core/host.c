/*
 * Hosts: the processes that run jobs, one that takes jobs for each generation, others that are being drained.
 *
 *     STARTING ─► SERVING ─► DRAINING ─► KILLED       any of them ─► gone, when the shell says that it has ended
 *
 * A host is started when a ready job needs it, after a delay that doubles with each life that came to nothing.
 * When it ends, the run that its crash report names is guilty (or, without a report, the only one it had been
 * offered): that job failed by a crash. All others go back in front of their lines without an attempt. When several
 * had been offered and nothing says which, none is charged, and they start one at a time, the one offered last first:
 * the guilty one dies alone. Each has TRIAL_NS for that, so that one which waits for another is not held up for good.
 * A host stays until the shell has said that the process ended, and every run of it has been seen to.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

enum { SIGNAL_KILL = 9, DOUBLINGS_MAX = 20 };

#define TO(STATE) (1u << HOST_##STATE)

static const uint8_t moves[HOST_STATES] = {
    [HOST_STARTING] = TO(SERVING) | TO(KILLED),
    [HOST_SERVING] = TO(DRAINING) | TO(KILLED),
    [HOST_DRAINING] = TO(KILLED),
};

bool host_may(enum host_state from, enum host_state to)
{
    return moves[from] >> to & 1;
}

/* The one place that writes host->state. Only a starting or serving host is the one of its generation. */
static void host_move(struct core *core, struct host *host, enum host_state to)
{
    assert(host_may(host->state, to) && "a move that the table of states allows");
    host->state = (uint8_t)to;
    if (to != HOST_SERVING && host->generation->host == host)
        host->generation->host = NULL;
    dispatch_soon(core);
}

static int64_t after_ms(const struct core *core, uint64_t ms)
{
    return time_after(core->now.mono_ns, (int64_t)ms * 1000000);
}

static void fire(struct core *core, struct timer *timer);

static void generation_again(struct core *core, struct timer *timer)
{
    dispatch_soon(core);
}

/* ---- birth ---- */

static int tell_start(struct core *core, const struct generation *generation, uint64_t number, uint32_t uid)
{
    const struct plugin *plugin = generation->plugin;
    struct effect *effect =
        effect_new(core, EFFECT_HOST_START, generation->name_size + plugin->path_size + 32);

    if (!effect)
        return -ENOMEM;
    effect->host_start.host = number;
    effect->host_start.generation =
        effect_text(effect, (struct bytes){generation->name, generation->name_size});
    effect->host_start.path = effect_text(effect, (struct bytes){plugin->path, plugin->path_size});
    effect->host_start.uid = uid;
    return 0;
}

static void host_start(struct core *core, struct generation *generation, uint32_t uid)
{
    struct jobs *jobs = core->jobs;
    struct host *host = core_alloc(core, sizeof(*host));

    if (!host || timers_reserve(core) < 0) {
        core_free(core, host);
        return;
    }
    if (tell_start(core, generation, jobs->host_last + 1, uid) < 0) {
        timers_unreserve(core);
        core_free(core, host);
        return;
    }
    host->number = ++jobs->host_last;
    host->generation = generation;
    list_init(&host->runs);
    list_init(&host->dump.askers);
    list_append(&jobs->hosts, &host->link);
    generation->host = host;
    generation->hosts++;
    jobs->host_starts++;
    timer_arm(core, &host->timer, after_ms(core, core->limits.host_start_ms), fire);
}

struct host *host_find(const struct core *core, uint64_t number)
{
    struct host *host;

    list_each (host, &core->jobs->hosts, link)
        if (host->number == number)
            return host;
    return NULL;
}

static struct op *host_stream(const struct core *core, const struct host *host)
{
    struct op *op = host->session ? op_find(core, host->session, host->reserve) : NULL;

    return op && op->state == OP_PARKED ? op : NULL;
}

bool host_listens(const struct core *core, const struct host *host)
{
    return host_stream(core, host);
}

int host_tell(struct core *core, struct host *host, const struct offer *offer)
{
    struct op *op = host_stream(core, host);

    return op ? session_stream_push(core, op, &(struct result){.offer = offer}) : -ENOENT;
}

/* Suspects are told apart: the last one has not been alone for long enough. */
static bool on_trial(struct core *core, struct host *host)
{
    struct run *last = container_of(host->runs.prev, struct run, link);

    if (!host->generation->trials || list_empty(&host->runs))
        return false;
    if (!last->told)
        return true;
    int64_t until_ns = time_after(last->told_ns, TRIAL_NS);
    if (until_ns <= core->now.mono_ns)
        return false;
    timer_arm(core, &host->generation->again, until_ns, generation_again);
    return true;
}

struct host *host_ready(struct core *core, struct generation *generation, uint32_t uid)
{
    struct host *host = generation->host;

    if (!host && !timer_armed(&generation->again))
        host_start(core, generation, uid);
    if (!host || host->state != HOST_SERVING || host->offered >= host->window ||
        timer_armed(&generation->again) || on_trial(core, host))
        return NULL;
    if (host_stream(core, host))
        return host;
    host_drain(core, host, false); /* it takes its RESERVE back */
    return NULL;
}

/* ---- its session ---- */

void jobs_session_up(struct core *core, struct session *session)
{
    struct host *host = host_find(core, session->host);

    if (!host || host->session)
        return;
    host->session = session;
    session->host_part = host;
}

static int reserve_check(const struct core *core, const struct host *host,
                         const struct request_reserve *reserve)
{
    const struct generation *generation = host->generation;

    if (host->state == HOST_SERVING)
        return -EBUSY;
    if (host->state != HOST_STARTING)
        return -ESHUTDOWN;
    if (reserve->window == 0 || reserve->generation.size != generation->name_size ||
        memcmp(reserve->generation.data, generation->name, generation->name_size) != 0)
        return -EINVAL;
    return 0;
}

int handle_reserve(struct core *core, struct op *op, const struct request *request)
{
    struct host *host = op->scope->session->host_part;
    int r = host ? reserve_check(core, host, &request->reserve) : -EPERM;

    if (r == 0)
        r = op_stream(core, op);
    if (r == 0)
        r = op_park(core, op, WAIT_STREAM);
    if (r < 0)
        return r;
    host->reserve = op->id;
    host->window = request->reserve.window < core->limits.host_window ? request->reserve.window
                                                                      : core->limits.host_window;
    timer_disarm(core, &host->timer);
    host_move(core, host, HOST_SERVING);
    return 0;
}

/* ---- drain and kill ---- */

static void host_kill(struct core *core, struct host *host)
{
    struct effect *effect;

    if (host->state == HOST_KILLED)
        return;
    effect = effect_new(core, EFFECT_HOST_KILL, 0);
    if (!effect) {
        timer_arm(core, &host->timer, time_after(core->now.mono_ns, RETRY_NS), fire);
        return;
    }
    effect->host_kill.host = host->number;
    effect->host_kill.signal = SIGNAL_KILL;
    timer_disarm(core, &host->timer);
    host_move(core, host, HOST_KILLED);
}

static void return_unstarted(struct core *core, struct host *host)
{
    struct run *run, *after;

    list_each_safe (run, after, &host->runs, link)
        if (run->step == RUN_LOADING || run->step == RUN_OFFERED) {
            host->withdrew |= run->told;
            run_verdict(core, run, false, (struct bytes){0});
        }
}

void host_drain(struct core *core, struct host *host, bool forced)
{
    if (host->state == HOST_KILLED)
        return;
    if (host->state == HOST_STARTING)
        return host_kill(core, host);
    if (host->state == HOST_SERVING) {
        host_move(core, host, HOST_DRAINING);
        host_tell(core, host, &(struct offer){.kind = OFFER_DRAIN});
        return_unstarted(core, host);
    }
    if (forced && !host->forced) {
        host->forced = true;
        timer_arm(core, &host->timer, after_ms(core, core->limits.drain_ms), fire);
    }
    host_settle(core, host);
}

static void host_gone(struct core *core, struct host *host)
{
    struct generation *generation = host->generation;

    if (host->session)
        host->session->host_part = NULL;
    stacks_host_gone(core, host);
    list_remove(&host->link);
    timer_disarm(core, &host->timer);
    timers_unreserve(core);
    if (generation->host == host)
        generation->host = NULL;
    generation->hosts--;
    core_free(core, host);
    generation_settle(core, generation);
    dispatch_soon(core);
}

/* Runs of it that were given up may still unwind. */
static bool unwinding(const struct host *host)
{
    const struct run *run;

    list_each (run, &host->runs, link)
        if (timer_armed(&run->timer))
            return true;
    return false;
}

void host_settle(struct core *core, struct host *host)
{
    if (host->ended && list_empty(&host->runs))
        return host_gone(core, host);
    if (list_empty(&host->runs) && host->generation->trials && host->generation->host == host)
        timer_disarm(core, &host->generation->again); /* the next one need not wait */
    if (host->ended || host->state != HOST_DRAINING || host->busy || unwinding(host))
        return;
    if (!list_empty(&host->runs)) /* only runs that are stuck: nothing of value is left */
        host_kill(core, host);
    else if (!timer_armed(&host->timer))
        timer_arm(core, &host->timer, after_ms(core, core->limits.drain_ms), fire);
}

static void fire(struct core *core, struct timer *timer)
{
    struct host *host = container_of(timer, struct host, timer);

    core_log(core, LOG_LEVEL_WARN, "event=host_overdue host=%llu pid=%d state=%s",
             (unsigned long long)host->number, host->pid,
             host->state == HOST_STARTING ? "starting" : "draining");
    host_kill(core, host);
}

/* ---- its end ---- */

static bool working(const struct host *host)
{
    return host->state == HOST_STARTING || host->state == HOST_SERVING || host->busy;
}

void jobs_session_end(struct core *core, struct session *session)
{
    struct host *host = session->host_part;
    struct run *run, *after;

    runs_session_end(core, session);
    if (!host)
        return;
    session->host_part = NULL;
    host->session = NULL;
    list_each_safe (run, after, &host->runs, link) {
        if (run->job)
            run_lost(core, run);
        else
            run->scope = NULL;
    }
    host->died = host->state != HOST_KILLED && working(host);
    host_kill(core, host); /* a process that lives without a session is of no use */
}

/* Whom to charge when the crash report does not say: the only one the host knew of. It may have begun those whose
 * STARTED has not come; what was offered and taken back it may have begun as well. */
static uint64_t only_told(const struct host *host)
{
    const struct run *run;
    uint64_t number = 0;

    list_each (run, &host->runs, link) {
        if (!run->told)
            continue;
        if (number || host->withdrew)
            return 0;
        number = run->number;
    }
    return number;
}

/* Nothing says which of them it was. They change places in their lines: what was offered last goes first. */
static void try_apart(struct host *host)
{
    struct list *a = host->runs.next, *b = host->runs.prev;
    const struct run *run;
    uint64_t told = 0;

    list_each (run, &host->runs, link)
        told += run->told;
    if (told)
        host->generation->trials = told + 1; /* the last one is alone for a while, too */
    for (; a != b && b->next != a; a = a->next, b = b->prev) {
        struct job *first = container_of(a, struct run, link)->job,
                   *last = container_of(b, struct run, link)->job;
        if (!first || !last)
            continue;
        uint64_t ticket = first->ticket;
        first->ticket = last->ticket;
        last->ticket = ticket;
    }
}

static size_t end_words(char *to, size_t size, const struct input *in)
{
    const struct bytes *report = &in->host_end.text;

    if (report->size)
        return text_write(to, size, "%.*s", (int)report->size, (const char *)report->data);
    if (in->host_end.signal)
        return text_write(to, size, "its host was ended by signal %d", in->host_end.signal);
    return text_write(to, size, "its host exited with status %d", in->host_end.status);
}

static void judge_runs(struct core *core, struct host *host, uint64_t guilty, struct bytes text)
{
    struct run *run, *after;

    list_each_safe (run, after, &host->runs, link) {
        if (run->job)
            run_verdict(core, run, run->number == guilty, text);
        else
            run_forget(core, run);
    }
}

/* The next host of the generation waits, longer after each life that came to nothing. */
static void hold_off(struct core *core, struct generation *generation, bool proved)
{
    uint64_t doublings, ms = core->limits.host_restart_ms;

    generation->failures = proved ? 1 : generation->failures + 1;
    doublings = generation->failures - 1 < DOUBLINGS_MAX ? generation->failures - 1 : DOUBLINGS_MAX;
    ms <<= doublings;
    if (ms > core->limits.host_restart_max_ms)
        ms = core->limits.host_restart_max_ms;
    timer_arm(core, &generation->again, after_ms(core, ms), generation_again);
}

void host_pause(struct core *core, struct host *host)
{
    struct generation *generation = host->generation;

    if (generation->host == host)
        timer_arm(core, &generation->again, after_ms(core, core->limits.host_restart_ms), generation_again);
}

/* The process is gone, with these words about it. */
static void host_end(struct core *core, struct host *host, uint64_t guilty, struct bytes text)
{
    bool died = host->died || (host->state != HOST_KILLED && working(host));

    if (died) {
        core_log(core, LOG_LEVEL_ERROR, "event=host_died host=%llu pid=%d run=%llu text=\"%.*s\"",
                 (unsigned long long)host->number, host->pid, (unsigned long long)guilty,
                 (int)(text.size < 200 ? text.size : 200), (const char *)text.data);
        core->jobs->crashes++;
        hold_off(core, host->generation, host->proved);
    }
    if (died && !guilty) {
        guilty = only_told(host);
        if (!guilty)
            try_apart(host);
    }
    if (host->state != HOST_KILLED)
        host_move(core, host, HOST_KILLED);
    judge_runs(core, host, guilty, text);
    host->ended = true; /* only now: the last run may take the host with it */
    host_settle(core, host);
}

void jobs_host_up(struct core *core, const struct input *in)
{
    struct host *host = host_find(core, in->host_up.host);
    char text[64];

    if (!host || host->ended)
        return;
    host->pid = in->host_up.pid;
    if (in->host_up.error == 0)
        return;
    size_t size = text_write(text, sizeof(text), "it could not be started (error %d)", -in->host_up.error);
    host_end(core, host, 0, (struct bytes){text, size});
}

void jobs_host_end(struct core *core, const struct input *in)
{
    struct host *host = host_find(core, in->host_end.host);
    char text[4096];

    if (!host || host->ended)
        return;
    size_t size = end_words(text, sizeof(text), in);
    host_end(core, host, in->host_end.guilty_run, (struct bytes){text, size});
}

void hosts_free(struct core *core)
{
    struct host *host, *after_host;
    struct run *run, *after;

    list_each_safe (host, after_host, &core->jobs->hosts, link) {
        host->state = HOST_KILLED;
        list_each_safe (run, after, &host->runs, link) {
            run->scope = NULL;
            if (run->job)
                run_close(core, run);
            else
                run_forget(core, run);
        }
        host_gone(core, host);
    }
}

void host_check(const struct core *core)
{
    const struct host *host;
    const struct run *run;

    list_each (host, &core->jobs->hosts, link) {
        uint64_t busy = 0, offered = 0;
        list_each (run, &host->runs, link) {
            assert(run->host == host);
            run_check(core, run);
            busy += run->job != NULL;
            offered += run->step == RUN_LOADING || run->step == RUN_OFFERED;
        }
        assert(busy == host->busy && offered == host->offered);
        assert(host->state != HOST_STARTING || busy == 0);
        assert(host->generation->host != host || host->state <= HOST_SERVING);
        assert(host->state > HOST_SERVING || host->generation->host == host);
    }
}
