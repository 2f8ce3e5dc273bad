/*
 * Submitting: everything is checked and made, the argument is copied, and the job waits in state NONE until its
 * plugin is known (EFFECT_PLUGIN). Then it is admitted: it has an id and a record, and the answer leaves when the
 * store has that.
 *
 * The operation may be cancelled or die meanwhile. It holds no pointer to its admission and its admission none to
 * it: they name each other by session and number, and an admission without its operation is dropped.
 */
#include <errno.h>
#include <string.h>

#include "bulk.h"
#include "job_admit.h"
#include "job_after.h"
#include "job_defaults.h"
#include "job_once.h"
#include "submit.h"

/* ---- checks ---- */

/* One file has one name, and a right for what lies in a directory ends there: no part is empty, "." or "..". */
static bool path_is_plain(struct bytes path)
{
    const char *at = path.data, *end = at + path.size, *slash;

    for (; at < end; at = slash) {
        size_t n;

        at++; /* the slash before it */
        slash = memchr(at, '/', (size_t)(end - at));
        slash = slash ? slash : end;
        n = (size_t)(slash - at);
        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return false;
    }
    return true;
}

static int check_path(struct op *op, struct core *core, struct bytes path)
{
    const char *text = path.data;

    if (!path.size) /* for workers */
        return 0;
    if (path.size <= PATH_BYTES_MAX && text[0] == '/' && !memchr(text, 0, path.size) && path_is_plain(path))
        return 0;
    op_fail(core, op, -EINVAL,
            "the plugin has to be named by an absolute path of at most %d bytes, without '.', '..' or '//'",
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

static int check_delays(struct core *core, struct op *op, const struct request_submit *submit)
{
    if (submit->once_ns < ONCE_KEPT || submit->once_scope > ONCE_ALL || submit->once_policy > ONCE_JOIN) {
        op_fail(core, op, -EINVAL, "the scope, policy or time of a key is none");
        return -EINVAL;
    }
    if (submit->after_n > core->limits.after_max) {
        op_fail(core, op, -E2BIG, "%zu jobs to come after: after_max is %llu", submit->after_n,
                (unsigned long long)core->limits.after_max);
        return -E2BIG;
    }
    if (submit->jitter > 100) {
        op_fail(core, op, -EINVAL, "a jitter of %u percent: 0 to 100", submit->jitter);
        return -EINVAL;
    }
    if (submit->delays_ns_n > core->limits.retry_delays_max) {
        op_fail(core, op, -E2BIG, "%zu delays: retry_delays_max is %llu", submit->delays_ns_n,
                (unsigned long long)core->limits.retry_delays_max);
        return -E2BIG;
    }
    for (size_t i = 0; i < submit->delays_ns_n; i++) {
        if (submit->delays_ns[i] <= INT64_MAX)
            continue;
        op_fail(core, op, -EINVAL, "delay %zu is longer than any time", i + 1);
        return -EINVAL;
    }
    return 0;
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

int submit_check(struct core *core, struct op *op, const struct request_submit *submit)
{
    int r = check_path(op, core, submit->plugin);

    if (r == 0)
        r = check_numbers(core, op, submit);
    if (r == 0)
        r = check_sizes(core, op, submit);
    if (r == 0)
        r = check_delays(core, op, submit);
    if (r < 0 || name_check(submit->function) == 0)
        return r;
    op_fail(core, op, -EINVAL, "a function's name has 1 to %d bytes of A-Z a-z 0-9 _ . : / -",
            NAME_BYTES_MAX);
    return -EINVAL;
}

struct queue *submit_queue(struct core *core, struct op *op, struct bytes name)
{
    struct queue *queue = queue_find(core, name.size ? name : (struct bytes){"default", 7});

    if (!queue)
        op_fail(core, op, -ENOENT,
                "no queue %.*s; `goctl queue set` or a section `queue NAME` of the configuration makes one",
                (int)(name.size < NAME_BYTES_MAX ? name.size : NAME_BYTES_MAX), (const char *)name.data);
    return queue;
}

/* ---- making ---- */

static int64_t from_now(const struct core *core, int64_t in_ns)
{
    return in_ns ? time_after(core->now.mono_ns, in_ns) : INT64_MAX;
}

/* What the submit says; what it leaves open is filled in when it is admitted (job_defaults.c). */
static const struct terms *terms_of(struct core *core, const struct op *op,
                                    const struct request_submit *submit)
{
    struct terms terms = {
        .account = op->scope->account,
        .backoff_ns = submit->backoff_ns,
        .backoff_max_ns = submit->backoff_max_ns,
        .time_limit_ns = submit->time_limit_ns,
        .grace_ns = submit->grace_ns ? submit->grace_ns : (int64_t)core->limits.grace_ms * 1000000,
        .attempts_max = submit->attempts_max,
        .flags = submit->flags & ~(uint32_t)JOB_UNTOLD,
    };

    return terms_get(core, &terms);
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
    int r = account_charge(core, job->terms->account, SLOT_JOBS, 1);

    job->charged = r == 0;
    if (r < 0)
        op_fail(core, op, r, "user %u has %llu jobs that have not ended, as many as jobs_waiting_max allows",
                job->terms->account->uid, (unsigned long long)job->terms->account->used[SLOT_JOBS]);
    return r;
}

/* Who submits it, which is kept until the store has it. */
static int note_op(struct core *core, const struct op *op, struct job *job)
{
    struct job_work *work = job_work_get(core, job);

    if (!work)
        return -ENOMEM;
    work->session = op->scope->session->secret;
    work->op = op->id;
    return 0;
}

/* It ends with the context of its submit, unless that says otherwise. */
static int bind(struct core *core, const struct op *op, struct job *job)
{
    if (!op->bond || job->terms->flags & SUBMIT_DETACHED)
        return 0;
    if (!job_parts(core, job))
        return -ENOMEM;
    job->parts->bond = bond_job(core, op, job);
    return job->parts->bond ? 0 : -ENOMEM;
}

/* The job in state NONE. On failure the operation is finished, or its error is returned. */
static int make(struct core *core, struct op *op, const struct request_submit *submit, struct lane *lane,
                struct job **out)
{
    const struct terms *terms = terms_of(core, op, submit);
    struct job *job = terms ? job_new(core, terms, lane) : NULL;
    struct bytes delays = {submit->delays_ns, submit->delays_ns_n * sizeof(*submit->delays_ns)};
    int r = job ? copy_argument(core, job, submit->argument) : -ENOMEM;

    terms_drop(core, terms); /* the job has a reference of its own */
    if (r == 0)
        r = note_op(core, op, job);
    if (r == 0)
        r = job_set_deadline(core, job, from_now(core, submit->deadline_in_ns), 0);
    if (r == 0)
        r = job_set_delays(core, job, submit->jitter, delays);
    if (r == 0)
        r = once_set(core, job, submit);
    if (r == 0)
        r = after_set(core, job, (struct bytes){submit->after, submit->after_n * sizeof(*submit->after)});
    if (r == 0)
        r = charge(core, op, job);
    if (r == 0) {
        job->due_ns = from_now(core, submit->delay_ns);
        r = bind(core, op, job);
    }
    if (r < 0) {
        job_delete(core, job);
        return r;
    }
    *out = job;
    return 0;
}

static int judge(struct core *core, struct op *op, const struct job *job, struct job **old)
{
    int r = once_judge(core, op, job, old);

    return r == 0 ? after_judge(core, op, job) : r;
}

/* Judged also when it was before its room was made: those that went for that may be the ones it names. */
int submit_admit(struct core *core, struct op *op, struct job *job)
{
    struct job *old;
    int r = judge(core, op, job, &old);

    if (r == 0)
        r = jobs_admit(core, &(struct newcomer){.job = job, .old = old}, 1);
    if (r != 0) {
        job_delete(core, job);
        return r < 0 ? r : 0;
    }
    op->job = op->handle = job->id;
    op_depends(op, job_work(job)->batch);
    op_finish(core, op, 0);
    return 0;
}

int submit_with_room(struct core *core, struct op *op, struct job *job)
{
    struct job *old = NULL;
    int r = PLANTED(HASTY_ROOM) ? 0 : judge(core, op, job, &old);

    /* Who joins another needs no room, and who is refused takes none from others. */
    if (r != 0) {
        job_delete(core, job);
        return r < 0 ? r : 0;
    }
    r = old && room_inherits(job, old, true) ? 0 : room_ask(core, op, job);
    if (r == 0)
        return submit_admit(core, op, job);
    if (r < 0)
        job_delete(core, job);
    return r < 0 ? r : 0;
}

/* Its plugin is known. */
static int admit(struct core *core, struct op *op, struct job *job)
{
    int r = job_set_defaults(core, job);

    if (r == 0)
        return submit_with_room(core, op, job);
    job_delete(core, job);
    return r;
}

/* ---- waiting for the plugin ---- */

static void admission_free(struct core *core, struct admission *admission)
{
    list_remove(&admission->link);
    job_delete(core, admission->job);
    bulk_delete(core, admission->bulk);
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
    struct session *session = session_find(core, &admission->session);
    struct op *op = session && !session->ended ? op_find(core, session, admission->op) : NULL;

    return op && op->state == OP_PARKED && op->reason == WAIT_PLUGIN && !op_gone(core, op) ? op : NULL;
}

int submit_refuse_closed(struct core *core, struct op *op)
{
    op->index = 0; /* a bulk as a whole */
    op_fail(core, op, -ESHUTDOWN, "the daemon is %s and takes no job any more",
            core->jobs->draining ? "shutting down" : "drained");
    return -ESHUTDOWN;
}

/* The plugin of this function was looked at. 0, or the operation has ended. */
static int judge_plugin(struct core *core, struct op *op, const struct function *function, int error,
                        struct bytes text)
{
    if (error == 0 && function->known)
        return jobs_closed(core) ? submit_refuse_closed(core, op) : 0;
    if (error < 0)
        op_fail(core, op, error, "%.*s", (int)text.size, (const char *)text.data);
    else
        op_fail(core, op, -ENOENT, "%.*s has no function %.*s", (int)function->plugin->path_size,
                function->plugin->path, (int)function->name_size, function->name);
    return error < 0 ? error : -ENOENT;
}

static void go_on(struct core *core, struct admission *admission, struct op *op, int error, struct bytes text)
{
    struct job *job = admission->job;
    struct bulk *bulk = admission->bulk;
    int r = judge_plugin(core, op, bulk ? bulk_waits_for(op, bulk) : job->lane->function, error, text);

    if (r < 0)
        return;
    admission->job = NULL; /* who goes on takes it */
    admission->bulk = NULL;
    r = bulk ? bulk_go_on(core, op, bulk, NULL) : admit(core, op, job);
    if (r < 0 && op_waits(op))
        op_finish(core, op, r);
}

void admissions_go_on(struct core *core, struct plugin *plugin, int error, struct bytes text)
{
    struct list admissions = LIST_INIT(admissions); /* a bulk may come to wait for it once more */
    struct admission *admission;

    list_splice(&admissions, &plugin->admissions);
    while ((admission = list_first(&admissions, struct admission, link))) {
        struct op *op = admission_op(core, admission);
        if (op)
            go_on(core, admission, op, error, text);
        admission_free(core, admission);
    }
}

int submit_wait(struct core *core, struct op *op, struct job *job, struct bulk *bulk)
{
    struct plugin *plugin = job->lane->function->plugin;
    struct admission *admission = core_alloc(core, sizeof(*admission));
    int r = admission ? plugin_ask(core, plugin, job->terms->account->uid) : -ENOMEM;

    if (r == 0 && op->state == OP_NEW)
        r = op_park(core, op, WAIT_PLUGIN);
    if (r < 0) {
        core_free(core, admission);
        return r;
    }
    op->reason = WAIT_PLUGIN; /* it may have waited for another thing before */
    admission->session = op->scope->session->secret;
    admission->op = op->id;
    admission->job = bulk ? NULL : job;
    admission->bulk = bulk;
    list_append(&plugin->admissions, &admission->link);
    return 0;
}

/* ---- the verb ---- */

static int make_in(struct core *core, struct op *op, const struct request_submit *submit, struct queue *queue,
                   struct job **out)
{
    int r = 0;
    struct plugin *plugin = plugin_get(core, submit->plugin, &r);
    struct function *function = plugin ? function_get(core, plugin, submit->function) : NULL;

    if (!function)
        return plugin ? -ENOMEM : r;
    struct lane *lane = lane_get(core, queue, function, submit->key, submit->priority);
    if (!lane) {
        function_settle(core, function);
        return -ENOMEM;
    }
    r = make(core, op, submit, lane, out);
    lane_drop(core, lane); /* the job has a reference of its own */
    return r;
}

int submit_make(struct core *core, struct op *op, const struct request_submit *submit, struct job **out)
{
    int r = submit_check(core, op, submit);
    struct queue *queue = r == 0 ? submit_queue(core, op, submit->queue) : NULL;

    if (!queue)
        return r < 0 ? r : -ENOENT;
    if (jobs_closed(core))
        return submit_refuse_closed(core, op);
    if (gate_takes(core, queue))
        return make_in(core, op, submit, queue, out);
    op_fail(core, op, -EBUSY, "queue %.*s is paused and takes no job", (int)queue->name_size, queue->name);
    return -EBUSY;
}

bool submit_stale(const struct core *core, const struct job *job)
{
    return plugin_stale(core, job->lane->function->plugin, job->lane->function);
}

int handle_submit(struct core *core, struct op *op, const struct request *request)
{
    struct job *job = NULL, *old;
    int r = submit_make(core, op, &request->submit, &job);

    if (r < 0)
        return r;
    if (!submit_stale(core, job))
        return admit(core, op, job);
    r = once_judge(core, op, job, &old); /* whose key a job has need not wait for the plugin */
    if (r == 0 && (r = submit_wait(core, op, job, NULL)) == 0)
        return 0;
    job_delete(core, job);
    return r < 0 ? r : 0;
}
