/*
 * Workers: clients that take jobs which no plugin has, those submitted without a path.
 *
 *     WORK_RESERVE waits ─► dispatch gives it runs, as it gives them to a host ─► arguments are here: it is answered
 *
 * To its runs a worker is a host: same numbers, same fencing, and every limit of a queue holds alike. What is other: its
 * process is not ours. It is told nothing but the answers of its operations; it has begun what it was told of; silence
 * ends that with its lease; and when its session ends nobody waits for the end of a process. A run that ends so is given
 * back in front of its line without an attempt. It counts as a crash of the job where that is known to have been it: its
 * lease was over, or it was the only one that the worker had. The worker's rights and charges are its own.
 *
 * Invariants: a reserve is there while its operation waits; its runs are LOADING, at most `max` and WORK_BYTES_MAX; it is in
 * jobs->reserves while it takes more of them, in order of arrival (F1), and in jobs->gathering while it has some or does not wait.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "worker.h"

struct reserve {
    struct list link; /* jobs->gathering */
    struct host *worker;
    struct op *op;
    struct list runs; /* struct run by `place` */
    uint64_t runs_n, max;
    uint64_t bytes; /* of their arguments */
    int64_t lease_ns;
    bool try;   /* it does not wait */
    bool given; /* it is being answered */
    struct queue *queues[WORK_QUEUES_MAX];
    size_t queues_n;
    struct bytes functions; /* empty: all */
    char text[];
};

/* ---- who takes what ---- */

static bool names_queue(const struct reserve *reserve, const struct queue *queue)
{
    for (size_t i = 0; i < reserve->queues_n; i++)
        if (reserve->queues[i] == queue)
            return true;
    return false;
}

static bool names_function(const struct reserve *reserve, const struct function *function)
{
    struct bytes list = reserve->functions, name;

    if (!list.size)
        return true;
    while (names_next(&list, &name))
        if (bytes_are(name, function->name, function->name_size))
            return true;
    return false;
}

bool workers_name(const struct core *core, const struct queue *queue)
{
    const struct reserve *reserve;
    const struct waiter *w;

    list_each (w, &core->jobs->reserves, link)
        if (names_queue(w->job, queue))
            return true;
    list_each (reserve, &core->jobs->gathering, link)
        if (names_queue(reserve, queue))
            return true;
    return false;
}

/* The one that waits longest of those that take this job. */
static struct reserve *reserve_for(const struct core *core, const struct job *job)
{
    struct waiter *w;

    list_each (w, &core->jobs->reserves, link) {
        struct reserve *reserve = w->job;

        if (names_queue(reserve, job->lane->queue) && names_function(reserve, job->lane->function) &&
            !op_gone(core, w->op))
            return reserve;
    }
    return NULL;
}

struct host *worker_ready(struct core *core, const struct job *job)
{
    struct reserve *reserve = reserve_for(core, job);

    return reserve ? reserve->worker : NULL;
}

size_t worker_reason(const struct core *core, const struct job *job, char *to, size_t size)
{
    return reserve_for(core, job) ? 0 : text_write(to, size, "no worker asks for it");
}

/* ---- runs on their way ---- */

static bool takes_more(const struct reserve *reserve)
{
    return reserve->runs_n < reserve->max && reserve->bytes < WORK_BYTES_MAX;
}

void worker_take(struct core *core, struct run *run)
{
    struct reserve *reserve = reserve_for(core, run->job);

    run->reserve = reserve;
    run->argument_size = run->job->argument_bytes;
    list_append(&reserve->runs, &run->place);
    reserve->runs_n++;
    reserve->bytes += run->argument_size;
    if (!takes_more(reserve))
        list_remove(&reserve->op->waiters[0].link);
    if (!list_linked(&reserve->link))
        list_append(&core->jobs->gathering, &reserve->link);
}

int worker_gather(struct core *core, struct run *run, struct bytes argument)
{
    run->argument = argument.size ? core_alloc(core, argument.size) : NULL;
    if (argument.size && !run->argument)
        return -ENOMEM;
    if (argument.size)
        memcpy(run->argument, argument.data, argument.size);
    if (run->reserve) /* it was taken before its argument was here */
        run->reserve->bytes += argument.size - run->argument_size;
    run->argument_size = (uint32_t)argument.size;
    run->gathered = true;
    return 0;
}

/* Out of the reserve, which may take another one in its place. */
static void leave(struct core *core, struct run *run)
{
    struct reserve *reserve = run->reserve;

    if (!reserve)
        return;
    list_remove(&run->place);
    run->reserve = NULL;
    reserve->runs_n--;
    reserve->bytes -= run->argument_size;
    if (!reserve->given && takes_more(reserve) && !list_linked(&reserve->op->waiters[0].link))
        list_insert_before(core->jobs->reserves.next, &reserve->op->waiters[0].link);
}

static void drop_argument(struct core *core, struct run *run)
{
    core_free(core, run->argument);
    run->argument = NULL;
}

/* Those who watch the run hear that it is to be ended, or is over. */
static void tell_watchers(struct core *core, struct run *run, int status, struct bytes words)
{
    struct waiter *w;

    while ((w = list_first(&run->watchers, struct waiter, link))) {
        list_remove(&w->link);
        if (op_gone(core, w->op))
            continue;
        if (op_answer(core, w->op, &(struct result){.status = status, .text = words}) < 0)
            op_finish(core, w->op, status); /* memory is out: without the words */
    }
}

void worker_forget(struct core *core, struct run *run)
{
    leave(core, run);
    drop_argument(core, run);
    tell_watchers(core, run, -ESTALE, (struct bytes){0});
}

void worker_cancel(struct core *core, struct run *run)
{
    tell_watchers(core, run, 0, (struct bytes){job_work(run->job)->text, job_work(run->job)->text_size});
}

/* ---- the answer ---- */

static bool complete(const struct reserve *reserve)
{
    const struct run *run;

    list_each (run, &reserve->runs, place)
        if (!run->gathered)
            return false;
    return true;
}

/* Scopes and rows of its runs. 0 or -ENOMEM; what was made stays for the next try. */
static int describe(struct core *core, struct reserve *reserve, struct job_info *rows)
{
    struct session *session = reserve->op->scope->session;
    struct run *run;

    list_each (run, &reserve->runs, place) {
        if (!run->scope)
            run->scope = scope_new(core, session, run->number, session->account);
        if (!run->scope)
            return -ENOMEM;
        run->scope->job = run->job;
        *rows = job_info(core, run->job, NULL, 0);
        rows->argument = (struct bytes){run->argument, run->argument_size};
        rows->left_ns = run_left_ns(core, run->job);
        rows++;
    }
    return 0;
}

static void give(struct core *core, struct reserve *reserve)
{
    size_t n = reserve->runs_n;
    struct job_info *rows = core_alloc(core, n * sizeof(*rows));
    struct result result = {.status = (int32_t)n, .jobs = rows, .jobs_n = n};
    struct op *op = reserve->op;

    reserve->given = true; /* op_answer asks */
    if (!rows || describe(core, reserve, rows) < 0 || op_answer(core, op, &result) < 0)
        reserve->given = false; /* memory is out: the next input tries again */
    core_free(core, rows);
}

void workers_turn(struct core *core)
{
    struct reserve *reserve, *after;

    list_each_safe (reserve, after, &core->jobs->gathering, link) {
        if (op_gone(core, reserve->op))
            continue;
        if (reserve->runs_n && complete(reserve))
            give(core, reserve);
        else if (!reserve->runs_n && reserve->try)
            op_finish(core, reserve->op, -EAGAIN);
        else if (!reserve->runs_n)
            list_remove(&reserve->link);
    }
}

static void begin(struct core *core, struct reserve *reserve, struct run *run)
{
    leave(core, run);
    drop_argument(core, run);
    run_given(core, run, reserve->lease_ns);
}

void jobs_reserve_left(struct core *core, struct waiter *w)
{
    struct reserve *reserve = w->job;
    struct run *run, *after;
    bool given;

    if (!reserve)
        return;
    given = reserve->given;
    reserve->given = true; /* it takes no other one */
    list_each_safe (run, after, &reserve->runs, place) {
        if (given) {
            begin(core, reserve, run);
            continue;
        }
        leave(core, run);
        run_verdict(core, run, false, (struct bytes){0});
    }
    list_remove(&reserve->link);
    w->job = NULL;
    core_free(core, reserve);
}

/* ---- reserving ---- */

static int lease_of(struct core *core, struct op *op, int64_t asked_ns, int64_t *lease_ns)
{
    int64_t most_ns = (int64_t)core->limits.work_lease_max_ms * 1000000;

    *lease_ns = asked_ns ? asked_ns : (int64_t)core->limits.work_lease_ms * 1000000;
    if (*lease_ns > 0 && *lease_ns <= most_ns)
        return 0;
    op_fail(core, op, -EINVAL, "a lease of %lld ns: it is positive, and work_lease_max_ms is %llu",
            (long long)*lease_ns, (unsigned long long)core->limits.work_lease_max_ms);
    return -EINVAL;
}

static int add_queue(struct core *core, struct op *op, struct reserve *reserve, struct bytes name)
{
    struct queue *queue = queue_find(core, name);

    if (!queue) {
        op_fail(core, op, -ENOENT, "no queue %.*s",
                (int)(name.size < NAME_BYTES_MAX ? name.size : NAME_BYTES_MAX), (const char *)name.data);
        return -ENOENT;
    }
    if (names_queue(reserve, queue))
        return 0;
    reserve->queues[reserve->queues_n++] = queue;
    return 0;
}

static int add_queues(struct core *core, struct op *op, struct reserve *reserve, struct bytes list)
{
    struct bytes name;
    int n = 0, r = 0;

    while (r == 0 &&
           names_next(&list, &name)) /* one named twice counts twice: just so many rights were asked for */
        r = ++n > WORK_QUEUES_MAX ? -E2BIG : add_queue(core, op, reserve, name);
    return r == 0 && !reserve->queues_n ? add_queue(core, op, reserve, (struct bytes){"default", 7}) : r;
}

static struct reserve *reserve_new(struct core *core, struct op *op, const struct request_work_reserve *what)
{
    struct reserve *reserve = core_alloc(core, sizeof(*reserve) + what->functions.size);

    if (!reserve)
        return NULL;
    list_init(&reserve->link);
    list_init(&reserve->runs);
    reserve->op = op;
    reserve->max = what->max ? what->max : 1;
    if (reserve->max > WORK_JOBS_MAX)
        reserve->max = WORK_JOBS_MAX;
    if (what->functions.size)
        memcpy(reserve->text, what->functions.data, what->functions.size);
    reserve->functions = (struct bytes){reserve->text, what->functions.size};
    return reserve;
}

/* The worker that the session is from now on. NULL: out of memory. */
static struct host *worker_get(struct core *core, struct session *session)
{
    struct jobs *jobs = core->jobs;
    struct host *worker = session->host_part;

    if (worker)
        return worker;
    worker = core_alloc(core, sizeof(*worker));
    if (!worker)
        return NULL;
    worker->outside = true;
    worker->state = HOST_SERVING;
    worker->generation = &jobs->outside;
    worker->crew = &jobs->outside.crew;
    worker->session = session;
    worker->number = ++jobs->host_last;
    worker->pid = session->who.pid;
    list_init(&worker->runs);
    list_init(&worker->inspections);
    list_append(&jobs->workers, &worker->link);
    jobs->outside.hosts++;
    session->host_part = worker;
    return worker;
}

/* Without a table of rights a stranger would get to see what others submit. */
static bool may_work(const struct core *core, const struct op *op)
{
    const struct account *who = op->scope->account;

    return core->rights || who->uid == 0 || who->uid == core->owner;
}

/* One that does not wait is judged after this step's dispatch: until then it waits, too. */
static int park(struct core *core, struct op *op, struct reserve *reserve)
{
    reserve->try = op->try;
    op->try = false;
    int r = op_park(core, op, WAIT_WORK);
    if (r < 0)
        return r;
    op->waiters[0].job = reserve;
    list_append(&core->jobs->reserves, &op->waiters[0].link);
    if (reserve->try)
        list_append(&core->jobs->gathering, &reserve->link);
    dispatch_soon(core);
    return 0;
}

int handle_work_reserve(struct core *core, struct op *op, const struct request *request)
{
    const struct request_work_reserve *what = &request->work_reserve;
    struct session *session = op->scope->session;
    int64_t lease_ns;

    if (session->host)
        return op_fail(core, op, -EPERM, "the code of a plugin is no worker"), 0;
    if (!may_work(core, op))
        return op_fail(core, op, -EPERM, "a worker sees the jobs of everybody: rights_file has to give work"),
               0;
    if (lease_of(core, op, what->lease_ns, &lease_ns) < 0)
        return 0;
    struct reserve *reserve = reserve_new(core, op, what);
    int r = reserve ? add_queues(core, op, reserve, what->queues) : -ENOMEM;
    if (r == 0)
        r = (reserve->worker = worker_get(core, session)) ? 0 : -ENOMEM;
    if (r == 0) {
        reserve->lease_ns = lease_ns;
        r = park(core, op, reserve);
    }
    if (r < 0)
        core_free(core, reserve);
    return r;
}

/* ---- while it works ---- */

static struct run *find(struct core *core, const struct op *op, uint64_t job, uint64_t number)
{
    const struct host *host = op->scope->session->host_part;

    return host && host->outside ? run_find(core, host, job, number) : NULL;
}

static int ending(struct core *core, struct op *op, const struct run *run, int status)
{
    const struct job *job = run->job;
    struct result result = {.status = status, .text = {job_work(job)->text, job_work(job)->text_size}};

    return op_answer(core, op, &result);
}

int handle_work_extend(struct core *core, struct op *op, const struct request *request)
{
    const struct request_work_extend *what = &request->work_extend;
    struct run *run = find(core, op, what->job, what->run);
    int64_t lease_ns;

    if (!run)
        return -ESTALE;
    if (run->step == RUN_CANCELLING)
        return ending(core, op, run, -ECANCELED);
    if (lease_of(core, op, what->lease_ns, &lease_ns) < 0)
        return 0;
    run->lease_at_ns = time_after(core->now.mono_ns, lease_ns);
    run_time(core, run);
    return 0;
}

int handle_work_watch(struct core *core, struct op *op, const struct request *request)
{
    struct run *run = find(core, op, request->work_watch.job, request->work_watch.run);
    int r;

    if (!run)
        return -ESTALE;
    if (run->step == RUN_CANCELLING)
        return ending(core, op, run, 0);
    r = op_park(core, op, WAIT_RUN);
    if (r < 0)
        return r;
    op->job = run->job->id;
    list_append(&run->watchers, &op->waiters[0].link);
    return 0;
}

/* ---- its end ---- */

/* The job that it was has brought a worker down, or made it fall silent: so often, and it is quarantined. 0 or -ENOMEM. */
static int crashed(struct core *core, struct run *run, const char *how)
{
    struct job *job = run->job;
    struct job_row row;
    uint64_t batch;

    job->work->crashes++;
    job_say(core, job, "its worker %s", how);
    if (job->work->crashes >= core->limits.crashes_max && job->cause != CAUSE_CANCELED) {
        int r = job_end(core, job, JOB_DEAD, CAUSE_CRASH, -EOWNERDEAD, (struct bytes){0});
        job->work->crashes -= r < 0;
        if (r == 0) {
            breaker_judge(core, run, true);
            run_close(core, run);
        }
        return r;
    }
    row = job_row(job);
    batch = job_record(core, job, RECORD_JOB_STATE, &row, (struct bytes){0});
    if (!batch) {
        job->work->crashes--;
        return -ENOMEM;
    }
    job_depends(core, job, batch);
    if (job->cause != CAUSE_CANCELED)
        breaker_judge(core, run, true);
    run_verdict(core, run, false, (struct bytes){0});
    return 0;
}

int worker_lease_over(struct core *core, struct run *run)
{
    core_log(core, LOG_LEVEL_WARN, "event=lease_over job=%llu run=%llu pid=%d",
             (unsigned long long)run->job->id, (unsigned long long)run->number, run->host->pid);
    return crashed(core, run, "let its lease end");
}

static struct run *only_told(const struct host *worker)
{
    struct run *run, *found = NULL;

    list_each (run, &worker->runs, link) {
        if (!run->told)
            continue;
        if (found)
            return NULL;
        found = run;
    }
    return found;
}

void worker_session_end(struct core *core, struct host *worker, bool clean)
{
    struct run *suspect = clean ? NULL : only_told(worker), *run, *after;

    list_each_safe (run, after, &worker->runs, link) {
        run->scope = NULL; /* the engine ends it with the session */
        if (run != suspect || crashed(core, run, "died") < 0)
            run_verdict(core, run, false, (struct bytes){0});
    }
    worker->ended = true;
    worker_settle(core, worker);
}

void workers_return(struct core *core)
{
    struct host *worker, *next;
    struct run *run, *after;

    list_each_safe (worker, next, &core->jobs->workers, link)
        list_each_safe (run, after, &worker->runs, link) {
            bool last = &after->link == &worker->runs;

            run_verdict(core, run, false, (struct bytes){0});
            if (last)
                break; /* a worker that has ended is gone with it */
        }
}

void worker_settle(struct core *core, struct host *worker)
{
    if (!worker->ended || !list_empty(&worker->runs))
        return;
    list_remove(&worker->link);
    core->jobs->outside.hosts--;
    core_free(core, worker);
}

void workers_free(struct core *core)
{
    struct host *worker, *next;
    struct run *run, *after;

    list_each_safe (worker, next, &core->jobs->workers, link) {
        worker->ended = false; /* it goes below, not with the last of its runs */
        list_each_safe (run, after, &worker->runs, link) {
            run->scope = NULL;
            run_close(core, run);
        }
        worker->ended = true;
        worker_settle(core, worker);
    }
}

void workers_check(const struct core *core)
{
    const struct host *worker;
    const struct run *run;
    uint64_t n = 0;

    list_each (worker, &core->jobs->workers, link) {
        uint64_t busy = 0, offered = 0;

        n++;
        list_each (run, &worker->runs, link) {
            assert(run->host == worker && run->job && "a worker knows its runs");
            assert((run->step != RUN_STARTED || timer_armed(&run->timer)) && "a lease ends by time");
            assert((run->step == RUN_LOADING) == (run->reserve != NULL) &&
                   "what a worker is to get is asked for");
            run_check(core, run);
            busy++;
            offered += run->step == RUN_LOADING;
        }
        assert(busy == worker->busy && offered == worker->offered && "a worker counts its runs");
    }
    assert(n == core->jobs->outside.hosts && "workers are counted");
}
