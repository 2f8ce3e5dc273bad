/*
 * INSPECT and GOROUTINES: what a host tells of itself or of one of its jobs. Each question is an inspection; those that ask
 * the same of it meanwhile get the same answer, unless the question changes something there. The host answers in pieces
 * (DUMPED), of which dump_bytes_max are kept: of a text the beginning, of anything else nothing.
 */
#include <errno.h>
#include <string.h>

#include "inspect.h"
#include "jobs_internal.h"

/* A question under way to a host. */
struct inspection {
    struct list link;   /* host->inspections */
    struct list askers; /* struct waiter */
    uint64_t number;    /* in the offer */
    struct offer offer; /* what was asked */
    char *text;         /* owned */
    size_t size;
    bool cut;      /* there was more */
    bool lost;     /* memory was out for a piece: there is a hole */
    bool detached; /* what it begins outlives who asked */
};

/* The next host behind this number that can answer. */
static struct host *host_after(const struct core *core, uint64_t number)
{
    struct host *host, *found = NULL;

    list_each (host, &core->jobs->hosts, link)
        if (host->number > number && (!found || host->number < found->number) && host_listens(core, host))
            found = host;
    return found;
}

/* ---- asking ---- */

static bool shares(const struct inspection *inspection, const struct offer *offer)
{
    const struct offer *other = &inspection->offer;

    return other->what <= INSPECT_STATS && other->what == offer->what && other->run == offer->run &&
           other->format == offer->format;
}

static struct inspection *inspection_find(const struct host *host, const struct offer *offer)
{
    struct inspection *inspection;

    list_each (inspection, &host->inspections, link)
        if (shares(inspection, offer))
            return inspection;
    return NULL;
}

/* 0, -ENOMEM, -ENOENT: nobody listens, -ENOBUFS: nothing happened. */
static int inspection_start(struct core *core, struct host *host, struct offer offer, struct inspection **out)
{
    struct inspection *inspection;
    int r;

    if (host->inspections_n >= core->limits.inspections_max)
        return -ENOBUFS;
    inspection = core_alloc(core, sizeof *inspection);
    if (!inspection)
        return -ENOMEM;
    offer.job = core->jobs->dump_last + 1;
    r = host_tell(core, host, &offer);
    if (r < 0) {
        core_free(core, inspection);
        return r;
    }
    core->jobs->dump_last++;
    inspection->number = offer.job;
    inspection->offer = offer;
    list_init(&inspection->askers);
    list_append(&host->inspections, &inspection->link);
    host->inspections_n++;
    *out = inspection;
    return 0;
}

static int ask(struct core *core, struct op *op, struct host *host, const struct offer *offer, bool detached)
{
    struct inspection *inspection;
    int r = op_park(core, op, WAIT_HOST);

    if (r < 0)
        return r;
    inspection = inspection_find(host, offer);
    if (!inspection)
        r = inspection_start(core, host, *offer, &inspection);
    if (r < 0)
        return op_finish(core, op, r), 0;
    inspection->detached = detached;
    op->job = host->number;
    list_append(&inspection->askers, &op->waiters[0].link);
    return 0;
}

int handle_goroutines(struct core *core, struct op *op, const struct request *request)
{
    struct host *host = host_after(core, request->goroutines.after);

    if (!account_owns(core, op->scope->account))
        return -EPERM;
    return host ? ask(core, op, host, &(struct offer){.kind = OFFER_DUMP, .what = INSPECT_STACKS}, false)
                : -ENOENT;
}

/* What concerns one job alone is told to whose it is; what its host does for all its jobs, to those who see all. */
static bool may_inspect(const struct core *core, const struct op *op, const struct job *job, uint32_t what)
{
    return account_owns(core, op->scope->account) ||
           (job && what <= INSPECT_STATS && job_allowed(op, job->terms->account->uid));
}

int handle_inspect(struct core *core, struct op *op, const struct request *request)
{
    const struct request_inspect *what = &request->inspect;
    const struct job *job = what->job ? job_find(core, what->job) : NULL;
    const struct run *run = job ? job_run(job) : NULL;
    struct host *host = what->job ? NULL : host_after(core, what->after);
    struct offer offer = {.kind = OFFER_DUMP,
                          .run = run ? run->number : 0,
                          .what = what->what,
                          .format = what->format,
                          .value = what->value};

    if (what->job && !job)
        return -ENOENT;
    if (!may_inspect(core, op, job, what->what))
        return -EPERM;
    if (run && run->told && host_listens(core, run->host))
        host = run->host;
    if (!host && job)
        return op_fail(core, op, -ENOENT, "job %llu does not run", (unsigned long long)job->id), 0;
    return host ? ask(core, op, host, &offer, what->detached) : -ENOENT;
}

/* ---- answering ---- */

static void answer(struct core *core, struct host *host, const struct inspection *inspection, struct op *op)
{
    const struct plugin *plugin = host->generation->plugin;
    struct wait_info row = {.pid = host->pid,
                            .kind = {"host", 4},
                            .object = {plugin->path, plugin->path_size},
                            .uid = host->session ? host->session->account->uid : 0};
    struct result result = {.flags = host_after(core, host->number) ? RESULT_MORE : 0,
                            .handle = host->number,
                            .output = {inspection->text, inspection->size},
                            .waits = &row,
                            .waits_n = 1};

    if (inspection->lost)
        op_fail(core, op, -ENOMEM, "the daemon had no memory for a piece of the answer");
    else if (inspection->cut && inspection->offer.what != INSPECT_STACKS)
        op_fail(core, op, -ENOBUFS, "the answer is larger than the limit dump_bytes_max");
    else if (op_answer(core, op, &result) < 0)
        op_finish(core, op, -ENOMEM);
}

static void inspection_free(struct core *core, struct host *host, struct inspection *inspection)
{
    list_remove(&inspection->link);
    host->inspections_n--;
    core_free(core, inspection->text);
    core_free(core, inspection);
}

/* The next of those who still wait. NULL: there is none. */
static struct op *next_asker(struct core *core, struct inspection *inspection)
{
    struct waiter *w;

    while ((w = list_first(&inspection->askers, struct waiter, link))) {
        if (!op_gone(core, w->op))
            return w->op;
        list_remove(&w->link);
    }
    return NULL;
}

static bool begins(uint32_t what)
{
    return what == INSPECT_CPU_START || what == INSPECT_ALLOC_START || what == INSPECT_TRACE_START;
}

static bool ends(uint32_t what)
{
    return what == INSPECT_CPU_STOP || what == INSPECT_ALLOC_STOP || what == INSPECT_TRACE_STOP;
}

/* What that says of the recordings of the host. Before those who asked are answered. */
static void note_recording(struct core *core, struct host *host, struct inspection *inspection, int error)
{
    const struct op *op = next_asker(core, inspection);
    uint32_t what = inspection->offer.what;

    if (begins(what) && !error)
        recording_begun(core, host, &inspection->offer, op ? op->scope : NULL, inspection->detached);
    else if (ends(what))
        recording_ended(core, host, what);
}

static void inspection_end(struct core *core, struct host *host, struct inspection *inspection,
                           const struct request_dumped *last)
{
    struct op *op;

    note_recording(core, host, inspection, last->error);
    while ((op = next_asker(core, inspection))) {
        if (last->error)
            op_fail(core, op, last->error < 0 ? last->error : -EINVAL, "%.*s", (int)inspection->size,
                    inspection->text ? inspection->text : "");
        else
            answer(core, host, inspection, op);
    }
    inspection_free(core, host, inspection);
}

/* What does not fit is left out. */
static int keep(struct core *core, struct inspection *inspection, struct bytes piece)
{
    size_t room =
        core->limits.dump_bytes_max > inspection->size ? core->limits.dump_bytes_max - inspection->size : 0;
    size_t size = piece.size < room ? piece.size : room;
    char *text = size ? core_resize(core, inspection->text, inspection->size + size) : NULL;

    inspection->cut |= size < piece.size;
    if (!size)
        return 0;
    if (!text)
        return -ENOMEM;
    memcpy(text + inspection->size, piece.data, size);
    inspection->text = text;
    inspection->size += size;
    return 0;
}

static struct inspection *inspection_numbered(const struct host *host, uint64_t number)
{
    struct inspection *inspection;

    list_each (inspection, &host->inspections, link)
        if (inspection->number == number)
            return inspection;
    return NULL;
}

int handle_dumped(struct core *core, struct op *op, const struct request *request)
{
    const struct request_dumped *piece = &request->dumped;
    struct host *host = op->scope->session->host_part;
    struct inspection *inspection = host ? inspection_numbered(host, piece->dump) : NULL;

    if (!inspection)
        return -ESTALE;
    int r = keep(core, inspection, piece->text);
    inspection->lost |= r < 0;
    if (piece->last)
        inspection_end(core, host, inspection, piece);
    return r;
}

void stacks_host_gone(struct core *core, struct host *host)
{
    struct inspection *inspection, *after;
    struct op *op;

    list_each_safe (inspection, after, &host->inspections, link) {
        while ((op = next_asker(core, inspection)))
            op_fail(core, op, -EOWNERDEAD, "the host has ended before it answered");
        inspection_free(core, host, inspection);
    }
}
