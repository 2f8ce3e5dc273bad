/*
 * A transaction is all there, or nothing of it, whoever dies in it (IP13). Each ends its job with a result, submits jobs under a key
 * and sends values, of its own; so what is in the store after a crash, and where its values have surfaced in the end, tells
 * whether it happened: all that tells something has to tell the same, also what its client was told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lives.h"
#include "workers.h"

enum { SENT_MAX = 4, ACKED_MAX = 8 };

struct deal {
    uint64_t job, incarnation;
    uint64_t sent[SENT_MAX];
    size_t sent_n, jobs_n;
    struct acked {
        uint64_t value, session, op; /* that received it */
    } acked[ACKED_MAX];
    size_t acked_n;
    bool told, happened; /* as its client was told */
};

struct deals {
    struct deal *all; /* by number, from 1 */
    size_t n;
};

/* What speaks for one and for the other. */
struct evidence {
    const char *yes, *no;
};

size_t deal_mark(uint64_t number, char mark[DEAL_MARK_BYTES])
{
    return (size_t)snprintf(mark, DEAL_MARK_BYTES, "t%06u", (unsigned)number % 1000000);
}

static struct deals *deals_of(struct sim *sim)
{
    if (!sim->deals)
        sim->deals = sim_alloc(sizeof(*sim->deals));
    return sim->deals;
}

void judge_deals_free(struct sim *sim)
{
    if (sim->deals)
        free(sim->deals->all);
    free(sim->deals);
}

uint64_t judge_deal_new(struct task *task, struct task *const *held, size_t n)
{
    struct deals *deals = deals_of(task->client->sim);

    deals->all = realloc(deals->all, sizeof(*deals->all) * (deals->n + 2));
    if (!deals->all)
        abort();
    struct deal *deal = &deals->all[++deals->n];
    *deal = (struct deal){.job = task->op.request.transact.job,
                          .incarnation = task->client->sim->daemon.incarnation};
    for (size_t i = 0; i < task->sent_n; i++)
        deal->sent[deal->sent_n++] = task->sent[i];
    for (size_t i = 0; i < n; i++) {
        held[i]->deal = deals->n;
        for (size_t k = 0; k < held[i]->got_n && deal->acked_n < ACKED_MAX; k++)
            deal->acked[deal->acked_n++] =
                (struct acked){held[i]->got[k], held[i]->session, held[i]->op.request.id};
    }
    return deals->n;
}

void judge_deal_begins(const struct task *task)
{
    task->client->sim->deals->all[task->deal].jobs_n = task->op.request.transact.jobs_n;
}

/* ---- what was said ---- */

/* Its acknowledgements are as good as on disk, where it was told so. */
static void commit(struct sim *sim, const struct deal *deal)
{
    for (size_t i = 0; i < deal->acked_n; i++) {
        const struct acked *acked = &deal->acked[i];
        for (struct surface *s = sim->values[acked->value].surfaces; s; s = s->next)
            if (s->session == acked->session && s->op == acked->op && s->how == SURFACED_HELD)
                s->how = SURFACED_COMMITTED;
    }
}

void judge_deal_told(const struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;

    if (task->op.request.verb != VERB_TRANSACT || task->topical)
        return;
    if (result->flags & RESULT_DOUBT) {
        sim->faults[FAULT_DEAL_UNKNOWN]++;
        return;
    }
    struct deal *deal = &sim->deals->all[task->deal];
    deal->told = true;
    deal->happened = result->status >= 0;
    if (deal->happened)
        commit(sim, deal);
}

void judge_deal_unknown(const struct task *task)
{
    if (task->op.request.verb == VERB_TRANSACT && !task->finished)
        task->client->sim->faults[FAULT_DEAL_UNKNOWN]++;
}

/* ---- what is there ---- */

/* Ended jobs may be forgotten. */
static bool keeps_all(const struct sim *sim)
{
    return !sim->forgets && !sim_purges(sim);
}

static void look_at_jobs(struct sim *sim, uint64_t number, const struct deal *deal, struct evidence *evidence)
{
    char text[DEAL_MARK_BYTES];
    struct bytes mark = {text, deal_mark(number, text)};
    int ended = storage_ended_with(sim, deal->job, mark);
    size_t n = storage_count(sim, mark);

    if (ended == 1)
        evidence->yes = "the end of its job";
    if (ended == 0)
        evidence->no = "the end of its job";
    if (n)
        evidence->yes = "a job that it submits";
    if (keeps_all(sim) && n < deal->jobs_n)
        evidence->no = "a job that it submits";
}

/* In a store that was just loaded, or with somebody. */
static bool is_there(const struct sim *sim, uint64_t value)
{
    return sim->values[value].loaded == sim->daemon.incarnation || sim->values[value].surfaces;
}

static void look_at_values(struct sim *sim, const struct deal *deal, struct evidence *evidence)
{
    for (size_t i = 0; i < deal->sent_n; i++)
        *(is_there(sim, deal->sent[i]) ? &evidence->yes : &evidence->no) = "a value that it sends";
}

/* Whoever received it for the transaction was not the last one. */
static bool came_again(const struct sim *sim, const struct acked *acked)
{
    const struct surface *last = sim->values[acked->value].surfaces;

    return last && (last->session != acked->session || last->op != acked->op);
}

static void look_at_acks(struct sim *sim, const struct deal *deal, bool end, struct evidence *evidence)
{
    for (size_t i = 0; i < deal->acked_n; i++) {
        const struct acked *acked = &deal->acked[i];
        if (came_again(sim, acked) || sim->values[acked->value].loaded > deal->incarnation)
            evidence->no = "what it acknowledges";
        else if (end)
            evidence->yes = "what it acknowledges";
    }
}

static void judge(struct sim *sim, uint64_t number, bool end)
{
    const struct deal *deal = &sim->deals->all[number];
    struct evidence evidence = {0};

    look_at_jobs(sim, number, deal, &evidence);
    look_at_values(sim, deal, &evidence);
    look_at_acks(sim, deal, end, &evidence);
    if (deal->told)
        *(deal->happened ? &evidence.yes : &evidence.no) = "what its client was told";
    if (evidence.yes && evidence.no)
        sim_fail(sim, "of transaction %llu, job %llx, something happened (%s) and something did not (%s)",
                 (unsigned long long)number, (unsigned long long)deal->job, evidence.yes, evidence.no);
}

static void judge_all(struct sim *sim, bool end)
{
    for (uint64_t number = 1; sim->deals && number <= sim->deals->n && !sim->failed; number++)
        judge(sim, number, end);
}

void judge_deals_loaded(struct sim *sim)
{
    judge_all(sim, false);
}

void judge_deals_end(struct sim *sim)
{
    judge_all(sim, true);
}

void judge_value_loaded(struct sim *sim, struct bytes body)
{
    uint64_t id = 0;

    if (body.size >= sizeof(id))
        memcpy(&id, body.data, sizeof(id));
    if (id && id <= sim->values_n)
        sim->values[id].loaded = sim->daemon.incarnation;
}

/* ---- its answer ---- */

/* It is the end of its run, and all of it is stored. */
void judge_deal_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    const struct request_transact *what = &task->op.request.transact;
    struct entry_job *job = job_entry(sim, what->job);
    struct job_row row;

    if (storage_ended_with(sim, what->job, what->result) == 0)
        sim_fail(sim, "transaction %llu is answered before the end of its job is stored",
                 (unsigned long long)task->deal);
    if (result->ids_n != what->jobs_n)
        sim_fail(sim, "transaction %llu submits %zu jobs, and is told of %zu", (unsigned long long)task->deal,
                 what->jobs_n, result->ids_n);
    for (size_t i = 0; keeps_all(sim) && i < result->ids_n; i++)
        if (!storage_job(sim, result->ids[i], &row))
            sim_fail(sim, "transaction %llu is answered before job %llx is stored",
                     (unsigned long long)task->deal, (unsigned long long)result->ids[i]);
    judge_run_over(sim, task, what->job, what->run);
    job->done = true;
    sim->jobs_done++;
}
