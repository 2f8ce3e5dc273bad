/*
 * Submitting: everything is checked and made, the argument is copied, and the job waits in state NONE until its
 * plugin is known (EFFECT_PLUGIN). Then it is admitted: it has an id and a record, and the answer leaves when the
 * store has that.
 *
 * The operation may be cancelled or die meanwhile. It holds no pointer to its admission and its admission none to
 * it: they name each other by session and number, and an admission without its operation is dropped.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

/* ---- checks ---- */

static int check_path(struct op *op, struct core *core, struct bytes path)
{
    const char *text = path.data;

    if (path.size && path.size <= PATH_BYTES_MAX && text[0] == '/' && !memchr(text, 0, path.size))
        return 0;
    op_fail(core, op, -EINVAL, "the plugin has to be named by an absolute path of at most %d bytes",
            PATH_BYTES_MAX);
    return -EINVAL;
}

static int check_numbers(struct core *core, struct op *op, const struct request_submit *submit)
{
    const int64_t times[] = {submit->backoff_ns, submit->backoff_max_ns, submit->time_limit_ns,
                             submit->grace_ns,   submit->deadline_in_ns, submit->delay_ns};

    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        if (times[i] >= 0)
            continue;
        op_fail(core, op, -EINVAL, "a time of %lld ns: times of a job are not negative", (long long)times[i]);
        return -EINVAL;
    }
    if (submit->priority >= PRIORITIES) {
        op_fail(core, op, -EINVAL, "priority %u: priorities are 0 to %d", submit->priority, PRIORITIES - 1);
        return -EINVAL;
    }
    if (submit->attempts_max <= core->limits.attempts_max)
        return 0;
    op_fail(core, op, -EINVAL, "%u attempts: at most %llu may be asked for", submit->attempts_max,
            (unsigned long long)core->limits.attempts_max);
    return -EINVAL;
}

static int check_sizes(struct core *core, struct op *op, const struct request_submit *submit)
{
    if (submit->key.size > NAME_BYTES_MAX) {
        op_fail(core, op, -E2BIG, "a key of %zu bytes: at most %d", submit->key.size, NAME_BYTES_MAX);
        return -E2BIG;
    }
    if (submit->argument.size <= core->limits.argument_bytes_max)
        return 0;
    op_fail(core, op, -E2BIG, "an argument of %zu bytes: argument_bytes_max is %llu", submit->argument.size,
            (unsigned long long)core->limits.argument_bytes_max);
    return -E2BIG;
}

/* A failed check has finished the operation. */
static int check(struct core *core, struct op *op, const struct request_submit *submit)
{
    int r = check_path(op, core, submit->plugin);

    if (r == 0)
        r = check_numbers(core, op, submit);
    if (r == 0)
        r = check_sizes(core, op, submit);
    if (r < 0 || name_check(submit->function) == 0)
        return r;
    op_fail(core, op, -EINVAL, "a function's name has 1 to %d bytes of A-Z a-z 0-9 _ . : / -",
            NAME_BYTES_MAX);
    return -EINVAL;
}

static struct queue *find_queue(struct core *core, struct op *op, struct bytes name)
{
    struct queue *queue = queue_find(core, name.size ? name : (struct bytes){"default", 7});

    if (!queue)
        op_fail(core, op, -ENOENT,
                "no queue %.*s: `queues` in the configuration names those beside `default`",
                (int)(name.size < NAME_BYTES_MAX ? name.size : NAME_BYTES_MAX), (const char *)name.data);
    return queue;
}

/* ---- making ---- */

static int64_t from_now(const struct core *core, int64_t in_ns)
{
    return in_ns ? time_after(core->now.mono_ns, in_ns) : INT64_MAX;
}

/* What the submit says; what it leaves open is filled in from the function when it is admitted. */
static void set_policy(const struct core *core, struct job *job, const struct request_submit *submit)
{
    job->priority = (uint8_t)submit->priority;
    job->flags = submit->flags;
    job->attempts_max = submit->attempts_max;
    job->backoff_ns = submit->backoff_ns;
    job->backoff_max_ns = submit->backoff_max_ns;
    job->time_limit_ns = submit->time_limit_ns;
    job->grace_ns = submit->grace_ns ? submit->grace_ns : (int64_t)core->limits.grace_ms * 1000000;
    job->due_ns = from_now(core, submit->delay_ns);
    job->deadline_ns = from_now(core, submit->deadline_in_ns);
}

static void fill_policy(struct job *job)
{
    const struct function *function = job->lane->function;

    if (!job->attempts_max)
        job->attempts_max = function->attempts_max ? function->attempts_max : ATTEMPTS_DEFAULT;
    if (!job->backoff_ns)
        job->backoff_ns = function->backoff_ns ? function->backoff_ns : BACKOFF_DEFAULT_NS;
    if (!job->backoff_max_ns)
        job->backoff_max_ns = BACKOFF_MAX_DEFAULT_NS;
    if (!job->time_limit_ns)
        job->time_limit_ns = function->time_limit_ns;
}

static int copy_argument(struct core *core, struct job *job, struct bytes argument)
{
    if (!argument.size)
        return 0;
    job->body = core_alloc(core, argument.size);
    if (!job->body)
        return -ENOMEM;
    memcpy(job->body, argument.data, argument.size);
    job->body_size = (uint32_t)argument.size;
    return 0;
}

static int charge(struct core *core, struct op *op, struct job *job)
{
    int r = account_charge(core, job->account, SLOT_JOBS, 1);

    job->charged = r == 0;
    if (r < 0)
        op_fail(core, op, r, "user %u has %llu jobs that have not ended, as many as jobs_waiting_max allows",
                job->account->uid, (unsigned long long)job->account->used[SLOT_JOBS]);
    return r;
}

/* It ends with the context of its submit, unless that says otherwise. */
static int bind(struct core *core, const struct op *op, struct job *job)
{
    if (!op->bond || job->flags & SUBMIT_DETACHED)
        return 0;
    job->bond = bond_job(core, op, job);
    return job->bond ? 0 : -ENOMEM;
}

/* The job in state NONE. On failure the operation is finished, or its error is returned. */
static int make(struct core *core, struct op *op, const struct request_submit *submit, struct lane *lane,
                struct job **out)
{
    struct job *job = job_new(core, op->scope->account, lane, submit->key);
    int r = job ? copy_argument(core, job, submit->argument) : -ENOMEM;

    if (r == 0)
        r = charge(core, op, job);
    if (r == 0) {
        set_policy(core, job, submit);
        r = bind(core, op, job);
    }
    if (r < 0) {
        job_delete(core, job);
        return r;
    }
    job->session = op->scope->session->secret;
    job->op = op->id;
    *out = job;
    return 0;
}

static int admit(struct core *core, struct op *op, struct job *job)
{
    fill_policy(job);
    int r = job_admit(core, job);
    if (r < 0) {
        job_delete(core, job);
        return r;
    }
    op->job = op->handle = job->id;
    op_depends(op, job->batch);
    op_finish(core, op, 0);
    return 0;
}

/* ---- waiting for the plugin ---- */

static void admission_free(struct core *core, struct admission *admission)
{
    list_remove(&admission->link);
    job_delete(core, admission->job);
    core_free(core, admission);
}

void admissions_free(struct core *core, struct plugin *plugin)
{
    struct admission *admission, *after;

    list_each_safe (admission, after, &plugin->admissions, link)
        admission_free(core, admission);
}

/* Its operation, if that still waits. */
static struct op *admission_op(const struct core *core, const struct admission *admission)
{
    struct session *session = session_find(core, &admission->job->session);
    struct op *op = session && !session->ended ? op_find(core, session, admission->job->op) : NULL;

    return op && op->state == OP_PARKED && op->reason == WAIT_PLUGIN && !op_gone(core, op) ? op : NULL;
}

static void go_on(struct core *core, struct admission *admission, struct op *op, int error, struct bytes text)
{
    struct job *job = admission->job;
    const struct function *function = job->lane->function;

    if (error < 0)
        return op_fail(core, op, error, "%.*s", (int)text.size, (const char *)text.data);
    if (!function->known)
        return op_fail(core, op, -ENOENT, "%.*s has no function %.*s", (int)function->plugin->path_size,
                       function->plugin->path, (int)function->name_size, function->name);
    admission->job = NULL; /* admit takes it */
    int r = admit(core, op, job);
    if (r < 0)
        op_finish(core, op, r);
}

void admissions_go_on(struct core *core, struct plugin *plugin, int error, struct bytes text)
{
    struct admission *admission;

    while ((admission = list_first(&plugin->admissions, struct admission, link))) {
        struct op *op = admission_op(core, admission);
        if (op)
            go_on(core, admission, op, error, text);
        admission_free(core, admission);
    }
}

static int wait_for_plugin(struct core *core, struct op *op, struct job *job)
{
    struct plugin *plugin = job->lane->function->plugin;
    struct admission *admission = core_alloc(core, sizeof(*admission));
    int r = admission ? plugin_ask(core, plugin, job->account->uid) : -ENOMEM;

    if (r == 0)
        r = op_park(core, op, WAIT_PLUGIN);
    if (r < 0) {
        core_free(core, admission);
        job_delete(core, job);
        return r;
    }
    admission->job = job;
    list_append(&plugin->admissions, &admission->link);
    return 0;
}

/* ---- the verb ---- */

static int submit_to(struct core *core, struct op *op, const struct request_submit *submit,
                     struct queue *queue, struct function *function)
{
    bool stale = plugin_stale(core, function->plugin, function);
    struct lane *lane = lane_get(core, queue, function);
    struct job *job = NULL;

    if (!lane) {
        function_settle(core, function);
        return -ENOMEM;
    }
    int r = make(core, op, submit, lane, &job);
    lane_drop(core, lane); /* the job has a reference of its own */
    if (r < 0)
        return r;
    return stale ? wait_for_plugin(core, op, job) : admit(core, op, job);
}

int handle_submit(struct core *core, struct op *op, const struct request *request)
{
    const struct request_submit *submit = &request->submit;
    int r = check(core, op, submit);
    struct queue *queue = r == 0 ? find_queue(core, op, submit->queue) : NULL;

    if (!queue)
        return r;
    if (core->jobs->draining) {
        op_fail(core, op, -ESHUTDOWN, "the daemon is shutting down and takes no job any more");
        return 0;
    }
    struct plugin *plugin = plugin_get(core, submit->plugin, &r);
    struct function *function = plugin ? function_get(core, plugin, submit->function) : NULL;
    if (!function)
        return plugin ? -ENOMEM : r;
    return submit_to(core, op, submit, queue, function);
}
