/*
 * Select: cases that can never be ready are left out here; the others are one operation of the daemon.
 */
#include "cases.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "last.h"

void cases_destroy(struct cases *cases)
{
    free(cases->wire);
    free(cases->from);
}

static bool is_open(const struct gc_case *k)
{
    if (k->kind == GC_CASE_JOB || k->kind == GC_CASE_CONTEXT)
        return k->job.id != 0;
    return (k->kind == GC_CASE_SEND || k->kind == GC_CASE_RECV) && k->chan.id != 0;
}

int cases_create(struct cases *cases, const struct gc_case *from, size_t n)
{
    cases->wire = calloc(n + 1, sizeof *cases->wire);
    cases->from = calloc(n + 1, sizeof *cases->from);
    if (!cases->wire || !cases->from)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!is_open(&from[i]))
            continue;
        cases->wire[cases->n] =
            (struct select_case){.kind = from[i].kind,
                                 .handle = from[i].kind >= GC_CASE_JOB ? from[i].job.id : from[i].chan.id,
                                 .value = value_wire(&from[i].send)};
        cases->from[cases->n++] = i;
    }
    return cases->n > GC_CASES_MAX ? -E2BIG : 0;
}

size_t cases_doubt(const size_t *from, const struct result *result)
{
    return result->doubt ? from[result->doubt - 1] + 1 : 0;
}

static void mark_doubt(struct gc_case *cases, size_t n, size_t doubt)
{
    for (size_t i = 0; i < n; i++)
        cases[i].doubt = i + 1 == doubt;
}

bool cases_met(int status, const struct result *result)
{
    return status >= 0 || status == -EPIPE || (result->status < 0 && result->flags & RESULT_CLOSED);
}

/* The case that took effect gets what it brought; nothing else is written (S11) but what is in doubt. */
static void give(gc_client *g, struct gc_case *k, const struct answer *answer, bool hold)
{
    k->status = answer->result.status < 0 ? answer->result.status : k->kind == GC_CASE_SEND ? 0 : 1;
    if (k->kind == GC_CASE_RECV) {
        if (answer->result.status >= 0)
            k->status = answer->result.values_n > 0;
        if (answer->result.values_n)
            value_give(k->recv, answer, 0, hold);
        else
            *k->recv = (struct gc_value){0};
    } else if (k->kind == GC_CASE_JOB && answer->result.jobs_n == 0) {
        k->status =
            gc_wait(g, k->job, k->result, GC_FOREVER); /* it had ended before: only the store has it */
    } else if (k->kind == GC_CASE_JOB) {
        struct gc_result result;
        result_give(&result, answer);
        k->status = result.state == GC_JOB_DONE;
        if (k->result)
            *k->result = result;
        else
            gc_result_clear(&result);
    }
}

GC_API int gc_select(gc_client *g, struct gc_case *cases, size_t n, unsigned flags, gc_until until)
{
    _cleanup_(cases_destroy) struct cases open = {0};
    struct answer answer;
    int r = cases_create(&open, cases, n);
    if (r < 0)
        return last_failed(r, r == -E2BIG ? "at most 1024 cases in one select" : NULL, false);
    struct request request = {.verb = VERB_SELECT, .select = {open.wire, open.n}};
    r = call_run(g, &request, until, flags & GC_HOLD ? CALL_HOLD : 0, &answer);
    if (cases_met(r, &answer.result)) {
        size_t index = open.from[answer.result.index];
        give(g, &cases[index], &answer, flags & GC_HOLD);
        r = (int)index;
    }
    mark_doubt(cases, n, cases_doubt(open.from, &answer.result));
    answer_end(&answer);
    return r;
}
