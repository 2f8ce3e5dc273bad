/*
 * Started operations. Whoever leads takes their results, like all others; the service thread, or gc_dispatch, tells them.
 * While there is a started operation and no call waits, the service thread leads.
 *
 * Invariants. Each one that gc_start took is told exactly once, at the latest in gc_disconnect. Its values are acknowledged
 * before its function is called, as those of a call are before it returns.
 */
#include "start.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "cases.h"
#include "cleanup.h"
#include "goclient_chan.h"
#include "last.h"

struct start {
    struct list link; /* of g->starts, and in g->starts_by_id */
    UT_hash_handle by_id;
    uint64_t id;
    struct call *call;
    gc_ended ended;
    void *arg;
    unsigned flags; /* enum gc_recv_flags */
    size_t *from;   /* as in struct cases; of a job that is waited for alone: index, of its case */
    size_t index;
};

static struct start *start_free(struct start *start)
{
    if (start)
        free(start->from);
    free(start);
    return NULL;
}

void starts_show(struct gc_client *g)
{
    if (!list_empty(&g->ends) && !g->has_thread)
        eventfd_write(g->event_fd, 1);
}

void start_ended(struct call *call)
{
    struct gc_client *g = call->g;
    list_append(&g->ends, &call->wake);
    g->kick = true; /* the service thread may be the one that leads */
    if (g->has_thread)
        pthread_cond_signal(&g->service);
    else
        starts_show(g);
}

/* ---- starting ---- */

static int start_register(struct gc_client *g, struct start *start)
{
    HASH_ADD(by_id, g->starts_by_id, id, sizeof start->id, start);
    if (!start->by_id.tbl)
        return -ENOMEM;
    list_append(&g->starts, &start->link);
    return 0;
}

static void start_forget(struct gc_client *g, struct start *start)
{
    HASH_DELETE(by_id, g->starts_by_id, start);
    list_remove(&start->link);
}

/* With the lock. The call is the start's; on failure both are gone. */
static int start_begin(struct gc_client *g, struct start *start, struct call *call)
{
    start->call = call;
    call->start = start;
    int r = start_register(g, start);
    if (r == 0 && (r = call_begin(call)) < 0)
        start_forget(g, start);
    if (r < 0) {
        call_end(call);
        start_free(start);
        return r;
    }
    client_pump(g);
    return 0;
}

static struct request request_of(const struct cases *open)
{
    bool job = open->n == 1 && open->wire->kind == CASE_JOB;
    return job ? (struct request){.verb = VERB_JOB_WAIT, .job_wait = {open->wire->handle}}
               : (struct request){.verb = VERB_SELECT, .select = {open->wire, open->n}};
}

static int start_new(gc_client *g, const struct gc_case *cases, size_t n, struct start **out,
                     struct call **call, gc_until until)
{
    _cleanup_(cases_destroy) struct cases open = {0};
    int r = cases_create(&open, cases, n);
    if (r < 0)
        return r;
    struct request request = request_of(&open);
    *out = calloc(1, sizeof **out);
    *call = *out ? call_new(g, &request, until) : NULL;
    if (!*call) {
        free(*out);
        return -ENOMEM;
    }
    (*out)->index = open.n ? open.from[0] : 0;
    (*out)->from = open.from;
    open.from = NULL;
    return 0;
}

GC_API int gc_start(gc_client *g, const struct gc_case *cases, size_t n, unsigned flags, gc_ended ended,
                    void *arg, gc_started *out, gc_until until)
{
    struct start *start;
    struct call *call;
    if (client_forked(g))
        return last_failed(-ECONNRESET, "this process is a fork of the client's: connect anew", false);
    int r = start_new(g, cases, n, &start, &call, until);
    if (r < 0)
        return last_failed(r, r == -E2BIG ? "at most 1024 cases in one operation" : NULL, false);
    start->ended = ended;
    start->arg = arg;
    start->flags = flags;
    client_enter(g);
    uint64_t id = start->id = ++g->starts_n;
    if (out)
        out->id = id;
    r = start_begin(g, start, call);
    if (r < 0)
        call_note(g, r, &(struct result){.status = r});
    client_pass_on(g);
    client_leave(g);
    return r;
}

GC_API int gc_start_cancel(gc_client *g, gc_started started)
{
    struct start *start;
    int r = -ENOENT;
    if (client_forked(g))
        return -ECONNRESET;
    client_enter(g);
    HASH_FIND(by_id, g->starts_by_id, &started.id, sizeof started.id, start);
    if (start) {
        r = 0;
        protocol_cancel(g->protocol, &start->call->op);
        client_pump(g);
    }
    client_pass_on(g);
    client_leave(g);
    return r;
}

/* ---- telling ---- */

static void give_job(struct gc_end *end, const struct answer *answer)
{
    result_give(&end->result, answer);
    end->status = end->result.state == GC_JOB_DONE;
}

static void give_case(struct gc_end *end, const struct start *start, const struct select_case *k,
                      const struct answer *answer)
{
    const struct result *result = &answer->result;
    end->index = (int)start->from[result->index];
    if (k->kind == CASE_SEND)
        end->status = result->status < 0 ? result->status : 0;
    else if (k->kind == CASE_JOB)
        give_job(end, answer);
    else if (k->kind == CASE_CTX)
        end->status = 1;
    else if (result->status < 0)
        end->status = result->status;
    else if ((end->status = result->values_n > 0))
        value_give(&end->value, answer, 0, start->flags & GC_HOLD);
}

static void end_fill(struct gc_end *end, const struct start *start, int status, const struct answer *answer)
{
    const struct request *request = &start->call->op.request;
    end->index = end->status = status;
    end->doubt = request->verb == VERB_SELECT ? cases_doubt(start->from, &answer->result) : 0;
    if (!cases_met(status, &answer->result))
        return;
    if (request->verb == VERB_JOB_WAIT) {
        end->index = (int)start->index;
        give_job(end, answer);
    } else {
        give_case(end, start, &request->select.cases[answer->result.index], answer);
    }
}

/* The job had ended before: only the store has its result. 1: it is asked for, and told with it; negative: it cannot be. */
static int job_asked(struct gc_client *g, struct start *start, int status, const struct answer *answer)
{
    const struct request *request = &start->call->op.request;
    if (status < 0 || request->verb != VERB_SELECT || answer->result.jobs_n)
        return 0;
    const struct select_case *k = &request->select.cases[answer->result.index];
    if (k->kind != CASE_JOB)
        return 0;
    struct call *next =
        call_new(g, &(struct request){.verb = VERB_JOB_WAIT, .job_wait = {k->handle}}, GC_FOREVER);
    if (!next)
        return -ENOMEM;
    start->index = start->from[answer->result.index];
    next->start = start;
    int r = call_begin(next);
    if (r < 0) {
        call_end(next);
        return r;
    }
    call_end(start->call);
    start->call = next;
    return 1;
}

/* With the lock, which is given up for the program's function. */
static void start_tell(struct gc_client *g, struct start *start)
{
    struct gc_end end = {0};
    struct answer answer;
    int status = call_take(start->call, start->flags & GC_HOLD ? CALL_HOLD : 0, &answer);
    int asked = job_asked(g, start, status, &answer);
    if (asked > 0) {
        answer_end(&answer);
        client_pump(g);
        return;
    }
    if (asked < 0)
        status = asked;
    end_fill(&end, start, status, &answer);
    if (status < 0)
        call_note(g, status, &answer.result);
    call_end(start->call);
    start_forget(g, start);
    client_unlock(g);
    start->ended(g, &end, start->arg);
    answer_end(&answer);
    start_free(start);
    client_lock(g);
}

bool starts_tell(struct gc_client *g)
{
    struct call *call;
    bool told = false;
    client_lock(g);
    while ((call = list_first(&g->ends, struct call, wake))) {
        list_remove(&call->wake);
        start_tell(g, call->start);
        told = true;
    }
    client_unlock(g);
    return told;
}
