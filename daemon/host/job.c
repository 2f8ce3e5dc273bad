/*
 * One run of one job (job.h).
 *
 * Who ends what: the return of the root ends the scope, and so does its exit, in the runtime, before it is unwound. A
 * panic ends it after it has been noted: the others may panic when their scope ends, and that is not what the job has
 * failed of.
 * The group's `empty` hook runs when nobody of the job is left, in a goroutine outside the group: only there may the
 * job be reported and freed.
 */
#include "job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "host.h"

enum { STACKS_TEXT_BYTES = 8192, SETTLE_YIELDS = 100000 };

static struct gp_job *job_delete(struct gp_job *job)
{
    if (!job)
        return NULL;
    go_timer_unref(job->grace);
    go_group_unref(job->group);
    go_ctx_unref(job->ctx);
    free((void *)(uintptr_t)job->argument.data);
    free(job->text);
    free(job->result);
    free(job);
    return NULL;
}
DEFINE_CLEANUP(struct gp_job *, job_delete)

/* Keeps the first cause: a job that panics because it was cancelled has panicked. */
static void note_cause(struct gp_job *job, enum job_cause cause, const char *text, size_t size)
{
    go_mutex_lock(&job->lock);
    if (job->cause == CAUSE_NONE || job->cancelled) {
        job->cause = cause;
        job->cancelled = false;
        free(job->text);
        job->text = strndup(text, size);
    }
    go_mutex_unlock(&job->lock);
}

static void on_panic(go_group *group, const char *text, const char *stack, void *arg)
{
    char *all = malloc(STACKS_TEXT_BYTES); /* the stack may be as deep as the panic */
    int n = all ? snprintf(all, STACKS_TEXT_BYTES, "%s\n%s", text, stack) : 0;

    if (all)
        note_cause(arg, CAUSE_PANIC, all, n < STACKS_TEXT_BYTES ? (size_t)n : STACKS_TEXT_BYTES - 1);
    else
        note_cause(arg, CAUSE_PANIC, text, strlen(text));
    free(all);
    go_group_end(group);
}

struct stacks {
    char text[STACKS_TEXT_BYTES];
    size_t used;
};

static int add_stack(const struct go_info *info, void *arg)
{
    struct stacks *stacks = arg;
    int n = go_info_format(info, stacks->text + stacks->used, sizeof stacks->text - stacks->used);

    if (n < 0 || (size_t)n >= sizeof stacks->text - stacks->used)
        return 1;
    stacks->used += (size_t)n;
    return 0;
}

static int not_parked(const struct go_info *info, void *arg)
{
    (void)arg;
    return info->state != GO_STATE_PARKED;
}

static void on_deadlock(go_group *group, void *arg)
{
    struct stacks stacks = {.text = "all goroutines are asleep - deadlock!\n"};

    /* The last to wait may still be on its way off its processor: its stack can be read in a moment. */
    for (int i = 0; i < SETTLE_YIELDS && go_each(group, not_parked, NULL); i++)
        go_yield();
    stacks.used = strlen(stacks.text);
    go_each(group, add_stack, &stacks);
    note_cause(arg, CAUSE_DEADLOCK, stacks.text, stacks.used);
    go_group_end(group);
}

/* Its time may be over here before the daemon says so: who fails then has failed of that, whatever it returns. */
static bool time_was_up(const struct gp_job *job)
{
    return job->cause == CAUSE_NONE && go_ctx_err(job->ctx) == -ETIMEDOUT;
}

/* A function that returned 0 has done its work, whatever was asked of it meanwhile. */
static struct gc_host_end outcome_of(const struct gp_job *job)
{
    struct gc_host_end end = {.job = job->id, .run = job->run};
    bool failed_itself = job->cause != CAUSE_NONE && !job->cancelled;

    if (job->given_back) {
        end.cause = CAUSE_RETURNED;
        end.error = -EAGAIN;
        end.text = "the host drains";
        return end;
    }

    if (job->has_returned && job->returned == 0 && !failed_itself) {
        end.result = job->result;
        end.result_bytes = job->result_bytes;
        return end;
    }
    end.cause = job->cause != CAUSE_NONE ? job->cause : CAUSE_ERROR;
    end.error = job->has_returned ? job->returned : -ECANCELED;
    end.text = job->text;
    end.permanent = job->gave_up && end.cause == CAUSE_ERROR;
    if (time_was_up(job)) {
        end.cause = CAUSE_TIMEOUT;
        end.error = -ETIMEDOUT;
        end.permanent = false;
        end.text = job->text ? job->text : "its time was up";
    } else if (!job->has_returned && job->cause == CAUSE_NONE)
        end.text = "the function ended its goroutine instead of returning";
    return end;
}

static void on_empty(go_group *group, void *arg)
{
    struct gp_job *job = arg;
    struct gc_host_end end;

    host_leave(job->host, &job->link); /* from here on nobody else finds it */
    if (job->grace && go_timer_stop(job->grace) == 1)
        go_group_unref(group); /* the timer's */
    end = outcome_of(job);
    host_report(job->host, &end);
    job_delete(job);
}

/* May come when the job has just ended: it holds the group, not the job. */
static void end_of_grace(void *group)
{
    go_group_end(group);
    go_group_unref(group);
}

static void run_function(void *arg)
{
    struct gp_job *job = arg;
    int r = job->function->run(job);

    go_mutex_lock(&job->lock);
    job->returned = r;
    job->has_returned = true;
    go_mutex_unlock(&job->lock);
}

/* In a frame of its own: what the function has deferred runs before its scope ends. */
static void run_root(void *arg)
{
    struct gp_job *job = arg;

    job->given_back = !host_begins(job->host);
    if (!job->given_back) {
        gc_host_started(job->host->client, job->id, job->run);
        go_call(run_function, job);
    }
    go_group_end(job->group);
}

static const struct go_group_hooks hooks = {
    .panicked = on_panic, .deadlocked = on_deadlock, .empty = on_empty};

static struct gp_job *job_new(struct host *host, const struct gp_function *function,
                              const struct gc_offer *offer)
{
    _cleanup_(job_deletep) struct gp_job *job = calloc(1, sizeof *job);
    struct gp_job *made;

    if (!job)
        return NULL;
    list_init(&job->link);
    job->host = host;
    job->function = function;
    job->id = offer->job;
    job->run = offer->run;
    job->attempt = offer->attempt;
    job->after_n = offer->after_n;
    job->after_done = offer->after_done;
    job->context = offer->context;
    job->argument.size = offer->argument_bytes;
    job->argument.data =
        calloc(1, offer->argument_bytes + 1); /* a string argument ends in 0, beyond its size */
    job->ctx = offer->time_left_ns > 0
                   ? go_ctx_with_deadline(go_ctx_background(), go_after_ns(offer->time_left_ns))
                   : go_ctx_new(go_ctx_background());
    if (!job->argument.data || !job->ctx)
        return NULL;
    if (offer->argument_bytes > 0)
        memcpy((void *)(uintptr_t)job->argument.data, offer->argument, offer->argument_bytes);
    job->group = go_group_new(&hooks, job->ctx, job);
    if (!job->group)
        return NULL;
    made = job;
    job = NULL;
    return made;
}

int job_start(struct host *host, const struct gp_function *function, const struct gc_offer *offer)
{
    struct gp_job *job = job_new(host, function, offer);
    struct go_spawn_options options = {.name = function->name};
    int r;

    if (!job)
        return -ENOMEM;
    options.group = job->group;
    go_mutex_lock(&host->lock);
    list_append(&host->jobs, &job->link);
    go_mutex_unlock(&host->lock);
    r = go_spawn_with(run_root, job, 0, &options);
    if (r == 0)
        return 0;
    go_mutex_lock(&host->lock);
    list_remove(&job->link);
    go_mutex_unlock(&host->lock);
    job_delete(job);
    return r;
}

void job_cancel(struct gp_job *job, enum job_cause cause, const char *text, int64_t grace_ns)
{
    int code = cause == CAUSE_TIMEOUT ? -ETIMEDOUT : -ECANCELED;

    go_mutex_lock(&job->lock);
    if (job->cause != CAUSE_NONE) {
        go_mutex_unlock(&job->lock);
        return;
    }
    job->cause = cause;
    job->cancelled = true;
    if (!job->text)
        job->text = strdup(text);
    go_mutex_unlock(&job->lock);
    go_ctx_cancel(job->ctx, code, text);
    job->grace = go_timer_func(grace_ns, end_of_grace, go_group_ref(job->group));
    if (!job->grace)
        end_of_grace(job->group);
}

uint64_t job_scope(void)
{
    go_group *group = go_group_current();

    return group ? ((const struct gp_job *)go_group_arg(group))->run : 0;
}

unsigned long long job_run_here(void)
{
    struct go_crash who;
    const struct gp_job *job;

    if (!go_crash_read(&who, NULL) || !who.group)
        return 0;
    job = go_group_arg(who.group);
    return job->run;
}
