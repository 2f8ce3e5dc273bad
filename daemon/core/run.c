/*
 * Runs: one dispatch of one job to one host, from the fetch of its argument to its end.
 *
 *     LOADING ─► OFFERED ─► STARTED ─► CANCELLING ─► OVER       OVER: the job has gone on, the host has not
 *         └─────────┴──────────┴───────────┴──► LOST            LOST: the host's session is over
 *
 * A cancel escalates: OFFER_CANCEL ends the context; after the grace the scope ends and the job goes on without this
 * run; a host that is still busy with it after unwind_ms is drained by force, and killed at the end of that.
 * The number of a run is its fencing token; nothing is taken from a host for another one (-ESTALE).
 * A scope ends in jobs_turn, in the same step: the operation that brought the end may belong to it.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "job_states.h"
#include "pool.h"
#include "worker.h"

#define TO(STEP) (1u << RUN_##STEP)

static const uint8_t moves[RUN_STEPS] = {
    [RUN_LOADING] = TO(OFFERED) | TO(LOST),
    [RUN_OFFERED] = TO(STARTED) | TO(CANCELLING) | TO(LOST),
    [RUN_STARTED] = TO(CANCELLING) | TO(LOST),
    [RUN_CANCELLING] = TO(OVER) | TO(LOST),
    [RUN_LOST] = TO(LOST),
};

bool run_may(enum run_step from, enum run_step to)
{
    return moves[from] >> to & 1;
}

static bool in_window(const struct run *run)
{
    return run->step == RUN_LOADING || run->step == RUN_OFFERED;
}

/* The one place that writes run->step. The window of the host follows; nobody waits for the argument of a lost
 * run any more. */
static void run_move(struct core *core, struct run *run, enum run_step to)
{
    assert(run_may(run->step, to) && "a run moves as its table allows");
    if (run->step == RUN_LOADING && to == RUN_LOST)
        core_fetch_forget(core, run);
    run->host->offered -= in_window(run);
    run->step = (uint8_t)to;
    run->host->offered += in_window(run);
    dispatch_soon(core);
}

/* ---- birth and death ---- */

static struct run *run_new(struct core *core, struct job *job, struct host *host)
{
    struct run *run = core_alloc(core, sizeof(*run));

    if (!run || timers_reserve(core) < 0) {
        core_free(core, run);
        return NULL;
    }
    list_init(&run->closing);
    list_init(&run->place);
    list_init(&run->watchers);
    run->limit_at_ns = run->lease_at_ns = INT64_MAX;
    list_append(&host->runs, &run->link);
    run->job = job;
    run->host = host;
    host->offered++;
    return run;
}

static void run_free(struct core *core, struct run *run)
{
    list_remove(&run->link);
    list_remove(&run->closing);
    worker_forget(core, run);
    timer_disarm(core, &run->timer);
    timers_unreserve(core);
    if (run->step == RUN_LOADING)
        core_fetch_forget(core, run);
    core_free(core, run->progress);
    core_free(core, run);
}

/* Takes it from its job and from the work of its host. */
static void detach(struct core *core, struct run *run)
{
    breaker_left(core, run);
    run->job->work->run = NULL;
    run->job = NULL;
    run->host->busy--;
    pool_run_leaves(core, run->host);
    core->jobs->runs--;
    timer_disarm(core, &run->timer);
    if (run->scope && !list_linked(&run->closing))
        list_append(&core->jobs->closing, &run->closing);
}

void run_forget(struct core *core, struct run *run)
{
    struct host *host = run->host;

    host->offered -= in_window(run);
    list_remove(&run->link);
    run->host = NULL;
    if (list_linked(&run->closing)) {
        run->step = RUN_OVER;     /* runs_turn frees it */
        worker_forget(core, run); /* before that its reserve may end */
    } else {
        run_free(core, run);
    }
    dispatch_soon(core);
    host_settle(core, host);
}

void run_close(struct core *core, struct run *run)
{
    detach(core, run);
    run_forget(core, run);
}

void runs_turn(struct core *core)
{
    struct run *run, *after;

    list_each_safe (run, after, &core->jobs->closing, closing) {
        struct scope *scope = run->scope;
        list_remove(&run->closing);
        run->scope = NULL;
        if (!run->host)
            run_free(core, run);
        if (scope)
            scope_end(core, scope);
    }
}

void runs_session_end(struct core *core, const struct session *session)
{
    struct run *run;

    list_each (run, &core->jobs->closing, closing)
        if (run->scope && run->scope->session == session)
            run->scope = NULL;
}

/* ---- the offer ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t run_left_ns(const struct core *core, const struct job *job)
{
    int64_t deadline_ns = job_deadline_ns(job);
    int64_t left = deadline_ns == INT64_MAX ? INT64_MAX : deadline_ns - core->now.mono_ns;

    if (job->terms->time_limit_ns)
        left = earlier(left, job->terms->time_limit_ns);
    return left == INT64_MAX ? 0 : left > 0 ? left : 1;
}

static void fire(struct core *core, struct timer *timer);

void run_time(struct core *core, struct run *run)
{
    int64_t at_ns = earlier(run->limit_at_ns, run->lease_at_ns);

    if (at_ns == INT64_MAX)
        timer_disarm(core, &run->timer);
    else
        timer_arm(core, &run->timer, at_ns, fire);
}

static void note_told(struct core *core, struct run *run)
{
    run->told = true;
    run->told_ns = core->now.mono_ns;
    run_move(core, run, RUN_OFFERED);
}

static int offer(struct core *core, struct run *run, struct bytes argument)
{
    struct job *job = run->job;
    struct offer words = {
        .kind = OFFER_RUN,
        .job = job->id,
        .run = run->number,
        .attempt = job_work(job)->attempt,
        .argument = argument,
        .function = {job->lane->function->name, job->lane->function->name_size},
        .time_left_ns = run_left_ns(core, job),
        .context = job_bond(job) ? bond_context(job_bond(job)) : 0,
        .after_n = job->parts ? job->parts->after_n : 0,
        .after_done = job->parts ? job->parts->after_done : 0,
    };

    if (run->host->outside)
        return worker_gather(core, run, argument);
    run->scope = scope_new(core, run->host->session, run->number, job->terms->account);
    if (!run->scope)
        return -ENOMEM;
    run->scope->job = job;
    int r = host_tell(core, run->host, &words);
    if (r < 0)
        return r;
    note_told(core, run);
    timer_arm(core, &run->timer, host_start_until_ns(core), fire);
    return 0;
}

static void loaded(struct core *core, struct op *op, void *context, const struct input *in)
{
    struct run *run = context;
    struct job *job = run->job;
    int error = in->fetched.error;

    if (error == -ENOMEM || (error == 0 && offer(core, run, in->fetched.body) < 0)) {
        run_verdict(core, run, false, (struct bytes){0});
        return;
    }
    if (error == 0)
        return;
    job_say(core, job, "its argument cannot be read from the store (error %d)", -error);
    if (job_failed(core, job, CAUSE_ERROR, error, true) < 0)
        run_verdict(core, run, false, (struct bytes){0});
    else
        run_close(core, run);
}

/* With the argument that memory has, or the store. Told nothing when that fails. */
static int load(struct core *core, struct run *run)
{
    struct job *job = run->job;
    struct fetch what = {.kind = FETCH_ARGUMENT, .job = job->id};

    if (!job->kept)
        return core_fetch(core, &what, loaded, NULL, run);
    int r = offer(core, run, (struct bytes){job->body, job->body_size});
    if (r == 0)
        job_forget_argument(core, job);
    return r;
}

int run_start(struct core *core, struct job *job, struct host *host)
{
    struct jobs *jobs = core->jobs;
    struct run *run = job_work_get(core, job) ? run_new(core, job, host) : NULL;
    struct notice *told;

    if (!run)
        return -ENOMEM;
    run->number = core->incarnation << RUN_INCARNATION_SHIFT | ++jobs->run_last;
    int r = state_ready_to(core, job, JOB_RUNNING, run->number, &told);
    if (r == 0)
        r = load(core, run);
    if (r < 0) {
        notice_delete(core, told);
        host->offered--;
        if (run->scope)
            scope_end(core, run->scope);
        run_free(core, run);
        return r;
    }
    job->work->run = run;
    job->work->run_last = run->number;
    host->busy++;
    pool_run_begins(host);
    host->crew->trials -= host->crew->trials > 0;
    jobs->runs++;
    jobs->dispatched++;
    if (host->outside)
        worker_take(core, run);
    job_running(core, job);
    state_tell(core, job, told, job_work(job)->batch);
    breaker_started(core, run);
    return 0;
}

struct run *run_find(const struct core *core, const struct host *host, uint64_t id, uint64_t number)
{
    const struct job *job = job_find(core, id);
    struct run *run = job ? job_run(job) : NULL;
    bool told = run && run->step != RUN_LOADING && run->step != RUN_LOST;

    return told && (run->number == number || PLANTED(OLD_RUN)) && run->host == host ? run : NULL;
}

void run_begin(struct core *core, struct run *run)
{
    struct job *job = run->job;

    if (run->begun)
        return;
    run->begun = true;
    job->work->started_us = core->now.wall_ns / 1000;
    if (run->step != RUN_OFFERED)
        return;
    run_move(core, run, RUN_STARTED);
    if (job->terms->time_limit_ns)
        run->limit_at_ns = time_after(core->now.mono_ns, job->terms->time_limit_ns);
    run_time(core, run);
}

void run_given(struct core *core, struct run *run, int64_t lease_ns)
{
    if (PLANTED(ENDLESS_LEASE))
        lease_ns *= 1000;
    run->lease_at_ns = time_after(core->now.mono_ns, lease_ns);
    note_told(core, run);
    run_begin(core, run);
}

/* ---- ends ---- */

int run_succeeded(struct core *core, struct run *run, struct bytes result)
{
    struct job *job = run->job;
    enum job_cause cause = CAUSE_NONE;

    job_say_bytes(core, job, (struct bytes){0});
    int r = job_end(core, job, JOB_DONE, cause, 0, result);
    if (r < 0)
        return r;
    run->host->proved = true;
    pool_run_ended(run->host);
    breaker_judge(core, run, false);
    run_close(core, run);
    return 0;
}

int run_failed(struct core *core, struct run *run, enum job_cause cause, int error, struct bytes text)
{
    struct job *job = run->job;
    bool timeout = run->cause == CAUSE_TIMEOUT && cause != CAUSE_CRASH;

    if (text.size || !run->cause)
        job_say_bytes(core, job, text);
    int r = job_failed(core, job, timeout ? CAUSE_TIMEOUT : cause, timeout ? -ETIMEDOUT : error, run->final);
    if (r < 0)
        return r;
    run->host->proved = run->host->proved || cause != CAUSE_CRASH;
    pool_run_ended(run->host);
    run_close(core, run);
    return 0;
}

int run_returned(struct core *core, struct run *run)
{
    struct job *job = run->job;
    struct bytes none = {0};
    int r = 0;

    if (job->cause == CAUSE_CANCELED)
        r = job_end(core, job, JOB_CANCELLED, CAUSE_CANCELED, -ECANCELED, none);
    else if (run->final || job_deadline_ns(job) <= core->now.mono_ns)
        r = job_end(core, job, JOB_FAILED, CAUSE_TIMEOUT, -ETIMEDOUT, none);
    else
        r = job_returned(core, job);
    if (r == 0)
        run_close(core, run);
    return r;
}

/* ---- cancel and time ---- */

static int tell_cancel(struct core *core, struct run *run)
{
    const struct job *job = run->job;
    struct offer words = {.kind = OFFER_CANCEL,
                          .job = job->id,
                          .run = run->number,
                          .cause = run->cause,
                          .grace_ns = job->terms->grace_ns,
                          .text = {job_work(job)->text, job_work(job)->text_size}};

    return host_tell(core, run->host, &words);
}

int run_cancel(struct core *core, struct run *run, enum job_cause cause, bool final)
{
    run->final = run->final || final;
    if (run->step == RUN_LOADING)
        return run_returned(core, run);
    if (run->step != RUN_OFFERED && run->step != RUN_STARTED)
        return 0;
    run->cause = (uint8_t)cause;
    tell_cancel(core, run); /* when memory is out the grace still runs */
    run_move(core, run, RUN_CANCELLING);
    timer_arm(core, &run->timer, time_after(core->now.mono_ns, run->job->terms->grace_ns), fire);
    worker_cancel(core, run);
    return 0;
}

/* The grace is over. The job goes on without this run, and its scope ends: what parks in it unwinds. */
static int abandon(struct core *core, struct run *run)
{
    struct job *job = run->job;
    struct host *host = run->host;
    struct offer words = {.kind = OFFER_SCOPE_END, .job = job->id, .run = run->number};
    enum job_cause cause = run->cause;

    job_say(core, job, "%s, and it did not end within its grace of %lld ms",
            cause == CAUSE_TIMEOUT ? "its time was up" : "it was cancelled",
            (long long)job->terms->grace_ns / 1000000);
    int r = job_failed(core, job, cause, cause == CAUSE_TIMEOUT ? -ETIMEDOUT : -ECANCELED, run->final);
    if (r < 0)
        return r;
    core_log(core, LOG_LEVEL_WARN, "event=run_abandoned job=%llu run=%llu host=%llu",
             (unsigned long long)words.job, (unsigned long long)run->number,
             (unsigned long long)host->number);
    if (host->outside) /* its process is not ours: what it still says is stale */
        return run_close(core, run), 0;
    host_tell(core, host, &words);
    detach(core, run);
    run_move(core, run, RUN_OVER);
    int64_t patience_ns = (int64_t)core->limits.unwind_ms * 1000000;
    timer_arm(core, &run->timer, time_after(core->now.mono_ns, patience_ns), fire);
    return 0;
}

/* The end of its scope did not get it to unwind: it spins, and only the end of its process helps. */
static int stuck(struct core *core, struct run *run)
{
    core_log(core, LOG_LEVEL_WARN, "event=run_stuck run=%llu host=%llu", (unsigned long long)run->number,
             (unsigned long long)run->host->number);
    host_drain(core, run->host, true);
    return 0;
}

static int offer_unheard(struct core *core, struct run *run)
{
    struct host *host = run->host;

    core_log(core, LOG_LEVEL_WARN, "event=offer_unheard job=%llu run=%llu host=%llu",
             (unsigned long long)run->job->id, (unsigned long long)run->number,
             (unsigned long long)run->host->number);
    host_drain(core, host, true);
    host_withdraw(core, host);
    return 0;
}

static int time_over(struct core *core, struct run *run)
{
    if (run->limit_at_ns > core->now.mono_ns)
        return worker_lease_over(core, run);
    job_say(core, run->job, "its time limit of %lld ms was over",
            (long long)run->job->terms->time_limit_ns / 1000000);
    return run_cancel(core, run, CAUSE_TIMEOUT, false);
}

static int lost_again(struct core *core, struct run *run)
{
    run_verdict(core, run, run->guilty, (struct bytes){0});
    return 0;
}

static void fire(struct core *core, struct timer *timer)
{
    static int (*const by_step[RUN_STEPS])(struct core *, struct run *) = {
        [RUN_OFFERED] = offer_unheard, [RUN_STARTED] = time_over,
        [RUN_CANCELLING] = abandon,    [RUN_OVER] = stuck,
        [RUN_LOST] = lost_again,
    };
    struct run *run = container_of(timer, struct run, timer);

    if (by_step[run->step](core, run) < 0)
        timer_arm(core, timer, time_after(core->now.mono_ns, RETRY_NS), fire);
}

/* ---- the end of the host ---- */

void run_lost(struct core *core, struct run *run)
{
    run->scope = NULL;
    if (run->step == RUN_LOST) /* its process ended first, and what that means is tried again by time */
        return;
    timer_disarm(core, &run->timer);
    run_move(core, run, RUN_LOST);
}

void run_verdict(struct core *core, struct run *run, bool guilty, struct bytes text)
{
    int r = guilty ? run_failed(core, run, CAUSE_CRASH, -EOWNERDEAD, text) : run_returned(core, run);

    if (r == 0)
        return;
    run->guilty = guilty; /* memory is out: the job stays as it is until that can be recorded */
    if (run->scope && !list_linked(&run->closing))
        list_append(&core->jobs->closing, &run->closing);
    worker_forget(core, run);
    run_move(core, run, RUN_LOST);
    timer_arm(core, &run->timer, time_after(core->now.mono_ns, RETRY_NS), fire);
}

void run_check(const struct core *core, const struct run *run)
{
    assert((run->job == NULL) == (run->step == RUN_OVER) && "a run has a job until it is over");
    assert((!run->job || job_run(run->job) == run) && "a run is that of its job");
    assert((!run->job || run->number == job_work(run->job)->run_last) && "a run is the last one of its job");
    assert((run->step != RUN_STARTED || run->begun) && (!run->begun || run->told) &&
           "a run is told before it begins");
    assert(((run->step != RUN_OFFERED && run->step != RUN_CANCELLING) || timer_armed(&run->timer) ||
            run->host->state == HOST_KILLED) &&
           "nobody is waited for without end");
}
