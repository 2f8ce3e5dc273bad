/*
 * Hosts: the processes that run jobs, one that takes jobs for each generation, others that are being drained.
 *
 *     STARTING ─► SERVING ─► DRAINING ─► KILLED       any of them ─► gone, when the shell says that it has ended
 *
 * A host is started when a ready job needs it, after a delay that doubles with each life that came to nothing.
 * When it ends, the run that its crash report names is guilty (or, without a report, the only one it had been
 * offered): that job failed by a crash. All others go back in front of their lines without an attempt. When several
 * had been offered and nothing says which, none is charged, and they start one at a time, the one offered last first:
 * the guilty one dies alone. Each has TRIAL_NS for that, so that one which waits for another is not held up for good, and
 * twice as long after each further death that nobody could be charged with: one that takes its time is found, too.
 * A host stays until the shell has said that the process ended, and every run of it has been seen to.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "worker.h"

enum { SIGNAL_KILL = 9 };

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

/* The one place that writes host->state. Only a starting or serving host takes jobs of its crew. */
static void host_move(struct core *core, struct host *host, enum host_state to)
{
    assert(host_may(host->state, to) && "a host moves as its table allows");
    if (host->state == HOST_SERVING)
        timer_disarm(core, &host->timer); /* it rested */
    host->state = (uint8_t)to;
    if (to != HOST_SERVING)
        crew_leaves(core, host);
    dispatch_soon(core);
}

static int64_t after_ms(const struct core *core, uint64_t ms)
{
    return time_after(core->now.mono_ns, (int64_t)ms * 1000000);
}

static void fire(struct core *core, struct timer *timer);

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

/* Its timers, and those of what it records. */
static int reserve(struct core *core)
{
    int r = timers_reserve(core);

    if (r == 0 && (r = recordings_reserve(core)) < 0)
        timers_unreserve(core);
    return r;
}

int host_launch(struct core *core, struct crew *crew, uint32_t uid)
{
    struct jobs *jobs = core->jobs;
    struct host *host = core_alloc(core, sizeof(*host));

    if (!host || reserve(core) < 0) {
        core_free(core, host);
        return -ENOMEM;
    }
    if (tell_start(core, crew->generation, jobs->host_last + 1, uid) < 0) {
        recordings_unreserve(core);
        timers_unreserve(core);
        core_free(core, host);
        return -ENOMEM;
    }
    recordings_init(host);
    host->number = ++jobs->host_last;
    list_init(&host->runs);
    list_init(&host->inspections);
    list_append(&jobs->hosts, &host->link);
    crew_joins(core, crew, host);
    jobs->host_starts++;
    timer_arm(core, &host->timer, host_start_until_ns(core), fire);
    return 0;
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

void host_rest(struct core *core, struct host *host, int64_t until_ns)
{
    if (host->state == HOST_SERVING &&
        !host->outside) /* a worker asks again when it likes, and has no timer */
        timer_arm(core, &host->timer, until_ns, fire);
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
    if (host->state != HOST_STARTING || !list_linked(&host->peers))
        return -ESHUTDOWN;
    if (reserve->window == 0 || !bytes_are(reserve->generation, generation->name, generation->name_size))
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

void host_process_kill(struct core *core, struct host *host)
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

static void return_runs(struct core *core, struct host *host, enum run_step step)
{
    struct run *run, *after;

    list_each_safe (run, after, &host->runs, link)
        if (run->step == step)
            run_verdict(core, run, false, (struct bytes){0});
}

void host_withdraw(struct core *core, struct host *host)
{
    host->withdrew = true;
    return_runs(core, host, RUN_OFFERED);
}

void host_drain(struct core *core, struct host *host, bool forced)
{
    if (host->state == HOST_KILLED)
        return;
    if (host->state == HOST_STARTING) {
        crew_leaves(core, host); /* also while memory is out for its kill */
        return host_process_kill(core, host);
    }
    if (host->state == HOST_SERVING) {
        host_move(core, host, HOST_DRAINING);
        host_tell(core, host, &(struct offer){.kind = OFFER_DRAIN});
        if (PLANTED(TAKEN_RUN))
            return_runs(core, host, RUN_OFFERED);
        return_runs(core, host, RUN_LOADING); /* what it was told it begins, or gives back: only it knows */
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
    recordings_fini(core, host);
    list_remove(&host->link);
    timer_disarm(core, &host->timer);
    timers_unreserve(core);
    crew_ended(core, host);
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
    if (host->outside)
        return worker_settle(core, host);
    if (host->ended && list_empty(&host->runs))
        return host_gone(core, host);
    if (list_empty(&host->runs) && host->crew->trials && host->state == HOST_SERVING)
        timer_disarm(core, &host->timer); /* the next one need not wait */
    if (host->ended || host->state != HOST_DRAINING || host->busy || unwinding(host))
        return;
    if (!list_empty(&host->runs)) /* only runs that are stuck: nothing of value is left */
        host_process_kill(core, host);
    else if (!timer_armed(&host->timer))
        timer_arm(core, &host->timer, after_ms(core, core->limits.drain_ms), fire);
}

static void fire(struct core *core, struct timer *timer)
{
    struct host *host = container_of(timer, struct host, timer);

    if (host->state == HOST_SERVING)
        return dispatch_soon(core); /* it has rested */
    core_log(core, LOG_LEVEL_WARN, "event=host_overdue host=%llu pid=%d state=%s",
             (unsigned long long)host->number, host->pid,
             host->state == HOST_STARTING ? "starting" : "draining");
    host_process_kill(core, host);
}

/* ---- its end ---- */

static bool working(const struct host *host)
{
    return host->state == HOST_STARTING || host->state == HOST_SERVING || host->busy;
}

void jobs_session_end(struct core *core, struct session *session, int error)
{
    struct host *host = session->host_part;
    struct run *run, *after;

    runs_session_end(core, session);
    if (!host)
        return;
    session->host_part = NULL;
    host->session = NULL;
    if (host->outside)
        return worker_session_end(core, host, error == 0);
    list_each_safe (run, after, &host->runs, link) {
        if (run->job)
            run_lost(core, run);
        else
            run->scope = NULL;
    }
    host->died = host->state != HOST_KILLED && working(host);
    host_process_kill(core, host); /* a process that lives without a session is of no use */
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

/* The order within its key is promised. */
static bool keeps_place(const struct job *job)
{
    return key_has_order(job->lane->key);
}

/* Nothing says which of them it was. They change places in their lines: what was offered last goes first. */
static void try_apart(struct core *core, struct host *host)
{
    struct list *a = host->runs.next, *b = host->runs.prev;
    const struct run *run;
    uint64_t told = 0;

    list_each (run, &host->runs, link)
        told += run->told;
    if (told)
        crew_suspects(core, host->crew, told);
    for (; a != b && b->next != a; a = a->next, b = b->prev) {
        struct job *first = container_of(a, struct run, link)->job,
                   *last = container_of(b, struct run, link)->job;
        if (!first || !last || keeps_place(first) || keeps_place(last))
            continue;
        int64_t ticket = first->ticket;
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

void host_pause(struct core *core, struct host *host)
{
    host_rest(core, host, after_ms(core, core->limits.host_restart_ms));
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
        crew_hold_off(core, host->crew, host->proved);
    }
    if (died && !guilty) {
        guilty = only_told(host);
        if (!guilty)
            try_apart(core, host);
    }
    if (guilty)
        host->crew->unsolved = 0;
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
    core->jobs->out_of_memory += in->host_end.out_of_memory;
    size_t size = end_words(text, sizeof(text), in);
    host_end(core, host, in->host_end.guilty_run, (struct bytes){text, size});
}

void hosts_free(struct core *core)
{
    struct host *host, *after_host;
    struct run *run, *after;

    list_each_safe (host, after_host, &core->jobs->hosts, link) {
        host->state = HOST_KILLED;
        host->ended = false; /* it goes below, not with the last of its runs */
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
            assert(run->host == host && "a host knows its runs");
            run_check(core, run);
            busy += run->job != NULL;
            offered += run->step == RUN_LOADING || run->step == RUN_OFFERED;
        }
        recordings_check(host);
        assert(busy == host->busy && offered == host->offered && "a host counts its runs");
        assert(host->inspections_n <= core->limits.inspections_max && "only so many ask a host at once");
        assert((host->state != HOST_STARTING || busy == 0) && "a host that is being started runs nothing");
        assert((host->state != HOST_SERVING || list_linked(&host->peers)) &&
               "a host that takes jobs is of a crew");
    }
}
